"""All comparisons with transformers: the tests run them, and the parity table prints them."""

from tests.parity import networks, outputs, pictures
from tests.parity.case import Case

CASES: list[Case] = [*networks.CASES, *outputs.CASES, *pictures.CASES]

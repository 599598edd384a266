"""The parity table: `python -m tests.parity.table` measures every comparison and writes it into docs/parity.md."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import transformers

from tests.parity.case import Case
from tests.parity.cases import CASES

DOCUMENT = Path(__file__).parents[2] / "docs" / "parity.md"
HEAD = ("Network", "Compared", "Largest difference", "Allowed")
# Everything between the two marks is made by `main`.
MARKS = ("<!-- the table begins -->", "<!-- the table ends -->")


def table(cases: Sequence[Case], measure: Callable[[Case], float]) -> str:
    """A Markdown table with one row a case."""
    rows = [HEAD, ("---",) * len(HEAD)]
    rows += [(case.config, case.compared, written(case, measure(case)), written(case, case.limit)) for case in cases]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def written(case: Case, value: float) -> str:
    """A count as a whole number, anything else with two digits."""
    number = f"{value:.0f}" if case.limit == 0 else f"{value:.2g}"
    return f"{number} {case.unit}"


def main() -> int:
    """Measures all, slow ones included, and replaces the table of the document. 1 where a limit was passed."""
    failed = []

    def measured(case: Case) -> float:
        value = case.measure()
        sys.stderr.write(f"{case.name}: {written(case, value)}\n")
        if value > case.limit:
            failed.append(case.name)
        return value

    made = table(CASES, measured)
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    begin, end = MARKS
    document = DOCUMENT.read_text(encoding="utf-8")
    pattern = f"{re.escape(begin)}.*{re.escape(end)}"
    fresh = f"{begin}\n{made}\n\nMeasured with {versions}.\n{end}"
    DOCUMENT.write_text(re.sub(pattern, lambda _: fresh, document, flags=re.DOTALL), encoding="utf-8")
    sys.stderr.writelines(f"FAILED {name}\n" for name in failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

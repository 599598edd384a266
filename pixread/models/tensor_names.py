"""Name maps: our name of a tensor -> its name elsewhere, `{}` standing for the number of the layer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_LAYER = re.compile(r"(?<=\.)\d+(?=\.)")


def rename(names: Iterable[str], table: Mapping[str, str]) -> dict[str, str]:
    """Our `names` -> theirs, through `table`.

    A name that the table lacks, or an entry that no name uses, is a mistake of ours and fails an assertion.
    """
    renamed, used = {}, set()
    for name in names:
        pattern = _LAYER.sub("{}", name)
        assert pattern in table, f"the name map has no entry for {pattern}"
        used.add(pattern)
        renamed[name] = table[pattern].format(*_LAYER.findall(name))
    unused = set(table) - used
    assert not unused, f"the name map has entries without a tensor: {sorted(unused)}"
    return renamed

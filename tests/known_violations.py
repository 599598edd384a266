"""Violations of the house rules that are to be mended: both must become empty (issue 25)."""

CIRCLES: list[str] = []
TWINS: dict[str, list[str]] = {
    "checkpoints": ["DTYPES", "MAX_NEW_TOKENS", "OWN", "TENSORS"],
    "inputs": [
        "CONFIG_FILE",
        "Corners",
        "FARTHEST",
        "FILE",
        "FULL",
        "LONGEST",
        "LOW",
        "Numbers",
        "ODDS",
        "Places",
        "Run",
        "STRIP",
        "STYLES",
        "WEIGHTS",
        "runs_of",
    ],
    "layout": ["BLOCK", "FLOOR", "Floats"],
    "reading": ["tree_of"],
    "recognition": ["HOW_TO_INSTALL"],
    "tasks": ["COLUMNS", "FOLDERS", "LISTS", "T"],
    "train": ["CHUNK_BATCHES", "CHUNK_PAGES", "Floats", "LARGEST", "LONGEST", "Pixels", "SMALLEST", "Tally"],
}

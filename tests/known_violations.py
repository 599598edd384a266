"""Violations of the house rules that are to be mended: both must become empty (issue 25)."""

CIRCLES: list[str] = []
TWINS: dict[str, list[str]] = {
    "checkpoints": ["DTYPES", "MAX_NEW_TOKENS", "OWN", "TENSORS"],
    "layout": ["BLOCK", "FLOOR", "Floats"],
    "recognition": ["HOW_TO_INSTALL"],
    "tasks": ["COLUMNS", "FOLDERS", "LISTS", "T"],
    "train": ["CHUNK_BATCHES", "CHUNK_PAGES", "Floats", "LARGEST", "LONGEST", "Pixels", "SMALLEST", "Tally"],
}

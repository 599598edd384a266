"""What others have published on the nine tasks: the paper's table of results (Lee et al. 2023, tables 1 and 3).

Test splits, in percent, CIDEr times 100. The pipeline column is the best system that was given text, layout or a view
hierarchy by other means; the paper's own figures stand in `pixread.tasks`.
"""

from __future__ import annotations

from collections.abc import Mapping

OTHER_SYSTEMS: Mapping[str, Mapping[str, float]] = {
    "pipeline": {
        "textcaps": 160.4,  # PaLI
        "chartqa": 45.5,  # VisionTaPas
        "widget-captioning": 97.0,  # PLC
        "screen2words": 64.3,  # VUT
        "refexp": 90.8,  # UIBert
        "docvqa": 84.7,  # UDOP
        "infographicvqa": 47.4,  # UDOP
        "ocrvqa": 67.5,  # LATr
        "ai2d": 38.5,  # DQA-Net
    },
    "GIT2": {"textcaps": 145.0, "ocrvqa": 70.3},  # OCR-VQA with more labelled data than the others had
    "Donut": {
        "textcaps": 74.4,
        "chartqa": 41.8,
        "widget-captioning": 127.4,
        "screen2words": 56.4,
        "docvqa": 67.5,
        "infographicvqa": 11.6,
        "ocrvqa": 66.0,
        "ai2d": 30.8,
    },
}

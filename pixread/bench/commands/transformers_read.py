"""One picture read with transformers, as its model cards do it.

    python -m pixread.bench.commands.transformers_read FOLDER PICTURE

Nothing of pixread is imported, so that a cold process measures transformers alone.
"""

from __future__ import annotations

import sys
from typing import Any


def main() -> None:
    from PIL import Image
    from transformers import AutoProcessor, Pix2StructForConditionalGeneration

    folder, picture = sys.argv[1:]
    processor: Any = AutoProcessor.from_pretrained(folder)
    model: Any = Pix2StructForConditionalGeneration.from_pretrained(folder)
    inputs = processor(images=Image.open(picture), return_tensors="pt")
    ids = model.generate(**inputs, use_cache=True)
    sys.stdout.write(processor.decode(ids[0], skip_special_tokens=True) + "\n")


if __name__ == "__main__":
    main()

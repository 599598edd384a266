#!/usr/bin/env bash
# OCR-VQA: questions about book covers. Usage: runs/ocrvqa.sh OUT [SIZE]
#
# Download dataset.json, which https://ocr-vqa.github.io/ links to, and put it into OUT/files/ocrvqa. The covers, about
# 200,000, are fetched from the addresses in it; those that are gone are left out, and counted by `pixread prepare`.
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0") files=$1/files/ocrvqa

mkdir -p "$files/images"
python3 - "$files" > "$files/missing.curl" << 'PYTHON'
import json, pathlib, sys

folder = pathlib.Path(sys.argv[1])
for name, book in json.loads((folder / "dataset.json").read_text(encoding="utf-8")).items():
    image = folder / "images" / f"{name}.jpg"
    if not image.exists():
        print("url =", json.dumps(book["imageURL"]))
        print("output =", json.dumps(str(image)))
PYTHON
if [[ -s $files/missing.curl ]]; then
  curl -fsSL --parallel --parallel-max 16 --retry 2 --config "$files/missing.curl" || echo "some covers are gone" >&2
fi
"$here/finetune.sh" ocrvqa "$size" "$out"

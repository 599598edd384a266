#!/usr/bin/env bash
# AI2D: questions about diagrams, several answers to choose from. Usage: runs/ai2d.sh OUT [SIZE]
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0") files=$1/files/ai2d

"$here/fetch.sh" https://ai2-public-datasets.s3.amazonaws.com/diagrams/ai2d-all.zip "$files/ai2d-all.zip"
"$here/unpack.sh" "$files"
"$here/fetch.sh" https://storage.googleapis.com/pix2struct-data/ai2d_test_ids.csv "$files/ai2d_test_ids.csv"
for part in questions annotations images; do
  ln -sfn "ai2d/$part" "$files/$part" # the archive has a folder of its own
done
"$here/finetune.sh" ai2d "$size" "$out"

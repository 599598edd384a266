#!/usr/bin/env bash
# TextCaps: captions of photographs with text in them. Usage: runs/textcaps.sh OUT [SIZE]
#
# The test split comes without captions: the score is of val, and the predictions for test can be handed in.
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0") files=$1/files/textcaps from=https://dl.fbaipublicfiles.com/textvqa

for split in train val test; do
  "$here/fetch.sh" "$from/data/textcaps/TextCaps_0.1_$split.json" "$files/TextCaps_0.1_$split.json"
done
for images in train_val_images test_images; do
  "$here/fetch.sh" "$from/images/$images.zip" "$files/$images.zip"
done
"$here/unpack.sh" "$files"
"$here/finetune.sh" textcaps "$size" "$out" val
"$here/finetune.sh" textcaps "$size" "$out" test

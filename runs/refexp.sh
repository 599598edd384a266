#!/usr/bin/env bash
# RefExp: which element of an Android screen is meant. Usage: runs/refexp.sh OUT [SIZE]
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0") from=https://github.com/google-research-datasets/uibert/raw/main/ref_exp

for split in train dev test; do
  "$here/fetch.sh" "$from/$split.tfrecord" "$out/files/refexp/$split.tfrecord"
done
"$here/rico.sh" "$out" refexp
"$here/finetune.sh" refexp "$size" "$out"

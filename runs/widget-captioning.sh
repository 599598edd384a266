#!/usr/bin/env bash
# Widget Captioning: captions of elements of Android screens. Usage: runs/widget-captioning.sh OUT [SIZE]
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0") files=$1/files/widget-captioning

[[ -d $files ]] || git clone --depth 1 https://github.com/google-research-datasets/widget-caption.git "$files"
"$here/rico.sh" "$out" widget-captioning
"$here/finetune.sh" widget-captioning "$size" "$out"

#!/usr/bin/env bash
# Screen2Words: summaries of Android screens. Usage: runs/screen2words.sh OUT [SIZE]
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0") files=$1/files/screen2words

[[ -d $files ]] || git clone --depth 1 https://github.com/google-research-datasets/screen2words.git "$files"
"$here/rico.sh" "$out" screen2words
"$here/finetune.sh" screen2words "$size" "$out"

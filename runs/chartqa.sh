#!/usr/bin/env bash
# ChartQA: questions about charts. Usage: runs/chartqa.sh OUT [SIZE]
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0")

if [[ ! -d $out/files/chartqa ]]; then
  git clone --depth 1 https://github.com/vis-nlp/ChartQA.git "$out/files/chartqa.clone"
  mv "$out/files/chartqa.clone/ChartQA Dataset" "$out/files/chartqa"
  rm -rf "$out/files/chartqa.clone"
fi
"$here/finetune.sh" chartqa "$size" "$out"

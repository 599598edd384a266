#!/usr/bin/env bash
# Trains the page reader: pages in, weights and scores out. Usage: runs/reader.sh TRAIN_LIST DEV_LIST OUT [OPTION...]
#
# TRAIN_LIST and DEV_LIST are text files with one HTML file a line, from the folder of the list; keep their sites apart.
# OPTIONs go to both trainings: `--set threads=2`, `--device cuda`. Started again with the same arguments, whatever was
# interrupted goes on. OUT/reader is then what `pixread.load` and `--model` take. What is learnt: docs/training.md.
set -euo pipefail
train_list=$1 dev_list=$2 out=$3
shift 3

rendered() {
  pixread render "$2" --out "$out/$1" --resume "${@:3}"
}

# Every page twice: as it is, and with other words, fonts, colours and another width.
rendered plain "$train_list" --targets layout --max-height 2400
rendered varied "$train_list" --targets layout --max-height 1800 --width 1280 --vary 1 --seed 7
rendered dev "$dev_list" --targets lines,parse --height 1024 --set parse.mask_rate=0 --set parse.max_chars=512

mkdir -p "$out/reader"
trained() {
  pixread train "$1" --data "$out/plain" --data "$out/varied" --out "$out/$1" --resume "${@:2}"
  cp "$out/$1/weights.safetensors" "$out/reader/$1.safetensors"
}

# The recogniser learns from lines as the detector finds them.
trained line-detector "$@"
trained line-recogniser --set detector="$out/line-detector" "$@"

pixread bench read --data "$out/dev" --model "$out/reader" --out "$out/scores" --resume

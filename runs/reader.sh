#!/usr/bin/env bash
# Trains a reader of screenshots: pages in, checkpoint and scores out. Usage: runs/reader.sh TRAIN_LIST DEV_LIST OUT [OPTION...]
#
# TRAIN_LIST and DEV_LIST are text files with one HTML file a line, from the folder of the list; keep their sites apart.
# OPTIONs go to every lesson: `--set threads=1`, `--device cuda --set workers=12`. Started again with the same arguments,
# whatever was interrupted goes on. How long each lesson took for the shipped model: docs/training.md.
set -euo pipefail
train_list=$1 dev_list=$2 out=$3
shift 3

rendered() {
  pixread render "${@:2}" --out "$1" --resume
}
lesson() {
  pixread train "$1" --out "$out/$2" --resume "${@:3}"
}

# Crops of at most 26 characters, once of the pages as they are, and once with other words, fonts and colours.
crops=(--targets crops --set crops.max_crops=150 --set crops.jitter=2 --set crops.markup=true)
rendered "$out/plain" "$train_list" "${crops[@]}" --set crops.max_chars=26 --set crops.max_images=2
rendered "$out/varied" "$train_list" "${crops[@]}" --set crops.max_chars=20 --set crops.max_images=1 --vary 1 --seed 7
rendered "$out/dev" "$dev_list" --targets lines,parse --height 1024 --set parse.mask_rate=0 --set parse.max_chars=512

lesson line-letters letters "$@"
lesson line-words words --set init="$out/letters" --set steps=3000 "$@"
# From here on half of the text is drawn, most of it in Devanagari: without fonts for that, --set devanagari=0 leaves it out.
pages=(--data "$out/plain" --data "$out/varied")
lesson line-pages pages --set init="$out/words" --set steps=3000 --set warmup_share=0.5 --set devanagari=0.7 "${pages[@]}" "$@"
# What a lesson's reader gets wrong comes three times as often in the next one, while the learning rate falls.
mended() {
  local reader=$out/$1 errors=$out/$1-errors
  [ -e "$errors/manifest.json" ] || pixread mine "$out/plain" "$out/varied" --model "$reader" --out "$errors"
  lesson line-pages "$2" --set init="$reader" --set schedule=linear --set steps=18000 --set warmup_steps=1 \
    --set warmup_share=0.4 "${pages[@]}" --data "$errors" --data "$errors" "${@:3}"
}
mended pages mended --set devanagari=0.6 "$@"
mended mended last --set devanagari=0.7 "$@"

pixread convert "$out/last" "$out/reader" --dtype bfloat16 --min-confidence 0.9
pixread evaluate "$out/dev" --task pages --model "$out/reader" --out "$out/scores/pages" --resume
pixread evaluate "$out/dev" --task parse --model "$out/reader" --out "$out/scores/parse" --resume

#!/usr/bin/env bash
# Trains a reader of screenshots: pages in, checkpoint and scores out. Usage: runs/reader.sh TRAIN_LIST DEV_LIST OUT
#
# TRAIN_LIST and DEV_LIST are text files with one HTML file a line, from the folder of the list; keep their sites apart.
# A lesson stopped with Ctrl-C goes on with --resume. On two CPU cores, with nothing else running, allow about 5 minutes
# for the letters, 10 for the words, and all the patience you have for the pages: what the shipped model had is in
# pixread/assets/reader/README.md.
set -euo pipefail
train_list=$1 dev_list=$2 out=$3

# Crops of at most 17 characters: the reader cuts long lines between words, too.
pixread render "$train_list" --targets crops --out "$out/train" \
  --set crops.max_chars=17 --set crops.max_crops=150 --set crops.max_images=2 --set crops.jitter=2 --set crops.markup=true
pixread render "$dev_list" --targets lines,parse --height 1024 --out "$out/dev" \
  --set parse.mask_rate=0 --set parse.max_chars=512

pixread train line-letters --out "$out/letters"
pixread train line-words --set init="$out/letters" --out "$out/words"
pixread train line-pages --set init="$out/words" --data "$out/train" --out "$out/pages"
pixread train line-pages --set init="$out/pages" --set schedule=linear --set steps=10000 --data "$out/train" --out "$out/last"

pixread convert "$out/last" "$out/reader" --dtype bfloat16 --min-confidence 0.7
pixread evaluate "$out/dev" --task pages --model "$out/reader" --out "$out/scores/pages"
pixread evaluate "$out/dev" --task parse --model "$out/reader" --out "$out/scores/parse"

#!/usr/bin/env bash
# Trains the shipped reader: pages in, pixread/assets/reader out. Usage: runs/reader.sh TRAIN_LIST DEV_LIST OUT
#
# TRAIN_LIST and DEV_LIST are text files with one HTML file or address a line; keep their sites apart. Each lesson stops
# with Ctrl-C and goes on with --resume. Figures of the run that made the shipped model stand beside each lesson: two
# cores of an AMD EPYC (Zen 4), shared with other work, one thread for the model.
set -euo pipefail
train_list=$1 dev_list=$2 out=$3

# Lines cut out of the pages, at most 28 characters each: the reader cuts long lines between words, too.
pixread render "$train_list" --targets crops --out "$out/train" \
  --set crops.max_chars=28 --set crops.max_crops=120 --set crops.max_images=2 --set crops.jitter=2 --set crops.markup=true
pixread render "$dev_list" --targets lines --height 1024 --out "$out/dev"

# Lesson 1, letters: from patch to letter. Lesson 2, words. Lesson 3, lines of pages with drawn lines among them.
pixread train line-letters --out "$out/letters"
pixread train line-words --set init="$out/letters" --out "$out/words"
pixread train line-pages --set init="$out/words" --data "$out/train" --out "$out/pages"

pixread evaluate "$out/dev" --model "$out/pages" --out "$out/scores"

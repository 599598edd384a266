#!/usr/bin/env bash
# A task from its original files to a score, as in table 5 of the paper. Usage: runs/finetune.sh TASK SIZE OUT [SPLIT]
#
# OUT/files/TASK holds the data set's own files (runs/TASK.sh puts them there). OUT/data, OUT/models and OUT/scores are
# written; `pixread evaluate --all OUT/data --models OUT/models --out OUT/table` then prints the paper's table.
# SIZE is base or large, for an accelerator of 80 GB; laptop for a graphics card of 8 GB.
# SPLIT is what the score is of (test). Started again, an interrupted training goes on.
set -euo pipefail
task=$1 size=$2 out=$3 split=${4:-test}

case $size in
  laptop) recipe=finetune-$size ;;
  *) recipe=finetune-$task-$size ;;
esac
data=$out/data/$task model=$out/models/$task-$size

[[ -e $data/skipped.tsv ]] || pixread prepare "$task" --data "$out/files/$task" --out "$data"
pixread train "$recipe" --data "$data" --out "$model" --resume
pixread evaluate "$data" --task "$task" --split "$split" --model "$model" --resume \
  --out "$out/scores/$task-$size-$split"

#!/usr/bin/env bash
# InfographicVQA: questions about infographics. Usage: runs/infographicvqa.sh OUT [SIZE]
#
# Register at https://rrc.cvc.uab.es/?ch=17&com=downloads, download annotations and images of "InfographicsVQA" (task 1)
# and put them, archives as they are, into OUT/files/infographicvqa.
# The test split comes without answers: the score is of val, and the predictions for test can be handed in.
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0")

"$here/unpack.sh" "$out/files/infographicvqa"
"$here/finetune.sh" infographicvqa "$size" "$out" val
"$here/finetune.sh" infographicvqa "$size" "$out" test

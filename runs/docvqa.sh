#!/usr/bin/env bash
# DocVQA: questions about scanned documents. Usage: runs/docvqa.sh OUT [SIZE]
#
# Register at https://rrc.cvc.uab.es/?ch=17&com=downloads, download annotations and images of "Single Page Document VQA"
# and put them, archives as they are, into OUT/files/docvqa.
# The test split comes without answers: the score is of val, and the predictions for test can be handed in.
set -euo pipefail
out=$1 size=${2:-base} here=$(dirname "$0")

"$here/unpack.sh" "$out/files/docvqa"
"$here/finetune.sh" docvqa "$size" "$out" val
"$here/finetune.sh" docvqa "$size" "$out" test

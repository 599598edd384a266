#!/usr/bin/env bash
# The screens of RICO, which three tasks are about, into OUT/files/rico. Usage: runs/rico.sh OUT TASK
#
# 6 GB. A link in OUT/files/TASK leads there.
set -euo pipefail
out=$1 task=$2 here=$(dirname "$0")

"$here/fetch.sh" https://storage.googleapis.com/crowdstf-rico-uiuc-4540/rico_dataset_v0.1/unique_uis.tar.gz \
  "$out/files/rico/unique_uis.tar.gz"
"$here/unpack.sh" "$out/files/rico"
ln -sfn ../rico/combined "$out/files/$task/combined"

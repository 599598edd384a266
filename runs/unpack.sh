#!/usr/bin/env bash
# Unpacks the archives in a folder where they lie; of each, NAME.unpacked is left. Usage: runs/unpack.sh FOLDER
set -euo pipefail
folder=$1

shopt -s nullglob
for archive in "$folder"/*.zip; do
  unzip -qo "$archive" -d "$folder"
  rm "$archive"
  touch "$archive.unpacked"
done
for archive in "$folder"/*.tar.gz; do
  tar xzf "$archive" -C "$folder"
  rm "$archive"
  touch "$archive.unpacked"
done

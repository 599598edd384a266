#!/usr/bin/env bash
# Downloads a file once, whole or not at all. Usage: runs/fetch.sh URL FILE
set -euo pipefail
url=$1 file=$2

# An archive that runs/unpack.sh has unpacked is not wanted again.
[[ -e $file || -e $file.unpacked ]] && exit
mkdir -p "$(dirname "$file")"
curl -fLC - --retry 3 -o "$file.part" "$url"
mv "$file.part" "$file"

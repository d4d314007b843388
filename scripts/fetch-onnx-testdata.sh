#!/usr/bin/env bash
# Puts the models of ONNX's backend tests into .cache/onnx-testdata (the round-trip tests read them): from Debian's libonnx-testdata
# where that is installed, else out of a pinned wheel of the Python package onnx. Nothing of the wheel is executed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=.cache/onnx-testdata
version=1.21.0
if [ -n "$(find "$target" -name model.onnx -print -quit 2>/dev/null)" ]; then
  echo "$target is there already"
  exit 0
fi
mkdir -p .cache
temp="$(mktemp -d .cache/fetch.XXXXXX)"
trap 'rm -rf "$temp"' EXIT
mkdir "$temp/data"

if files="$(dpkg -L libonnx-testdata 2>/dev/null)"; then
  origin='libonnx-testdata'
  root="$(grep -m1 -E '/node$' <<<"$files")"
  cp -rL "$(dirname "$root")/." "$temp/data"
else
  origin="onnx $version"
  python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 \
    --dest "$temp" "onnx==$version"
  python3 -m zipfile -e "$temp"/onnx-*.whl "$temp/wheel"
  mv "$temp/wheel/onnx/backend/test/data" "$temp/data/data"
fi
rm -rf "$target"
mv "$temp/data" "$target"
echo "$target: $(find "$target" -name '*.onnx' | wc -l) models from $origin"

#!/usr/bin/env bash
# Builds for the machines that users ship to. Arguments: packages that end up
# in a user's program. The command is linked for Windows too, whose process and
# file code is its own; a Mac shares Linux's. Compiling sqlc's tree once more for
# each machine would be a third of the time that all tests take.
#
# Without cgo, as a cross build is.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for target in linux/arm64 darwin/arm64 windows/amd64; do
  export GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0
  echo "build $target"
  go build "$@"
  if [ "$GOOS" = windows ]; then go build -o "$out/modulagen.exe" ./cmd/modulagen; fi
done

#!/usr/bin/env bash
# Builds for the machines that users ship to. Arguments: packages that end up
# in a user's program. The command is linked too: a user generates on a Mac or on
# Windows, and half of sqlc's dependencies have code for each system.
#
# Without cgo, as a cross build is. An empty build cache makes this the longest
# step by far, because sqlc's own tree is compiled once for each machine.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for target in linux/arm64 darwin/arm64 windows/amd64; do
  export GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0
  echo "build $target"
  go build "$@"
  go build -o "$out/modulagen-$GOOS" ./cmd/modulagen
done

#!/usr/bin/env bash
# Builds for the machines that users ship to. Arguments: packages that end up
# in a user's program. The command is linked for each machine too. The program
# that analyses queries is linked for Windows only, and only with CROSS_SQLC=1,
# before a release: compiling sqlc's tree once more takes minutes.
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
  go build -o "$out/modulagen-$GOOS" ./cmd/modulagen
  if [ "$GOOS" = windows ] && [ "${CROSS_SQLC:-}" = 1 ]; then go build -o "$out/modulagen-sqlc.exe" ./cmd/modulagen-sqlc; fi
done

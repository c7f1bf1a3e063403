#!/usr/bin/env bash
# modernc.org/sqlite is translated C that calls modernc.org/libc of the very
# version it was translated with; with another one it can crash (
# pocketbase#6136, SIGSEGV). Go would pick a newer one silently if any other
# requirement asked for it, so compare.
set -euo pipefail
cd "$(dirname "$0")/.."

sqlite=$(go list -m -f '{{.Version}}' modernc.org/sqlite)
chosen=$(go list -m -f '{{.Version}}' modernc.org/libc)
wanted=$(go mod graph | awk -v from="modernc.org/sqlite@$sqlite" '$1 == from && $2 ~ /^modernc\.org\/libc@/ {sub(/.*@/, "", $2); print $2}')
if [ "$chosen" != "$wanted" ]; then
  echo "modernc.org/sqlite $sqlite asks for modernc.org/libc $wanted, and go.mod has $chosen" >&2
  exit 1
fi
echo "modernc.org/libc $chosen is what modernc.org/sqlite $sqlite asks for"

#!/usr/bin/env bash
# The main job on real files: see README.md. Needs Go, and nothing else.
#   KEEP=1 leaves the project in place.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
demo=$repository/examples/demo
work=$(mktemp -d "${TMPDIR:-/tmp}/modulagen-demo-XXXXXX")
shop=$work/shop
finish() {
  if [ -n "${KEEP:-}" ]; then
    echo "the project is in $shop"
  else
    chmod -R u+w "$work" && rm -rf "$work"
  fi
}
trap finish EXIT

step() { printf '\n== %s\n' "$*"; }

step "modulagen init shop"
cd "$repository"
mkdir -p "$work/bin"
go build -o "$work/bin/modulagen" ./cmd/modulagen
"$work/bin/modulagen" init "$shop"

step "its own definitions and sources"
cp "$demo"/project/*.go "$shop/"
cp "$demo"/project/datatypes/*.yaml "$shop/datatypes/"
ls "$shop" "$shop/datatypes"

cd "$shop"
step "go generate ."
go get "$(awk '$1 == "require" {print $2 "@" $3}' "$demo/project/go.mod")" # it resizes the images
go mod tidy # the program imports packages of the runtime that the new project did not
go generate .

step "go build"
go mod tidy
go vet ./...
go build -o "$work/bin/shop" .

step "shop"
"$work/bin/shop" -data "$demo/data" -out "$work/out" -db "sqlite:$work/shop.db"

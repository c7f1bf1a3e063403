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
rm -r "$shop/workers" # its handlers are in work.go
# The built-in mailbox, but for a mail server that wants a message twice within a second.
cp datatypes/email_suppressions.yaml "$shop/datatypes/"
sed 's/^  backoff: .*/  backoff: [200ms]/' datatypes/email_queue.yaml >"$shop/datatypes/email_queue.yaml"
ls "$shop" "$shop/datatypes"

cd "$shop"
step "go generate ."
# It resizes the images with the one, and runs a mail server of the other.
go get "$(awk '$1 == "require" {print $2 "@" $3}' "$demo/project/go.mod")" "$(awk '/emersion\/go-smtp/ {print $1 "@" $2}' "$repository/go.mod")"
go mod tidy # the program imports packages of the runtime that the new project did not
go generate .

# The definitions are not those that init recorded.
rm -r migrations
"$work/bin/modulagen" migrate new init

step "go build"
go mod tidy
go vet ./...
go build -o "$work/bin/shop" .

step "shop"
"$work/bin/shop" -data "$demo/data" -out "$work/out" -db "sqlite:$work/shop.db"

step "webhooks: a project of its own, as examples/webhooks has it"
cd "$repository"
press=$work/press
"$work/bin/modulagen" init "$press"
cp "$repository"/examples/webhooks/{main,receiver}.go "$press/"
sed -i.bak 's#github.com/hegner123/modulagen/examples/webhooks/generated#press/generated#' "$press/main.go"
cp "$repository/examples/webhooks/datatypes/article.yaml" "$press/datatypes/"
cd "$press"
go get "$(awk '/standard-webhooks/ {print $1 "@" $2}' "$repository/go.mod")" # the receiver verifies with it too
go mod tidy
"$work/bin/modulagen" migrate new article
go run . "sqlite:$work/press.db" | tee "$work/press.out"
[ "$(grep -c ': delivered$' "$work/press.out")" = 2 ] && grep -q 'attempt 1: 503' "$work/press.out" && grep -q 'attempt 2: 200' "$work/press.out"

step "cron: a job of each action type, each second"
cd "$repository"
clock=$work/clock
"$work/bin/modulagen" init "$clock"
cp -r "$demo"/clock/{main.go,plugins} "$clock/"
cd "$clock"
go mod tidy
go generate .
go mod tidy
go run . "sqlite:$work/clock.db"

step "evolution: definitions that change under data"
cd "$repository"
notes=$work/notes
"$work/bin/modulagen" init "$notes"
cp "$demo"/notes/before/note.yaml "$notes/datatypes/"
cp "$demo"/notes/before/main.go "$notes/"
cd "$notes"
"$work/bin/modulagen" migrate new note
go mod tidy
go run .
cp "$demo"/notes/after/note.yaml datatypes/
cp "$demo"/notes/after/main.go .
"$work/bin/modulagen" migrate new memo
go run . | tee notes.out
diff "$demo/notes/expected" notes.out

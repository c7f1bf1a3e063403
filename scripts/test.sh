#!/usr/bin/env bash
# go test ./..., with the race detector for every package of which the tests do
# not link sqlc. Compiling sqlc's tree a second time for the race detector takes
# minutes, and it runs in a program of its own (cmd/modulagen-sqlc), one goroutine
# of ours beside it: the detector would watch their code, not this project's.
set -euo pipefail
cd "$(dirname "$0")/.."

linking=$(go list -test -f '{{if .ForTest}}{{.ForTest}} {{join .Deps " "}}{{end}}' ./... |
  awk '/github.com\/sqlc-dev\/sqlc\// {print $1}' | sort -u)
all=$(go list ./...)

# Nor is there anything for it to watch in tests of one goroutine, which it makes fourteen times
# as slow. They are built apart, with those that link sqlc.
sequential=$(grep -E '/(runtime/queue/internal/queuemodel|gen/jsonschema|internal/evolution)$' <<<"$all")
plain=$(sort -u <<<"$linking"$'\n'"$sequential" | sed '/^$/d')
raced=$(comm -23 <(sort <<<"$all") <(sort <<<"$plain"))

# Every other package is built with the detector, but for SQLite's translated C, which takes
# three times as long with it. It works on memory of its own, which the detector does not watch, and
# has no generic function: a package that has, such as one of sync.Map, could bring the one copy that
# the linker keeps, and the detector would see no synchronization in it. Nor are its library's
# pointers checked, all of which are arithmetic.
race=(-race -gcflags=modernc.org/sqlite/lib=-race=false
  -gcflags=modernc.org/libc=-d=checkptr=0 -gcflags=modernc.org/memory=-d=checkptr=0)

# Leases of seconds are tested, and two packages that fill both processors make each
# other late: what has leases and deadlines runs one package at a time, but for those
# whose tests wait for half a minute before they fail, and the suites of the store, which
# have no leases.
patient='/runtime/(catalogue|cron|mail|publish|retain|store|webhook)(/|$)'
timed=$(grep -E '/(runtime|internal/chaos|internal/netfault)(/|$)' <<<"$raced" | grep -vE "$patient")
others=$(comm -23 <(sort <<<"$raced") <(sort <<<"$timed"))

# One package's tests at a time: the next one is compiled and linked meanwhile, and waits
# for its turn. Most of what these tests do is to wait: four at a time, on two processors.
alone=(-p 1)
if command -v flock >/dev/null; then
  turn=$(mktemp)
  trap 'rm -f "$turn"' EXIT
  alone=(-p 2 -exec "flock -o $turn")
fi

# shellcheck disable=SC2086 # lists of packages
{
  # What the tests are linked with, on all processors.
  tested=$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' $raced)
  go build "${race[@]}" $(go list -test -deps -f '{{if and .GoFiles (not .ForTest) (ne .Name "main")}}{{.ImportPath}}{{end}}' $tested)
  # Every group runs, so that all failures are seen. Beside tests with leases the last one saves nothing,
  # even at the lowest priority: the processors are what is short.
  failed=
  # A package may take longer than Go's ten minutes on a machine that is busy. What go test vets,
  # `make vet` does too.
  settings=(-timeout 20m -vet=off)
  go test "${race[@]}" "${settings[@]}" "${alone[@]}" -parallel 4 "$@" $timed || failed=yes
  # Of two at a time, the tests of stores and migrations often leave the processors idle.
  go test "${race[@]}" "${settings[@]}" -p 3 "$@" $others || failed=yes
  go test "${settings[@]}" "$@" $plain || failed=yes
  # The race detector reserves more memory than this test permits.
  go test "$@" -run TestSurvives ./runtime/cron/lua || failed=yes
  [ -z "$failed" ]
}

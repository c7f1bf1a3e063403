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
raced=$(comm -23 <(sort <<<"$all") <(sort <<<"$linking"))

# Leases of seconds are tested, and two packages that fill both processors make each
# other late: what has leases, deadlines and servers runs one package at a time.
timed=$(grep -E '/(runtime|internal/chaos|internal/netfault)(/|$)' <<<"$raced")
others=$(grep -vE '/(runtime|internal/chaos|internal/netfault)(/|$)' <<<"$raced")

# shellcheck disable=SC2086 # lists of packages
{
  go test -race -p 1 "$@" $timed
  go test -race -p 2 "$@" $others
  if [ -n "$linking" ]; then go test "$@" $linking; fi
}

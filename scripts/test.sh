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

# shellcheck disable=SC2086 # lists of packages
{
  # One package at a time: leases of seconds are tested, and two that fill both
  # processors make each other late.
  go test -race -p 1 "$@" $raced
  if [ -n "$linking" ]; then go test "$@" $linking; fi
}

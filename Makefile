# `make` explains itself; every target works on a fresh clone with Go alone.
# `make test` and `make bench` bring their own PostgreSQL and MariaDB
# (scripts/services.sh).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
GO ?= go

SUITE ?=
FORMAT ?= table
# Packages that end up in a user's program: these are built for other machines.
RUNTIME = ./runtime/... ./generated/...
# Definitions of tests, generated beside them.
TESTED = internal/chaos runtime/queue/internal/faults/today runtime/queue/internal/faults/tomorrow runtime/queue/internal/errands/today runtime/queue/internal/errands/tomorrow runtime/event/internal/shop runtime/webhook/internal/press runtime/mail/internal/post runtime/cron/internal/clockwork runtime/cron/internal/declared/today runtime/cron/internal/declared/tomorrow
# Examples that are generated beside their definitions.
EXAMPLES = examples/cache examples/cron examples/links examples/signup examples/webhooks
# Those of benchmarks, which are a module of their own.
BENCHED = bench/queue bench/store bench/event bench/webhook bench/mail bench/cron
# This module's sources; the demo's project is a module of its own.
SOURCES = $$(git ls-files --cached --others --exclude-standard '*.go' | grep -v -e '\.gen\.go$$' -e '^bench/store/ent/')

.PHONY: help
help: ## this list
	@echo "modulagen: YAML definitions become typed Go on SQLite, PostgreSQL and MySQL"
	@echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: build
build: ## bin/modulagen
	$(GO) build -o bin/modulagen ./cmd/modulagen

.PHONY: demo
demo: ## the main job on real files: init, generate, build, run, check every figure (KEEP=1 keeps the project)
	examples/demo/run.sh

.PHONY: test
test: vet format lint libc stale unit build-bench cross ## everything that has to hold, on all three databases

.PHONY: unit
unit: ## go test, with the race detector, PostgreSQL, MariaDB, Redis, Postfix and OpenSMTPD
	scripts/services.sh --redis --pgbouncer --mail scripts/test.sh

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: lint
lint: ## staticcheck
	$(GO) tool staticcheck ./...

.PHONY: format
format: ## gofumpt; fails with a list of the files that are not formatted
	@wrong="$$($(GO) tool gofumpt -l $(SOURCES))"; \
	if [ -n "$$wrong" ]; then echo "not formatted (go tool gofumpt -w):"; echo "$$wrong"; exit 1; fi

.PHONY: libc
libc: ## modernc.org/libc is the version that modernc.org/sqlite asks for
	scripts/check-libc.sh

.PHONY: generate
generate: ## make generated/ again from datatypes/, what tests are generated, and the analyses that are kept with the module
	$(GO) run ./internal/kept
	$(GO) run ./cmd/modulagen generate
	for dir in $(EXAMPLES); do (cd $$dir && $(GO) run ../../cmd/modulagen generate); done
	for dir in $(TESTED); do (cd $$dir && $(GO) run github.com/hegner123/modulagen/cmd/modulagen generate); done
	for dir in $(BENCHED); do $(GO) run ./cmd/modulagen generate -C $$dir; done

.PHONY: stale
stale: ## generated/ is what its definitions say, and the kept analyses are what sqlc says
	$(GO) run ./internal/kept -check
	$(GO) run ./cmd/modulagen generate --check
	for dir in $(EXAMPLES); do (cd $$dir && $(GO) run ../../cmd/modulagen generate --check); done
	for dir in $(TESTED); do (cd $$dir && $(GO) run github.com/hegner123/modulagen/cmd/modulagen generate --check); done
	for dir in $(BENCHED); do $(GO) run ./cmd/modulagen generate --check -C $$dir; done

.PHONY: chaos
chaos: ## processes, connections and servers are killed while jobs flow, and the tables prove: CHAOS_SECONDS=120, CHAOS_SEED, CHAOS_DATABASE=all, CHAOS_PART=all
	$(GO) build -o bin/chaos ./internal/chaos
	$(if $(filter sqlite,$(CHAOS_DATABASE)),,scripts/services.sh --keep) bin/chaos

.PHONY: mutants
mutants: ## lines are broken one at a time; which does a test notice? MUTANTS_AREA=queue, MUTANTS_NAME=regexp, MUTANTS_VERBOSE=1
	$(GO) build -o bin/mutants ./internal/mutants
	needs="$$(bin/mutants -needs)"; \
	if [ -n "$$needs" ]; then scripts/services.sh --keep --redis --pgbouncer bin/mutants; else bin/mutants; fi

.PHONY: build-bench
build-bench: ## the benchmarks compile, and their harness is right
	cd bench && CGO_ENABLED=0 $(GO) vet ./... && CGO_ENABLED=0 $(GO) test ./...

.PHONY: cross
cross: ## what users ship builds for other machines, and so does the command
	scripts/cross.sh $(RUNTIME)

.PHONY: bench
bench: ## figures beside peers: SUITE=store|queue|cache|event|webhook|mail|cron|migrate|generate, FORMAT=json, BENCH_QUICK=1, BENCH_LONG=5
	cd bench && CGO_ENABLED=0 $(GO) build -o ../bin/bench .
	cd bench && for suite in $(or $(SUITE),store queue cache event webhook mail cron migrate generate); do \
		services="$(if $(BENCH_DURABLE),--durable)"; [ $$suite != queue ] || services="--durable --redis"; [ $$suite != cache -a $$suite != cron ] || services="$$services --redis"; \
		../scripts/services.sh $$services ../bin/bench -suite "$$suite" -format '$(FORMAT)'; \
	done

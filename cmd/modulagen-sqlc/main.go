// Command modulagen-sqlc analyses SQL for modulagen, which builds it when a
// query must be analysed of which no analysis is kept. It holds what takes
// minutes to compile: sqlc with its three parsers, and SQLite's engine. A person
// has no use for it alone.
//
//	modulagen-sqlc PROTOCOL sqlc ARGUMENTS   runs sqlc
//	modulagen-sqlc PROTOCOL prepare          prepares statements on SQLite
//	modulagen-sqlc PROTOCOL rehearse         runs queries on SQLite
//
// The last two read a question in JSON and write the answer, as package
// gen/sqlc/protocol has it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hegner123/modulagen/gen/sqlc/child"
	"github.com/hegner123/modulagen/gen/sqlc/engine"
	"github.com/hegner123/modulagen/gen/sqlc/protocol"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "modulagen-sqlc: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("this is a part of modulagen, which runs it by itself")
	}
	if args[0] != protocol.Version {
		return fmt.Errorf("this program has version %s of the protocol, and modulagen asked for %s: build both from the same version of github.com/hegner123/modulagen", protocol.Version, args[0])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch args[1] {
	case protocol.SQLC:
		stop() // sqlc handles no signals
		os.Exit(child.Run(args[2:]))
	case protocol.Prepare:
		return answer(ctx, engine.Prepare)
	case protocol.Rehearse:
		return answer(ctx, engine.Rehearse)
	}
	return fmt.Errorf("unknown mode %q", args[1])
}

// answer reads a question, and writes what it is answered.
func answer[Q, A any](ctx context.Context, ask func(context.Context, Q) (A, error)) error {
	var question Q
	if err := json.NewDecoder(os.Stdin).Decode(&question); err != nil {
		return fmt.Errorf("the question: %w", err)
	}
	a, err := ask(ctx, question)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

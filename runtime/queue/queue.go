package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Job is what a handler gets: the row as claimed, and its payload, decoded.
type Job[R, P any] struct {
	Row     *R
	Payload P
	Attempt int // 1 for the first
}

// Handler runs one claimed row. The row is done when it returns nil, is tried
// again later when it returns an error, and is dead when the error was made by
// Discard or the attempts are used up.
type Handler[R any] func(ctx context.Context, row *R) error

// Spec is what generated code says of a queue: its statements, and how to read
// what the worker needs from a row.
type Spec[R any] struct {
	Name string // the datatype's

	// The statements, whose arguments are the arg constants below. Take is of
	// MySQL alone, where Claim finds the row and Take takes it.
	Claim, Take, Beat, Complete, Retry, Release, Bury, Sweep, Get store.Statement

	// ErrorMax is how many characters the column of the last error holds.
	ErrorMax int

	Fields  func(row *R, buf []any) []any // one field for each column, the id first
	Claimed func(row *R) Claimed
}

// Claimed is what the worker reads from a row that it has claimed.
type Claimed struct {
	ID          any // int64 or string
	Epoch       int64
	Attempt     int64
	MaxAttempts int64
}

// Arguments of a queue's statements, by index. The generator's dialects write
// the same order.
const (
	argID = iota
	argEpoch
	argSpan  // lease or delay, in microseconds
	argNow   // for a database without a clock of its own
	argUntil // now plus the span
	argError
	argCount
)

// ErrLeaseLost is the cause with which a handler's context ends when another
// worker may have taken over, and the result of a handler that came too late.
var ErrLeaseLost = errors.New("queue: the lease was lost")

// ErrStopping is the cause with which a handler's context ends when its worker
// stops and the time to finish is over.
var ErrStopping = errors.New("queue: the worker is stopping")

// errDiscard marks what Discard made.
var errDiscard = errors.New("discarded")

// Discard tells the worker not to try again: the row is dead at once, with err
// as its error. A nil err stays nil.
func Discard(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errDiscard, err)
}

// UnknownKind is the error of a row whose kind this program does not know.
func UnknownKind(kind string) error {
	return Discard(fmt.Errorf("queue: unknown kind %q: this program has no handler for it", kind))
}

// Handle decodes a row's payload and calls a handler of one kind. Generated
// code calls it; a payload that does not decode is discarded.
func Handle[R, P any](ctx context.Context, row *R, attempt int64, payload []byte, handler func(context.Context, *Job[R, P]) error) error {
	job := &Job[R, P]{Row: row, Attempt: int(attempt)}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&job.Payload); err != nil {
		return Discard(fmt.Errorf("queue: decode payload: %w", err))
	}
	return handler(ctx, job)
}

// Encode makes a payload of a kind, and refuses one that breaks the kind's
// rules with a *store.ValidationError. Generated code calls it.
func Encode[P any](kind string, payload P, rules []check.Member) (store.JSON, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("queue: encode payload of %s: %w", kind, err)
	}
	r := check.Rules{Kind: check.JSON, Required: true, Fields: rules}
	var wrong []store.Violation
	for _, f := range r.Check(text) {
		wrong = append(wrong, store.Violation{Field: "payload", Rule: f.Rule, Message: f.Message})
	}
	if len(wrong) > 0 {
		return nil, &store.ValidationError{Datatype: kind, Violations: wrong}
	}
	return text, nil
}

// errGoexit is the result of a handler that ended its goroutine, as a test's
// FailNow does.
var errGoexit = errors.New("queue: the handler ended its goroutine without returning (runtime.Goexit)")

// call runs a handler and turns a panic into an error that carries the stack.
// The handler has a goroutine of its own, so that ending it ends no worker.
func call[R any](ctx context.Context, h Handler[R], row *R) error {
	result := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("queue: handler panicked: %v\n%s", p, debug.Stack())
			}
			result <- err
		}()
		err = h(ctx, row)
	}()
	return <-result
}

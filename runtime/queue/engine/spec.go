package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec describes a queue whose rows are R: its statements, how its jobs run, and how
// to read what a worker needs from a row. Generated code has one for each queue.
type Spec[R any] struct {
	Name       string // of the datatype
	Statements Statements
	States     States
	Order      []OrderColumn     // of claims; the id comes last
	Policies   map[string]Policy // by kind; under "" without kinds
	Queues     []Name            // the named queues; empty: a single one without a name
	Retention  []Retention
	ErrorMax   int  // characters that the column of the last error can hold
	Versioned  bool // payloads have versions

	Fields  func(row any, buf []any) []any // one field for each column, the id first
	Claimed func(row *R) Claimed

	Rows *core.Spec // with the effects of the queue's own changes to rows; nil: they have none
}

// Statements are the statements of a queue. The generator writes them; those that a
// queue does not need are empty.
type Statements struct {
	Get, Claim, Take, Read, Skipped, Lock, Heartbeat, Complete, Finish, Retry, Snooze, Release, DeadLetter, CancelRunning, Report,
	BeginOnce, SetUnknown,
	Running, Expire, Promote, SetHold, NextDue, UnknownKind, Park, Unpark, Cancel, RetryEnded, DeleteEnded,
	Paused, SetPaused, AddLimit, LockLimit, SetLimit, PruneLimits, DeleteLimits,
	LimitRunning, HoldLimited, ReleaseLimited, NextLimited, KeyHolder, ReleaseKey, Priority core.Statement
}

// States are the values of the state column. Cancelled is empty where the column has
// no value for it; a cancelled row is dead then. Unknown is empty in a queue that has no
// such rows.
type States struct{ Ready, Running, Done, Dead, Cancelled, Unknown string }

func (s States) ended(state string) bool { return state != s.Ready && state != s.Running }

// unknown reports whether a row may have done its work, and waits for a person.
func (s States) unknown(state string) bool { return s.Unknown != "" && state == s.Unknown }

// OrderColumn is a column that rows are claimed in the order of.
type OrderColumn struct {
	Column int
	Desc   bool
}

// Name is a named queue.
type Name struct {
	Name        string
	Concurrency int // handlers at once in one process; 0: Options.Concurrency
}

// Retention deletes the rows in one state, After they have ended.
type Retention struct {
	After time.Duration
	Prune core.Statement

	// Ended returns the condition of rows that ended before a time, and Rows deletes
	// them. Both are nil where deleting rows has no effects; Prune deletes them then.
	Ended func(by time.Time) core.AnyCond
	Rows  *core.Spec
}

// Claimed is what the worker reads from a row.
type Claimed struct {
	ID          any // int64 or string
	Epoch       int64
	State       string
	Attempt     int64
	MaxAttempts int64
	Kind        string
	Job         string // its name in the log; set by Naming
	Queue       string
	Limit       string
	Trace       string
	Errors      json.RawMessage
	Unique      string    // the key; empty without one
	UniqueUntil time.Time // zero without one
}

// shape is a Spec without its row type, so that the engine is compiled once and not
// once for each datatype.
type shape struct {
	name      string
	st        *Statements
	states    States
	order     []OrderColumn
	policies  map[string]Policy
	queues    []Name
	retention []Retention
	errorMax  int
	versioned bool // payloads have versions
	rows      *core.Spec

	// read runs a statement that returns rows, and returns them as *R.
	read    func(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]any, error)
	fields  func(row any) []any
	claimed func(row any) Claimed
}

func (s *Spec[R]) untyped() *shape {
	return &shape{
		name: s.Name, st: &s.Statements, states: s.States, order: s.Order, policies: s.Policies,
		queues: s.Queues, retention: s.Retention, rows: s.Rows, errorMax: s.ErrorMax, versioned: s.Versioned,
		read: func(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]any, error) {
			rows, err := core.Many(ctx, c, st, args, func(row *R) []any { return s.Fields(row, nil) })
			if err != nil {
				return nil, err
			}
			out := make([]any, len(rows))
			for i, row := range rows { // copies: a pointer into rows keeps all of them, which may be large
				out[i] = &row
			}
			return out, nil
		},
		fields:  func(row any) []any { return s.Fields(row, nil) },
		claimed: func(row any) Claimed { return s.Claimed(row.(*R)) },
	}
}

// arguments returns the values that a queue's statements take their arguments from.
// A database that has a clock is passed the time only of a test's clock.
func arguments(db *core.DB, span time.Duration) []any {
	args := make([]any, protocol.ArgCount)
	now := db.Clock()
	if db.LocalClock() {
		args[protocol.ArgNow] = now
	}
	args[protocol.ArgSpan] = span.Microseconds()
	args[protocol.ArgUntil] = now.Add(span)
	args[protocol.ArgHold] = ""
	args[protocol.ArgClaimant] = claimant
	return args
}

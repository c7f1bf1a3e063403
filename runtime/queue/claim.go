package queue

import (
	"context"

	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Claim is a handler's claim on its row. Its methods are safe for concurrent use;
// those of a nil Claim do nothing.
type Claim handle.Claim

func (c *Claim) state() *handle.Claim { return (*handle.Claim)(c) }

// Current returns the claim of the handler that was called with ctx, or nil
// outside a handler.
func Current(ctx context.Context) *Claim { return (*Claim)(handle.Current(ctx)) }

// Tx is a generated transaction.
type Tx interface{ Conn() *core.Conn }

// CompleteTx completes the job within a transaction of the handler's: what the
// handler writes there and the job's completion take effect together, or not at
// all. It returns ErrLeaseLost when another worker has the job; return that error
// from the function of the transaction. The handler returns nil after the commit.
// If the transaction does not commit, the job is retried, whatever the handler
// returns.
func (c *Claim) CompleteTx(ctx context.Context, tx Tx) error {
	if c == nil {
		return nil
	}
	return c.state().CompleteIn(ctx, tx.Conn())
}

// BeginOnce records on the rows of claims, in one statement, that what follows must not
// happen twice, and renews their leases. It reports which of them this process still has:
// the handler of one whose lease was lost, or that was cancelled, must not go on. After an
// error, none may.
//
// From then on, until the claim ends, the job is not run again unless its handler asks for
// that. If the worker is lost, or the handler panics, runs past its timeout and grace, or
// returns no more than its context's error, the job is unknown and waits for a person. All
// other results mean what they always do: the handler knows.
//
// The claims are of handlers that have not returned, of one datatype and one Run; at most
// 1,000. The queue's states have an option for unknown; without one, BeginOnce returns an
// error. Call it outside of transactions: it has a connection of its own, and would wait for
// them. The claims of tests that call a handler themselves are nil, and count as held.
func BeginOnce(ctx context.Context, claims ...*Claim) ([]bool, error) {
	states := make([]*handle.Claim, len(claims))
	for i, c := range claims {
		states[i] = c.state()
	}
	return handle.Begin(ctx, states)
}

// BeginOnce is the function BeginOnce for one claim. It returns ErrLeaseLost if the claim is
// no longer this process's.
func (c *Claim) BeginOnce(ctx context.Context) error {
	ours, err := BeginOnce(ctx, c)
	if err != nil {
		return err
	}
	if !ours[0] {
		return ErrLeaseLost
	}
	return nil
}

// Result sets the job's result to v, as JSON of at most 1 MiB. It is written when
// the job is done. A later call replaces it.
func (c *Claim) Result(v any) error { return c.state().SetResult(v) }

// Progress reports how far the handler has come, from 0 to 1, with a line of text.
// It does not wait for the database: the row shows the latest report within a
// quarter of a second.
func (c *Claim) Progress(fraction float64, note string) {
	if c != nil {
		c.state().SetProgress(fraction, note)
	}
}

// ID returns the row's id: an int64, or a string where ids are ULIDs. It returns
// nil for a nil Claim.
func (c *Claim) ID() any {
	if c == nil {
		return nil
	}
	return c.state().Job.ID
}

// Kind returns the job's kind; empty in a queue without kinds, and for a nil Claim.
func (c *Claim) Kind() string {
	if c == nil {
		return ""
	}
	return c.state().Job.Kind
}

// Queue returns the datatype's name, followed by a slash and the name of the named
// queue if the job is in one. It returns "" for a nil Claim.
func (c *Claim) Queue() string {
	if c == nil {
		return ""
	}
	return c.state().Job.Queue
}

// Attempt returns the number of this attempt, 1 for the first; 0 for a nil Claim.
func (c *Claim) Attempt() int {
	if c == nil {
		return 0
	}
	return c.state().Job.Attempt
}

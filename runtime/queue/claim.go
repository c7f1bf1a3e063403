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

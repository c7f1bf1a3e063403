// Package handle has what a handler has said of its job, for the engine to read.
package handle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/hegner123/modulagen/runtime/internal/columntext"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Job is what a handler can ask about its job.
type Job struct {
	ID      any    // an int64, or a string where ids are ULIDs
	Kind    string // empty in a queue without kinds
	Queue   string // the datatype's name, and after a slash that of the named queue
	Attempt int    // 1 for the first
}

// Completer completes a job within a transaction of its handler's. result is nil
// where the handler has set none.
type Completer func(ctx context.Context, conn *core.Conn, result json.RawMessage) error

// Beginner records on the rows of claims of its own that what follows must not happen
// twice, and reports which of them it still has.
type Beginner interface {
	Begin(ctx context.Context, claims []*Claim) (ours []bool, err error)
}

// Claim is a handler's claim on its job. Its methods are safe for concurrent use.
type Claim struct {
	Job      Job
	Beginner Beginner // the same for all claims of a worker
	Key      any      // what Beginner knows the claim by
	complete Completer

	mu        sync.Mutex
	result    json.RawMessage
	progress  float64
	note      string
	reported  int  // how often progress and note were set
	written   int  // which of these is written
	inTx      bool // CompleteIn was called
	committed bool // and its transaction has committed
}

// New returns a claim on a job, which complete completes.
func New(job Job, complete Completer) *Claim { return &Claim{Job: job, complete: complete} }

// Begin has the beginner of claims record them. Those that are nil count as held.
func Begin(ctx context.Context, claims []*Claim) ([]bool, error) {
	held := make([]bool, len(claims))
	var by Beginner
	var list []*Claim
	for i, c := range claims {
		switch {
		case c == nil:
			held[i] = true
			continue
		case by != nil && by != c.Beginner:
			return nil, fmt.Errorf("queue: BeginOnce: jobs of %s and of %s together: they are of two datatypes or of two calls of Run, so call it once for each", list[0].Job.Queue, c.Job.Queue)
		}
		by, list = c.Beginner, append(list, c)
	}
	if by == nil {
		return held, nil
	}
	ours, err := by.Begin(ctx, list)
	if err != nil {
		return nil, err
	}
	for i, c := range claims {
		if c != nil {
			held[i], ours = ours[0], ours[1:]
		}
	}
	return held, nil
}

type key struct{}

// With returns the context of a handler.
func With(ctx context.Context, s *Claim) context.Context { return context.WithValue(ctx, key{}, s) }

// Current returns the claim of the handler that was called with ctx, or nil.
func Current(ctx context.Context) *Claim {
	s, _ := ctx.Value(key{}).(*Claim)
	return s
}

// CompleteIn completes the job within a transaction.
func (s *Claim) CompleteIn(ctx context.Context, conn *core.Conn) error {
	s.mu.Lock()
	s.inTx, s.committed = true, false
	result := s.result
	s.mu.Unlock()
	if err := s.complete(ctx, conn, result); err != nil {
		return err
	}
	conn.AfterCommit(func() {
		s.mu.Lock()
		s.committed = true
		s.mu.Unlock()
	})
	return nil
}

// maxResult is how many bytes of a result are kept.
const maxResult = 1 << 20

// resultRules reject JSON that not every database accepts.
var resultRules = check.Rules{Kind: check.JSON}

// SetResult sets the result to v, as JSON. It checks v for a nil Claim too.
func (s *Claim) SetResult(v any) error {
	text, err := core.StoredJSON(v)
	if err != nil {
		return fmt.Errorf("queue: result: %w", err)
	}
	if len(text) > maxResult {
		return fmt.Errorf("queue: result: %d bytes of JSON; at most %d are kept", len(text), maxResult)
	}
	if wrong := resultRules.Check(json.RawMessage(text)); len(wrong) > 0 {
		return fmt.Errorf("queue: result: %s", wrong[0].Message)
	}
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result = text
	return nil
}

// maxNote is how many characters of a note are kept.
const maxNote = 255

// SetProgress sets how far the handler has come.
func (s *Claim) SetProgress(fraction float64, note string) {
	if math.IsNaN(fraction) {
		fraction = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reported++
	s.progress, s.note = min(max(fraction, 0), 1), columntext.Cut(columntext.Storable(note), maxNote)
}

// Report is the progress of a handler.
type Report struct {
	Progress core.Number
	Note     string
	number   int
}

// Report returns progress that is not written yet, if there is any. It stays unwritten until
// Wrote is called with it: several goroutines may write the same report, and none leaves that to
// another one that is about to.
func (s *Claim) Report() (Report, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	progress := core.Number{Unscaled: int64(math.Round(s.progress * 1e4)), Scale: 4}
	return Report{progress, s.note, s.reported}, s.reported > s.written
}

// Wrote records that a report is written.
func (s *Claim) Wrote(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = max(s.written, r.number)
}

// Completed reports whether CompleteIn was called, and whether its transaction has
// committed.
func (s *Claim) Completed() (done, inTx bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.committed, s.inTx
}

// ErrNotCommitted is the failure of a handler that returned nil although the
// transaction of CompleteTx did not commit.
var ErrNotCommitted = errors.New("queue: CompleteTx was called, but its transaction did not commit")

// End returns what a handler that returned err has left: its result, whether the job
// is completed already, and why it failed.
func (s *Claim) End(err error) (json.RawMessage, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inTx && !s.committed && err == nil {
		err = ErrNotCommitted
	}
	return s.result, s.committed, err
}

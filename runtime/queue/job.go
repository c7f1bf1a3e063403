package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/hegner123/modulagen/runtime/queue/internal/peek"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Job is the argument of a handler: the row as claimed, and its decoded payload.
type Job[R, P any] struct {
	Row     *R
	Payload P
	Attempt int // 1 for the first

	*Claim // nil when no worker runs the handler, as in a test that calls it
}

// Handler runs one claimed row. The row is done when Handler returns nil. Discard,
// Cancel, Snooze and RetryAfter return errors with other outcomes. After any other
// error the row is retried, or dead when it has no attempts left.
type Handler[R any] func(ctx context.Context, row *R) error

// Claim is a handler's claim on its row. Its methods are safe for concurrent use;
// those of a nil Claim do nothing.
type Claim struct {
	claim     *claim
	shape     *shape    // of its queue
	completer completer // the settler of its worker

	mu        sync.Mutex
	result    json.RawMessage
	progress  float64
	note      string
	reported  bool // progress and note are not written yet
	inTx      bool // CompleteTx was called
	committed bool // and its transaction has committed
}

// completer completes a job within a transaction of its handler's.
type completer interface {
	completeIn(ctx context.Context, conn *core.Conn, c *claim, result json.RawMessage) error
}

type claimKey struct{}

// Current returns the claim of the handler that was called with ctx, or nil
// outside a handler.
func Current(ctx context.Context) *Claim {
	c, _ := ctx.Value(claimKey{}).(*Claim)
	return c
}

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
	c.mu.Lock()
	c.inTx, c.committed = true, false
	result := c.result
	c.mu.Unlock()
	if err := c.completer.completeIn(ctx, tx.Conn(), c.claim, result); err != nil {
		return err
	}
	tx.Conn().AfterCommit(func() {
		c.mu.Lock()
		c.committed = true
		c.mu.Unlock()
	})
	return nil
}

// maxResult is how many bytes of a result are kept.
const maxResult = 1 << 20

// resultRules reject JSON that not every database accepts.
var resultRules = check.Rules{Kind: check.JSON}

// Result sets the job's result to v, as JSON of at most 1 MiB. It is written when
// the job is done. A later call replaces it.
func (c *Claim) Result(v any) error {
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
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result = text
	return nil
}

// maxNote is how many characters of a note are kept.
const maxNote = 255

// Progress reports how far the handler has come, from 0 to 1, with a line of text.
// It does not wait for the database: the row shows the latest report within a
// quarter of a second.
func (c *Claim) Progress(fraction float64, note string) {
	if c == nil {
		return
	}
	if math.IsNaN(fraction) {
		fraction = 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reported, c.progress, c.note = true, min(max(fraction, 0), 1), fit(clean(note), maxNote)
}

// report returns progress that is not written yet; reportAgain marks it as unwritten
// again.
func (c *Claim) report() (progress core.Number, note string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ok, c.reported = c.reported, false
	return core.Number{Unscaled: int64(math.Round(c.progress * 1e4)), Scale: 4}, c.note, ok
}

func (c *Claim) reportAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reported = true
}

// state returns whether CompleteTx was called, and whether its transaction has
// committed.
func (c *Claim) state() (done, inTx bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed, c.inTx
}

// ID returns the row's id: an int64, or a string where ids are ULIDs. It returns
// nil for a nil Claim.
func (c *Claim) ID() any {
	if c == nil {
		return nil
	}
	return c.claim.ID
}

// Kind returns the job's kind; empty in a queue without kinds, and for a nil Claim.
func (c *Claim) Kind() string {
	if c == nil {
		return ""
	}
	return c.claim.Kind
}

// Queue returns the datatype's name, followed by a slash and the name of the named
// queue if the job is in one. It returns "" for a nil Claim.
func (c *Claim) Queue() string {
	if c == nil {
		return ""
	}
	if c.claim.Queue == "" {
		return c.shape.name
	}
	return c.shape.name + "/" + c.claim.Queue
}

// Try returns the number of this attempt, 1 for the first; 0 for a nil Claim.
func (c *Claim) Try() int {
	if c == nil {
		return 0
	}
	return int(c.claim.Attempt)
}

// errNotCommitted is the failure of a handler that returned nil although the
// transaction of CompleteTx did not commit.
var errNotCommitted = errors.New("queue: CompleteTx was called, but its transaction did not commit")

// settled returns the result to write, and whether the job is done already.
func (c *Claim) settled(err error) (json.RawMessage, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inTx && !c.committed && err == nil {
		err = errNotCommitted
	}
	return c.result, c.committed, err
}

// Handle decodes a row's payload and calls the handler of its kind. A job whose
// payload does not decode is discarded. Generated code calls it.
func Handle[R, P any](ctx context.Context, row *R, payload []byte, handler func(context.Context, *Job[R, P]) error) error {
	p, err := decode[P](payload)
	if err != nil {
		return err
	}
	return handle(ctx, row, p, handler)
}

// HandleOlder is like Handle for a payload of an earlier version, which upcast
// converts to the current one. Generated code calls it.
func HandleOlder[R, O, P any](ctx context.Context, row *R, payload []byte, upcast func(context.Context, O) (P, error), handler func(context.Context, *Job[R, P]) error) error {
	old, err := decode[O](payload)
	if err != nil {
		return err
	}
	p, err := upcast(ctx, old)
	if err != nil {
		return fmt.Errorf("queue: payload of an earlier version: %w", err)
	}
	return handle(ctx, row, p, handler)
}

func handle[R, P any](ctx context.Context, row *R, payload P, handler func(context.Context, *Job[R, P]) error) error {
	if see := peek.From(ctx); see != nil {
		see(payload)
		return nil
	}
	job := &Job[R, P]{Row: row, Payload: payload, Attempt: 1, Claim: Current(ctx)}
	if job.Claim != nil {
		job.Attempt = int(job.Claim.claim.Attempt)
	}
	return handler(ctx, job)
}

func decode[P any](payload []byte) (P, error) {
	var p P
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, Discard(fmt.Errorf("queue: decode payload: %w", core.JSONFault(err)))
	}
	return p, nil
}

// Encode returns the JSON of a payload. If the payload breaks the rules of its kind,
// the error is a *store.ValidationError. Generated code calls it.
func Encode[P any](kind string, payload P, rules []check.Member) (store.JSON, error) {
	text, err := core.StoredJSON(payload)
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

// clean replaces what a text column of some database cannot hold.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// fit cuts a text to its first characters.
func fit(text string, most int) string {
	left := most
	for i := range text {
		if left == 0 {
			return text[:i]
		}
		left--
	}
	return text
}

package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// How long a delivery waits for an earlier one, which lets it go when it is delivered: longer
// than that one waits itself. Of many that wait for one another the last then asks seldom,
// and not each of them every second.
const (
	waitBehind = time.Second
	mostWait   = 10 * time.Minute // the one in front may be cancelled, which lets none go
	triedWait  = 5 * time.Second  // likewise of one that was tried before, which only its schedule starts
)

// inOrder postpones a delivery while an earlier one of the same row to the same request is
// unfinished. It is no attempt.
func (w *worker) inOrder(ctx context.Context, d *Delivery) error {
	at, err := w.spec.Earlier(ctx, w.db.Conn(), d)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return w.postponed(ctx, d, err)
	}
	most := mostWait
	if queue.Current(ctx).Attempt() > 1 {
		most = triedWait
	}
	return queue.Snooze(min(max(at.Sub(w.db.Clock()), 0)+waitBehind+rand.N(waitBehind), most))
}

// complete ends a delivery whose request is ordered, and lets the next one of the same row go.
func (w *worker) complete(ctx context.Context, d *Delivery) error {
	claim := queue.Current(ctx)
	return w.db.Tx(ctx, func(c *core.Conn) error {
		if err := claim.CompleteTx(ctx, connTx{c}); err != nil {
			return err
		}
		err := w.spec.Wake(ctx, c, d)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, queue.ErrRunning) {
			return nil
		}
		return err
	})
}

// connTx is a transaction, as the queue takes it.
type connTx struct{ c *core.Conn }

func (t connTx) Conn() *core.Conn { return t.c }

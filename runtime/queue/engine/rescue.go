package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// observedLease is a lease as it was read, and since when it has not changed.
type observedLease struct {
	epoch int64
	lease time.Time
	since time.Time // by this process's monotonic clock
}

// isDead reports whether a claim's worker is presumed dead: its lease has not changed
// for the length of a lease, by this process's monotonic clock, whatever wall clocks
// say; or for half of that, and it has also expired by the database's clock. A live
// worker renews a lease three times before it expires.
func isDead(unchanged, lease time.Duration, expired bool) bool {
	return unchanged >= lease || expired && unchanged >= lease/2
}

// rescuer makes rows ready again whose workers died.
type rescuer struct {
	*table
	lease    time.Duration
	claims   *claimSet
	observer *observer
	ended    *announcer

	observed map[any]observedLease // by id, from the last round
}

// rescue looks at all leases, and expires those of workers that are presumed dead. It
// skips the claims of this process, which leaseWatch decides about.
func (r *rescuer) rescue(ctx context.Context) error {
	rows, err := r.allRunning(ctx)
	if err != nil {
		return err
	}
	ours := map[any]int64{}
	for _, c := range r.claims.all() {
		ours[c.ID] = c.Epoch
	}
	seen := make(map[any]observedLease, len(rows))
	var dead []runningRow
	var now time.Time
	for _, row := range rows {
		o := observedLease{row.epoch, row.lease.V, time.Now()}
		if old, ok := r.observed[row.id.V]; ok && old.epoch == o.epoch && old.lease.Equal(o.lease) {
			o.since = old.since
		}
		seen[row.id.V] = o
		age := time.Since(o.since)
		if epoch, own := ours[row.id.V]; own && epoch == row.epoch || age < r.lease/2 {
			continue
		}
		if now.IsZero() {
			if now, err = r.db.Conn().Now(ctx); err != nil {
				return err
			}
		}
		if isDead(age, r.lease, row.lease.V.Before(now)) {
			dead = append(dead, row)
		}
	}
	r.observed = seen
	return r.expire(ctx, dead)
}

// errGone is recorded on a row whose worker died, errGoneOnce if that was after BeginOnce.
var (
	errGone     = errors.New("the worker that ran this was lost")
	errGoneOnce = errors.New("the worker that ran this was lost after BeginOnce: the job may have done its work, and is not run again before Retry is called")
)

// expire expires claims that have not changed since they were read.
func (r *rescuer) expire(ctx context.Context, dead []runningRow) error {
	if len(dead) == 0 {
		return nil
	}
	var taken []runningRow
	err := r.db.Conn().InTx(ctx, func(c *core.Conn) error {
		free, err := r.unlocked(ctx, c, dead)
		if err != nil {
			return err
		}
		return r.changing(ctx, c, func(c *core.Conn) (ids []any, err error) {
			touched, err := core.ExecEach(ctx, c, &r.shape.st.Expire, len(free), func(i int) []any { return r.expiry(free[i]) })
			taken = taken[:0]
			for i, n := range touched {
				if n > 0 {
					taken, ids = append(taken, free[i]), append(ids, free[i].id.V)
				}
			}
			return ids, err
		})
	})
	if err != nil || len(taken) == 0 {
		return err
	}
	for _, row := range taken {
		delete(r.observed, row.id.V)
		r.report(row)
	}
	r.observer.logger.Warn("took rows from workers that are gone", "queue", r.shape.name, "rows", len(taken))
	r.db.Conn().Announce(r.shape.name)
	r.ended.announce()
	return nil
}

// report reports a row that was taken from its worker.
func (r *rescuer) report(row runningRow) {
	c, verb := Claimed{ID: row.id.V, Attempt: row.attempts}, toRetry
	if row.attempts >= row.maxAttempts {
		verb = toDead
	}
	if row.isUnknown() {
		verb = toUnknown
	}
	end := outcome{verb: verb, err: whyTaken(row)}
	r.observer.emitRow(c, queue.Expired, end)
	if verb == toUnknown {
		r.observer.log(&claim{Claimed: c}).Error(unknownLine, "error", end.err)
		r.observer.emitRow(c, queue.BecameUnknown, end)
	}
}

// whyTaken returns the error of a row whose worker died.
func whyTaken(row runningRow) error {
	if row.isUnknown() {
		return errGoneOnce
	}
	return errGone
}

func (r *rescuer) expiry(row runningRow) []any {
	args := arguments(r.db, 0)
	args[protocol.ArgID], args[protocol.ArgEpoch], args[protocol.ArgLease] = row.id.V, row.epoch, row.lease.V
	text := whyTaken(row).Error()
	args[protocol.ArgError] = text
	args[protocol.ArgErrors] = history(row.errors.V, row.attempts, text, r.db.Clock())
	return args
}

// unlocked leaves out locked rows on MySQL, where the statement would wait for them.
// On PostgreSQL the statement itself skips them.
func (r *rescuer) unlocked(ctx context.Context, c *core.Conn, rows []runningRow) ([]runningRow, error) {
	if !r.shape.st.Lock.Has(c) {
		return rows, nil
	}
	ids := make([]any, len(rows))
	for i, r := range rows {
		ids[i] = r.id.V
	}
	locked, err := r.lockRunning(ctx, c, ids, true)
	if err != nil {
		return nil, err
	}
	ours := make(map[any]bool, len(locked))
	for _, l := range locked {
		ours[l.id.V] = true
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r runningRow) bool { return !ours[r.id.V] }), nil
}

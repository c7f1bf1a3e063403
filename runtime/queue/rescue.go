package queue

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// observedLease is a claim as it was when it was first seen so.
type observedLease struct {
	epoch int64
	lease time.Time
	since time.Time // by this process's monotonic clock
}

// isDead decides whether a claim's worker is gone, by watching: one whose lease
// has not changed for a whole lease is dead, by this process's monotonic clock,
// whatever wall clocks say; one whose lease is over by the database's clock too
// is dead after half of that. A live worker renews three times in a lease.
func isDead(unchanged, lease time.Duration, over bool) bool {
	return unchanged >= lease || over && unchanged >= lease/2
}

// rescue takes claims from processes that are gone. Its own claims it leaves
// alone: whether those are lost, watch decides.
func (e *engine) rescue(ctx context.Context) error {
	rows, err := e.allRunning(ctx)
	if err != nil {
		return err
	}
	ours := map[any]int64{}
	for _, c := range e.tracked() {
		ours[c.ID] = c.Epoch
	}
	seen := make(map[any]observedLease, len(rows))
	var dead []runningRow
	var now time.Time
	for _, r := range rows {
		s := observedLease{r.epoch, r.lease.V, time.Now()}
		if old, ok := e.observed[r.id.v]; ok && old.epoch == s.epoch && old.lease.Equal(s.lease) {
			s.since = old.since
		}
		seen[r.id.v] = s
		age := time.Since(s.since)
		if epoch, own := ours[r.id.v]; own && epoch == r.epoch || age < e.opts.Lease/2 {
			continue
		}
		if now.IsZero() {
			if now, err = moment(ctx, e.db.Conn()); err != nil {
				return err
			}
		}
		if isDead(age, e.opts.Lease, r.lease.V.Before(now)) {
			dead = append(dead, r)
		}
	}
	e.observed = seen
	return e.expire(ctx, dead)
}

// errGone is recorded on a row whose worker died.
var errGone = errors.New("the worker that ran this was lost")

// expire takes claims, each of which must still be as it was seen.
func (e *engine) expire(ctx context.Context, dead []runningRow) error {
	if len(dead) == 0 {
		return nil
	}
	var taken []runningRow
	err := e.db.Conn().InTx(ctx, func(c *store.Conn) error {
		free, err := e.unlocked(ctx, c, dead)
		if err != nil {
			return err
		}
		return e.changing(ctx, c, func(c *store.Conn) (ids []any, err error) {
			touched, err := store.ExecEach(ctx, c, &e.shape.st.Expire, len(free), func(i int) []any { return e.expiry(free[i]) })
			taken = taken[:0]
			for i, n := range touched {
				if n > 0 {
					taken, ids = append(taken, free[i]), append(ids, free[i].id.v)
				}
			}
			return ids, err
		})
	})
	if err != nil || len(taken) == 0 {
		return err
	}
	for _, r := range taken {
		delete(e.observed, r.id.v)
		verb := toRetry
		if r.attempts >= r.maxAttempts {
			verb = toDead
		}
		e.emitRow(Claimed{ID: r.id.v, Attempt: r.attempts}, "", Expired, outcome{verb: verb, err: errGone})
	}
	e.opts.Logger.Warn("took rows from workers that are gone", "queue", e.shape.name, "rows", len(taken))
	e.db.Conn().Announce(e.shape.name)
	e.ended.announce()
	return nil
}

func (e *engine) expiry(r runningRow) []any {
	args := arguments(e.db, 0)
	args[argID], args[argEpoch], args[argLease] = r.id.v, r.epoch, r.lease.V
	args[argError] = errGone.Error()
	args[argErrors] = history(r.errors.V, r.attempts, errGone.Error(), e.db.Clock())
	return args
}

// unlocked leaves out rows that somebody has locked, on MySQL, whose statement
// would wait for them; PostgreSQL's leaves them out itself.
func (e *engine) unlocked(ctx context.Context, c *store.Conn, rows []runningRow) ([]runningRow, error) {
	if c.Dialect() != mysqlDialect {
		return rows, nil
	}
	ids := make([]any, len(rows))
	for i, r := range rows {
		ids[i] = r.id.v
	}
	locked, err := e.lock(ctx, c, ids, true)
	if err != nil {
		return nil, err
	}
	ours := make(map[any]bool, len(locked))
	for _, r := range locked {
		ours[r.id.v] = true
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r runningRow) bool { return !ours[r.id.v] }), nil
}

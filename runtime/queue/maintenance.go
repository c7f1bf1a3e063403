package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// The rounds of maintenance. Each is short, and bounded in what it changes.
const (
	promoteEvery = time.Second      // while there is always something to claim
	kindsEvery   = 5 * time.Second  // rows of other programs
	pauseEvery   = 5 * time.Second  // switches that no one told us of
	limitEvery   = time.Second      // rows under limits
	pruneEvery   = 30 * time.Second // rows that ended
	unusedEvery  = 10 * time.Minute // gates
	pruneRounds  = 20               // batches in one round
)

// keep does what a queue needs besides claims, until ctx ends: it takes claims
// from processes that are gone, and lets rows go that had to wait.
func (e *engine) keep(ctx context.Context) {
	pauses := pauseEvery
	if !e.db.Hears() { // no other process can tell us
		pauses = promoteEvery
	}
	rounds := []struct {
		name  string
		every time.Duration
		do    func(context.Context) error
		when  bool
	}{
		{"rescue", e.opts.Lease / 4, e.rescue, true},
		{"promote", promoteEvery, func(ctx context.Context) error { _, err := e.promote(ctx); return err }, true},
		{"kinds", kindsEvery, e.sortKinds, e.shape.st.Park.Text[0] != ""},
		{"pauses", pauses, func(ctx context.Context) error { return e.readPauses(ctx, e.db.Conn()) }, true},
		{"limits", limitEvery, e.releaseWaiting, e.limited()},
		{"prune limits", unusedEvery, e.pruneLimits, e.limited()},
		{"prune", pruneEvery, e.prune, len(e.shape.retention) > 0},
	}
	next := make([]time.Time, len(rounds))
	for ctx.Err() == nil {
		now := time.Now()
		wait := time.Hour
		for i, r := range rounds {
			if !r.when {
				continue
			}
			if !now.Before(next[i]) {
				if err := r.do(ctx); err != nil && ctx.Err() == nil {
					e.opts.Logger.Error("queue: "+r.name+" failed", "queue", e.shape.name, "error", err)
				}
				next[i] = now.Add(r.every)
			}
			wait = min(wait, time.Until(next[i]))
		}
		sleep(ctx, nil, max(wait, time.Millisecond))
	}
}

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

// sortKinds lets rows be claimed whose kind this program knows, and keeps others
// from being looked at with every claim.
func (e *engine) sortKinds(ctx context.Context) error {
	args := arguments(e.db, 0)
	args[argLimit] = int64(maxSettle)
	n, err := store.Exec(ctx, e.db.Conn(), &e.shape.st.Unpark, args)
	if err != nil {
		return err
	}
	if n > 0 {
		e.db.Conn().Announce(e.shape.name)
	}
	return e.parkUnknown(ctx)
}

// unknownRow is a row that no handler of this program is for.
type unknownRow struct {
	id      anyID
	kind    store.Null[string]
	version int64
}

func (e *engine) parkUnknown(ctx context.Context) error {
	args := arguments(e.db, 0)
	args[argLimit] = int64(maxSettle)
	versions := e.shape.versioned
	rows, err := store.Many(ctx, e.db.Conn(), &e.shape.st.Stranger, args, func(s *unknownRow) []any {
		if versions {
			return []any{&s.id, &s.kind, &s.version}
		}
		return []any{&s.id, &s.kind}
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	_, err = store.ExecEach(ctx, e.db.Conn(), &e.shape.st.Park, len(rows), func(i int) []any {
		args := arguments(e.db, 0)
		args[argID], args[argError] = rows[i].id.v, UnknownKind(rows[i].kind.V).Error()
		if _, known := e.shape.policies[rows[i].kind.V]; known {
			args[argError] = fmt.Sprintf("queue: version %d of kind %q is newer than this program: it waits for one that knows it", rows[i].version, rows[i].kind.V)
		}
		return args
	})
	if err == nil {
		e.opts.Logger.Warn("rows left for other programs", "queue", e.shape.name, "rows", len(rows))
	}
	return err
}

// prune deletes rows that ended long enough ago, in batches.
func (e *engine) prune(ctx context.Context) error {
	for i := range e.shape.retention {
		r := &e.shape.retention[i]
		for range pruneRounds {
			more, err := e.pruneSome(ctx, r)
			if err != nil {
				return err
			}
			if !more {
				break
			}
			sleep(ctx, nil, 5*time.Millisecond) // others write too
		}
	}
	return nil
}

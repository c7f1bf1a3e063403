package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/store"
)

// limiter enforces, over all processes, how many jobs run at once and how many start
// within a time.
type limiter struct {
	*table
	observer *observer
	locals   []*localQueue

	commits atomic.Int64 // how long counts under a rate took to commit, in nanoseconds
	after   string       // the key that releaseWaiting visited last
}

// limits reports whether any kind has a limit over all processes.
func (l *limiter) limits() bool { return l.shape.st.LimitRunning.Text[0] != "" }

// admit returns those of the rows, claimed in the same transaction, that the limits
// allow, and makes the others ready again. A key is locked while its jobs are
// counted, so that two processes cannot both admit the last one. starts says when
// the rows under a rate may start.
func (l *limiter) admit(ctx context.Context, c *core.Conn, rows []any) (admitted []any, starts map[any]start, err error) {
	byKey := map[string][]any{}
	for _, row := range rows {
		if key := l.shape.claimed(row).Limit; key != "" {
			byKey[key] = append(byKey[key], row)
		}
	}
	rejected, starts := map[any]bool{}, map[any]start{}
	for _, key := range sortedKeys(byKey) { // in order, so that two claims cannot deadlock
		if err := l.admitUnder(ctx, c, key, byKey[key], rejected, starts); err != nil {
			return nil, nil, err
		}
	}
	return slices.DeleteFunc(rows, func(row any) bool { return rejected[row] }), starts, nil
}

func sortedKeys(m map[string][]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// admitUnder admits as many of the rows under one key as its limits allow, and
// rejects the rest.
func (l *limiter) admitUnder(ctx context.Context, c *core.Conn, key string, rows []any, rejected map[any]bool, starts map[any]start) error {
	policy := l.shape.policies[l.shape.claimed(rows[0]).Kind]
	window, err := l.lockKey(ctx, c, key)
	if err != nil {
		return err
	}
	used, err := l.runningUnder(ctx, c, key)
	if err != nil {
		return err
	}
	now, s, err := l.nextStart(ctx, c, policy.Rate)
	if err != nil {
		return err
	}
	window.forget(now, policy.Rate)
	room := room(policy, used-len(rows), window)
	n := min(max(room, 0), len(rows))
	for _, row := range rows[n:] {
		rejected[row] = true
	}
	if err := l.reject(ctx, c, key, rows[n:]); err != nil {
		return err
	}
	if policy.Rate.Max > 0 {
		window.add(s.slice, n)
		for _, row := range rows[:n] {
			starts[row] = s
		}
	}
	return l.writeWindow(ctx, c, key, window, now)
}

// writeWindow writes the starts under a key.
func (l *limiter) writeWindow(ctx context.Context, c *core.Conn, key string, w window, now time.Time) error {
	args := limitArguments(key)
	args[protocol.ArgUsed], args[protocol.ArgSeen] = w.String(), now.UnixMicro()
	_, err := core.Exec(ctx, c, &l.shape.st.SetLimit, args)
	return err
}

// limitArguments returns the arguments of a statement on the row of a limit, or of a
// queue that can be paused.
func limitArguments(key string) []any {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgLimitKey] = key
	return args
}

// room returns how many more may start under both limits.
func room(p Policy, running int, w window) int {
	room := 1 << 30
	if p.Concurrency > 0 {
		room = p.Concurrency - running
	}
	if p.Rate.Max > 0 {
		room = min(room, p.Rate.Max-w.sum())
	}
	return room
}

// reject makes rows ready again that exceed a limit, and sets the hold of those that
// wait under the same key, so that claims do not find them again and again.
func (l *limiter) reject(ctx context.Context, c *core.Conn, key string, rows []any) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := core.ExecEach(ctx, c, &l.shape.st.Release, len(rows), func(i int) []any {
		claimed := l.shape.claimed(rows[i])
		args := arguments(l.db, 0)
		args[protocol.ArgID], args[protocol.ArgEpoch], args[protocol.ArgHold] = claimed.ID, claimed.Epoch, protocol.HoldLimit
		return args
	})
	if err != nil {
		return err
	}
	args := arguments(l.db, 0)
	args[protocol.ArgLimitKey], args[protocol.ArgLimit] = key, int64(10*maxSettle)
	args[protocol.ArgHold] = protocol.HoldLimit
	_, err = l.changeSome(ctx, c, &l.shape.st.HoldLimited, &l.shape.st.SetHold, args)
	return err
}

// lockKey locks a key until the transaction ends, and returns its starts.
func (l *limiter) lockKey(ctx context.Context, c *core.Conn, key string) (window, error) {
	for range 3 {
		used, err := core.One(ctx, c, &l.shape.st.LockLimit, limitArguments(key), func(s *string) []any { return []any{s} })
		if err == nil {
			return parseWindow(used), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if _, err := core.Exec(ctx, c, &l.shape.st.AddLimit, limitArguments(key)); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("queue: the limit %q is deleted as often as it is added", key)
}

func (l *limiter) runningUnder(ctx context.Context, c *core.Conn, key string) (int, error) {
	args := arguments(l.db, 0)
	args[protocol.ArgLimitKey] = key
	n, err := core.One(ctx, c, &l.shape.st.LimitRunning, args, func(n *int64) []any { return []any{n} })
	return int(n), err
}

// release makes up to n rows claimable that wait under a key, in the queues that this
// worker claims from.
func (l *limiter) release(ctx context.Context, c *core.Conn, key string, n int) (int64, error) {
	if n <= 0 {
		return 0, nil
	}
	args := arguments(l.db, 0)
	args[protocol.ArgLimitKey], args[protocol.ArgLimit] = key, int64(min(n, maxBatch))
	args[protocol.ArgQueues] = core.ListOf(l.claimedFrom())
	return l.changeSome(ctx, c, &l.shape.st.ReleaseLimited, &l.shape.st.SetHold, args)
}

// claimedFrom lists the named queues that this worker claims from now.
func (l *limiter) claimedFrom() []string {
	names := []string{}
	for _, q := range l.locals {
		if !q.isPaused() {
			names = append(names, q.name)
		}
	}
	return names
}

// releaseAfter releases as many rows as jobs have ended under a limit of concurrency.
func (l *limiter) releaseAfter(ctx context.Context, group []settlement) {
	if !l.limits() {
		return
	}
	ended := map[string]int{}
	for _, s := range group {
		if s.claim.Limit != "" && l.shape.policies[s.claim.Kind].Concurrency > 0 {
			ended[s.claim.Limit]++
		}
	}
	for key, n := range ended {
		released, err := l.release(ctx, l.db.Conn(), key, n)
		if err != nil {
			return // releaseWaiting does it later
		}
		if released > 0 {
			l.db.Conn().Announce(l.shape.name)
		}
	}
}

// maxLimits is how many keys one round visits; the next round continues after them.
const maxLimits = 1000

// releaseWaiting visits the keys under which rows wait, and releases as many as their
// limits allow now. It covers processes that died before they could.
func (l *limiter) releaseWaiting(ctx context.Context) error {
	released := int64(0)
	for range maxLimits {
		args := arguments(l.db, 0)
		args[protocol.ArgLimitKey] = l.after
		next, err := core.Many(ctx, l.db.Conn(), &l.shape.st.NextLimited, args, func(s *store.Null[string]) []any { return []any{s} })
		if err != nil {
			return err
		}
		if len(next) == 0 {
			l.after = ""
			break
		}
		l.after = next[0].V
		n, err := l.releaseUnder(ctx, l.after)
		if err != nil {
			return err
		}
		released += n
	}
	if released > 0 {
		l.db.Conn().Announce(l.shape.name)
	}
	return nil
}

func (l *limiter) releaseUnder(ctx context.Context, key string) (released int64, err error) {
	policy := l.shape.policies[l.shape.kindOf(key)]
	err = l.db.Tx(ctx, func(c *core.Conn) error {
		window, err := l.lockKey(ctx, c, key)
		if err != nil {
			return err
		}
		used, err := l.runningUnder(ctx, c, key)
		if err != nil {
			return err
		}
		now, err := c.Now(ctx)
		if err != nil {
			return err
		}
		window.forget(now, policy.Rate)
		released, err = l.release(ctx, c, key, room(policy, used, window))
		return err
	})
	return released, err
}

// kindOf returns the kind that a key belongs to: "job_queue/import:42".
func (s *shape) kindOf(key string) string {
	rest, ok := strings.CutPrefix(key, s.name+"/")
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(rest, ":")
	return kind
}

// prune deletes keys under which no row was admitted for a day longer than any rate
// looks back. Without it the table would keep a row for each tenant that ever had a
// job.
func (l *limiter) prune(ctx context.Context) error {
	now, err := l.db.Conn().Now(ctx)
	if err != nil {
		return err
	}
	back := 24 * time.Hour
	for _, p := range l.shape.policies {
		back = max(back, 24*time.Hour+p.Rate.Every)
	}
	args := limitArguments("")
	args[protocol.ArgSeen] = now.Add(-back).UnixMicro()
	_, err = l.changeSome(ctx, l.db.Conn(), &l.shape.st.PruneLimits, &l.shape.st.DeleteLimits, args)
	return err
}

package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// The table queue_gates, which the generator adds to a project with queues, has a
// row for each queue that was paused and each thing that a limit counts by. Its
// statements are the same in every project and stand here.
var (
	limitRead = store.Statement{Text: [3]string{
		"SELECT used FROM queue_gates WHERE name = ?",
		"SELECT used FROM queue_gates WHERE name = $1 FOR UPDATE",
		"SELECT used FROM queue_gates WHERE name = ? FOR UPDATE",
	}}
	limitAdd = store.Statement{Text: [3]string{
		"INSERT INTO queue_gates (name, paused, used, seen) VALUES (?, FALSE, '', 0) ON CONFLICT (name) DO NOTHING",
		"INSERT INTO queue_gates (name, paused, used, seen) VALUES ($1, FALSE, '', 0) ON CONFLICT (name) DO NOTHING",
		"INSERT IGNORE INTO queue_gates (name, paused, used, seen) VALUES (?, FALSE, '', 0)",
	}}
	limitWrite = store.Statement{Text: [3]string{
		"UPDATE queue_gates SET used = ?, seen = ? WHERE name = ?",
		"UPDATE queue_gates SET used = $1, seen = $2 WHERE name = $3",
		"UPDATE queue_gates SET used = ?, seen = ? WHERE name = ?",
	}}
	limitPause = store.Statement{Text: [3]string{
		"UPDATE queue_gates SET paused = ? WHERE name = ?",
		"UPDATE queue_gates SET paused = $1 WHERE name = $2",
		"UPDATE queue_gates SET paused = ? WHERE name = ?",
	}}
	// The arguments: the moment, the queue's name, and how the keys of its limits
	// begin, with the length of that.
	limitPrune = store.Statement{Text: [3]string{
		"DELETE FROM queue_gates WHERE id IN (SELECT id FROM queue_gates WHERE paused = FALSE AND seen < ? AND (name = ? OR SUBSTR(name, 1, ?) IN (?, ?)) ORDER BY id LIMIT 1000)",
		"DELETE FROM queue_gates WHERE id = ANY(ARRAY(SELECT id FROM queue_gates WHERE paused = FALSE AND seen < $1 AND (name = $2 OR SUBSTR(name, 1, $3::int) IN ($4, $5)) ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED))",
		"DELETE FROM queue_gates WHERE paused = FALSE AND seen < ? AND (name = ? OR SUBSTR(name, 1, ?) IN (?, ?)) ORDER BY id LIMIT 1000",
	}}
	limitPaused = store.Statement{Text: [3]string{
		"SELECT paused FROM queue_gates WHERE name = ?",
		"SELECT paused FROM queue_gates WHERE name = $1",
		"SELECT paused FROM queue_gates WHERE name = ?",
	}}
)

// limited tells whether any kind has a limit over all processes.
func (e *engine) limited() bool { return e.shape.limited() }

func (s *shape) limited() bool { return s.st.GateUsed.Text[0] != "" }

// claimAdmitted claims rows and gives those back, in the same transaction, that
// are more than a limit allows. A limit is locked while it is counted: no two
// processes both find room for the last one. starts says when the rows under a
// rate may start.
func (e *engine) claimAdmitted(ctx context.Context, c *store.Conn, args []any) (through []any, met int, starts map[any]start, err error) {
	rows, err := e.claimRows(ctx, c, args)
	if err != nil {
		return nil, 0, nil, err
	}
	rows = e.sorted(rows)
	byKey := map[string][]any{}
	for _, row := range rows {
		if key := e.shape.claimed(row).Gate; key != "" {
			byKey[key] = append(byKey[key], row)
		}
	}
	rejected, starts := map[any]bool{}, map[any]start{}
	for _, key := range sortedKeys(byKey) { // in order, so that two claims cannot wait for each other
		if err := e.admit(ctx, c, key, byKey[key], rejected, starts); err != nil {
			return nil, 0, nil, err
		}
	}
	met = len(rows)
	return slices.DeleteFunc(rows, func(row any) bool { return rejected[row] }), met, starts, nil
}

func sortedKeys(m map[string][]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// admit admits as many of the rows under one key as its limits allow, and rejects the rest.
func (e *engine) admit(ctx context.Context, c *store.Conn, key string, rows []any, rejected map[any]bool, starts map[any]start) error {
	policy := e.shape.policies[e.shape.claimed(rows[0]).Kind]
	window, err := e.lockLimit(ctx, c, key)
	if err != nil {
		return err
	}
	used, err := e.runningUnder(ctx, c, key)
	if err != nil {
		return err
	}
	now, s, err := e.nextStart(ctx, c, policy.Rate)
	if err != nil {
		return err
	}
	window.forget(now, policy.Rate)
	room := room(policy, used-len(rows), window)
	n := min(max(room, 0), len(rows))
	for _, row := range rows[n:] {
		rejected[row] = true
	}
	if err := e.reject(ctx, c, key, rows[n:]); err != nil {
		return err
	}
	if policy.Rate.Max > 0 {
		window.add(s.slice, n)
		for _, row := range rows[:n] {
			starts[row] = s
		}
	}
	_, err = store.Exec(ctx, c, &limitWrite, []any{window.String(), now.UnixMicro(), key})
	return err
}

// room is how many more may start: as many as both limits allow.
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

// reject returns rows that are more than a limit allows to the queue, and keeps those that
// wait under it out of sight, so that no claim meets them again and again.
func (e *engine) reject(ctx context.Context, c *store.Conn, key string, rows []any) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := store.ExecEach(ctx, c, &e.shape.st.Release, len(rows), func(i int) []any {
		claimed := e.shape.claimed(rows[i])
		args := arguments(e.db, 0)
		args[argID], args[argEpoch], args[argHold] = claimed.ID, claimed.Epoch, holdLimit
		return args
	})
	if err != nil {
		return err
	}
	args := arguments(e.db, 0)
	args[argLimitKey], args[argLimit] = key, int64(10*maxSettle)
	_, err = store.Exec(ctx, c, &e.shape.st.GateHold, args)
	return err
}

// lockLimit reads what was counted under a key, and locks it until the transaction ends.
func (e *engine) lockLimit(ctx context.Context, c *store.Conn, key string) (window, error) {
	for range 3 {
		used, err := store.One(ctx, c, &limitRead, []any{key}, func(s *string) []any { return []any{s} })
		if err == nil {
			return parseWindow(used), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if _, err := store.Exec(ctx, c, &limitAdd, []any{key}); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("queue: the limit %q is deleted as often as it is added", key)
}

func (e *engine) runningUnder(ctx context.Context, c *store.Conn, key string) (int, error) {
	args := arguments(e.db, 0)
	args[argLimitKey] = key
	n, err := store.One(ctx, c, &e.shape.st.GateUsed, args, func(n *int64) []any { return []any{n} })
	return int(n), err
}

// release makes up to n of the rows claimable that wait under a key.
func (e *engine) release(ctx context.Context, c *store.Conn, key string, n int) (int64, error) {
	if n <= 0 {
		return 0, nil
	}
	args := arguments(e.db, 0)
	args[argLimitKey], args[argLimit] = key, int64(min(n, maxBatch))
	return store.Exec(ctx, c, &e.shape.st.GateOpen, args)
}

// releaseAfter releases as many rows as have ended under a limit of concurrency.
func (e *engine) releaseAfter(ctx context.Context, group []settlement) {
	if !e.limited() {
		return
	}
	ended := map[string]int{}
	for _, s := range group {
		if s.claim.Gate != "" && e.shape.policies[s.claim.Kind].Concurrency > 0 {
			ended[s.claim.Gate]++
		}
	}
	for key, n := range ended {
		released, err := e.release(ctx, e.db.Conn(), key, n)
		if err != nil {
			return // releaseWaiting does it later
		}
		if released > 0 {
			e.db.Conn().Announce(e.shape.name)
		}
	}
}

// maxLimits is how many keys one round visits; the next round continues after them.
const maxLimits = 1000

// releaseWaiting visits the keys under which rows wait, and releases as many as their
// limits now allow. It makes up for processes that ended before they could.
func (e *engine) releaseWaiting(ctx context.Context) error {
	released := int64(0)
	for range maxLimits {
		args := arguments(e.db, 0)
		args[argLimitKey] = e.limitAfter
		next, err := store.Many(ctx, e.db.Conn(), &e.shape.st.GateNext, args, func(s *store.Null[string]) []any { return []any{s} })
		if err != nil {
			return err
		}
		if len(next) == 0 {
			e.limitAfter = ""
			break
		}
		e.limitAfter = next[0].V
		n, err := e.releaseUnder(ctx, e.limitAfter)
		if err != nil {
			return err
		}
		released += n
	}
	if released > 0 {
		e.db.Conn().Announce(e.shape.name)
	}
	return nil
}

func (e *engine) releaseUnder(ctx context.Context, key string) (released int64, err error) {
	policy := e.shape.policies[e.kindOf(key)]
	err = e.db.Tx(ctx, func(c *store.Conn) error {
		window, err := e.lockLimit(ctx, c, key)
		if err != nil {
			return err
		}
		used, err := e.runningUnder(ctx, c, key)
		if err != nil {
			return err
		}
		now, err := moment(ctx, c)
		if err != nil {
			return err
		}
		window.forget(now, policy.Rate)
		released, err = e.release(ctx, c, key, room(policy, used, window))
		return err
	})
	return released, err
}

// kindOf returns the kind that a key belongs to: "job_queue/import:42".
func (e *engine) kindOf(key string) string {
	rest, ok := strings.CutPrefix(key, e.shape.name+"/")
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(rest, ":")
	return kind
}

// pruneLimits deletes keys under which no row was admitted for a day more than any rate
// looks back: there is one for each tenant that ever had a job.
func (e *engine) pruneLimits(ctx context.Context) error {
	now, err := moment(ctx, e.db.Conn())
	if err != nil {
		return err
	}
	back := 24 * time.Hour
	for _, p := range e.shape.policies {
		back = max(back, 24*time.Hour+p.Rate.Every)
	}
	name := e.shape.name
	_, err = store.Exec(ctx, e.db.Conn(), &limitPrune, []any{now.Add(-back).UnixMicro(), name, int64(len(name) + 1), name + "/", name + ":"})
	return err
}

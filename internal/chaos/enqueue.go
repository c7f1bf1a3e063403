//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/internal/chaos/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

const (
	maxBatch    = 20   // jobs of one transaction
	maxBacklog  = 4000 // jobs that wait, before enqueuers do
	maxTasks    = 60   // jobs under limits that wait, before no more are added
	looksEvery  = 8    // transactions between looks at how far all of them are
	rolledBack  = 20   // one transaction in so many is rolled back on purpose
	cancels     = 10   // after one in so many, a job of it is cancelled
	fullBacklog = 50 * time.Millisecond

	kindsOfTasks = 3
)

var errAbandoned = errors.New("rolled back on purpose")

// enqueuer writes jobs in transactions.
type enqueuer struct {
	db    *generated.DB
	s     settings
	diary *diary
	rand  *rand.Rand
	next  int64 // the next token
	tasks bool  // there is room for more under limits
}

// enqueue works until enough jobs have been committed. An error of the database
// ends nothing: the next transaction comes after it.
func enqueue(ctx context.Context, db *generated.DB, s settings, d *diary, log *slog.Logger) error {
	first := int64(s.Slot)<<44 | int64(s.Generation)<<28
	e := &enqueuer{db: db, s: s, diary: d, rand: rand.New(rand.NewPCG(s.Seed, uint64(first))), next: first}
	for turn := 0; ctx.Err() == nil; turn++ {
		if err := e.turn(ctx, turn); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			log.Warn("a transaction failed", "error", err)
			rest(ctx, again)
		}
	}
	return nil
}

var errEnough = errors.New("enough jobs were committed")

// statementsEnd is how long one turn may take: a network that swallows packets
// does not say so.
func (e *enqueuer) statementsEnd() time.Duration { return 4 * e.s.Lease }

// turn looks how far all are, now and then, and enqueues.
func (e *enqueuer) turn(ctx context.Context, turn int) error {
	if turn%looksEvery == 0 {
		if err := e.look(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, e.statementsEnd())
	defer cancel()
	return e.transaction(ctx, e.batch(turn), turn%rolledBack == 1)
}

// look waits while more jobs were committed than the time asks for, or while too
// many wait for a worker. errEnough says that there are enough.
func (e *enqueuer) look(ctx context.Context) error {
	n, err := e.count(ctx, func(ctx context.Context) (int, error) {
		return e.db.Enqueued.Count(ctx, generated.EnqueuedFilter{}, e.s.Jobs)
	})
	if err != nil {
		return err
	}
	if n >= e.s.Jobs {
		return errEnough
	}
	due := time.Duration(float64(n) / e.s.Rate * float64(time.Second))
	rest(ctx, time.Until(e.s.Start.Add(due)))
	n, err = e.count(ctx, func(ctx context.Context) (int, error) {
		return e.db.Task.Count(ctx, generated.TaskFields.State.Eq(generated.TaskStateReady), maxTasks)
	})
	if err != nil {
		return err
	}
	e.tasks = n < maxTasks
	for {
		n, err := e.count(ctx, func(ctx context.Context) (int, error) {
			return e.db.Job.Count(ctx, generated.JobFields.State.Eq(generated.JobStateReady), maxBacklog)
		})
		if err != nil || n < maxBacklog {
			return err
		}
		rest(ctx, fullBacklog)
	}
}

func (e *enqueuer) count(ctx context.Context, fn func(context.Context) (int, error)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, e.statementsEnd())
	defer cancel()
	return fn(ctx)
}

// batch is what one transaction enqueues.
type batch struct {
	first  int64
	jobs   int    // tokens from first on, of the queue without limits
	tasks  []task // with tokens after those
	ids    []generated.JobID
	tokens tokens // what was enqueued: not the duplicates
}

// task is one job under a limit.
type task struct {
	kind, key string
	token     int64
}

// batch decides what the next transaction enqueues.
func (e *enqueuer) batch(turn int) *batch {
	b := &batch{first: e.next, jobs: 1 + e.rand.IntN(maxBatch)}
	e.next += int64(b.jobs)
	n := 1 + e.rand.IntN(5)
	kind := []string{"once", "capped", "paced"}[(turn+e.s.Generation)%kindsOfTasks] // of one that is killed early, too
	for range n {
		t := task{kind: kind, token: e.next, key: fmt.Sprintf("key-%d", e.rand.IntN(3))}
		e.next++
		if e.tasks {
			b.tasks = append(b.tasks, t)
		}
	}
	return b
}

// transaction enqueues some jobs, or only makes as if.
func (e *enqueuer) transaction(ctx context.Context, b *batch, abandon bool) error {
	if abandon {
		if _, err := e.db.Abandoned.Create(ctx, generated.AbandonedNew{First: b.first, Tokens: e.next - b.first}); err != nil {
			return err
		}
	}
	err := e.db.Tx(ctx, func(tx *generated.Tx) error {
		b.ids, b.tokens = b.ids[:0], b.tokens[:0] // it may run again
		for _, inside := range []bool{true, false} {
			if err := e.jobs(ctx, tx, b, inside); err != nil {
				return err
			}
		}
		for _, t := range b.tasks {
			if err := e.task(ctx, tx, b, t); err != nil {
				return err
			}
		}
		if abandon {
			return errAbandoned
		}
		return nil
	})
	switch {
	case abandon && errors.Is(err, errAbandoned):
		return nil
	case err != nil:
		e.diary.note(noteUnsure, []int64(b.tokens))
		return err
	}
	e.diary.note(noteAcked, []int64(b.tokens))
	if e.rand.IntN(cancels) == 0 {
		return e.cancel(ctx, b.ids[e.rand.IntN(len(b.ids))])
	}
	return nil
}

// jobs adds those whose plan is of one kind, and says so in the same transaction.
func (e *enqueuer) jobs(ctx context.Context, tx *generated.Tx, b *batch, inside bool) error {
	var rows []generated.EnqueuedNew
	var in []generated.Inside
	var be []generated.Beside
	for token := b.first; token < b.first+int64(b.jobs); token++ {
		if planOf(e.s.Seed, token, e.s.Lease).inside == inside {
			rows = append(rows, generated.EnqueuedNew{Queue: "job", Token: token, Inside: inside})
			in, be = append(in, generated.Inside{Token: token}), append(be, generated.Beside{Token: token})
			b.tokens = append(b.tokens, token)
		}
	}
	var ids []generated.JobID
	var err error
	if inside {
		ids, err = tx.Job.EnqueueInsideMany(ctx, in, e.planned)
	} else {
		ids, err = tx.Job.EnqueueBesideMany(ctx, be, e.planned)
	}
	if err != nil {
		return err
	}
	for i, id := range ids {
		rows[i].Job = int64(id)
	}
	b.ids = append(b.ids, ids...)
	_, err = tx.Enqueued.CreateMany(ctx, rows)
	return err
}

// task adds a job under a limit, and says so unless it is a duplicate.
func (e *enqueuer) task(ctx context.Context, tx *generated.Tx, b *batch, t task) error {
	var row *generated.Task
	var err error
	added := true
	opt := func(n *generated.TaskNew) {
		n.MaxAttempts = store.Int(planOf(e.s.Seed, t.token, e.s.Lease).maxAttempts())
	}
	switch t.kind {
	case "once":
		row, added, err = tx.Task.EnqueueOnce(ctx, generated.Once{Token: t.token, Key: t.key}, opt)
	case "capped":
		row, err = tx.Task.EnqueueCapped(ctx, generated.Capped{Token: t.token, Key: t.key}, opt)
	default:
		row, err = tx.Task.EnqueuePaced(ctx, generated.Paced{Token: t.token}, opt)
	}
	if err != nil {
		return err
	}
	if mine := tokenOf(row.Payload) == t.token; mine != added {
		panic(fmt.Sprintf("added is %t, and the payload says otherwise: %+v", added, row))
	}
	if !added {
		return nil
	}
	b.tokens = append(b.tokens, t.token)
	_, err = tx.Enqueued.Create(ctx, generated.EnqueuedNew{Queue: "task", Job: int64(row.ID), Token: t.token})
	return err
}

// tokenOf reads the token of a payload of any kind.
func tokenOf(text store.JSON) int64 {
	var payload struct{ Token int64 }
	if err := json.Unmarshal(text, &payload); err != nil {
		panic(err) // it was encoded by this program
	}
	return payload.Token
}

// planned makes a job what its plan says.
func (e *enqueuer) planned(n *generated.JobNew) {
	p := planOf(e.s.Seed, tokenOf(n.Payload), e.s.Lease)
	n.Priority, n.MaxAttempts = store.Int(p.priority), store.Int(p.maxAttempts())
	if p.delay > 0 {
		n.RunAt = store.Set(time.Now().Add(p.delay))
	}
}

// cancel cancels a job, which may be running, and says so in the same
// transaction. One that has ended stays as it is.
func (e *enqueuer) cancel(ctx context.Context, id generated.JobID) error {
	err := e.db.Tx(ctx, func(tx *generated.Tx) error {
		if _, err := tx.Cancellation.Create(ctx, generated.CancellationNew{Job: int64(id)}); err != nil {
			return err
		}
		return tx.Job.Cancel(ctx, id)
	})
	if errors.Is(err, queue.ErrEnded) {
		return nil
	}
	return err
}

// rest waits for d, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
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
	looksEvery  = 8    // transactions between looks at how far all of them are
	rolledBack  = 20   // one transaction in so many is rolled back on purpose
	cancels     = 10   // after one in so many, a job of it is cancelled
	fullBacklog = 50 * time.Millisecond
)

var errAbandoned = errors.New("rolled back on purpose")

// enqueuer writes jobs in transactions.
type enqueuer struct {
	db   *generated.DB
	s    settings
	rand *rand.Rand
	next int64 // the next token
}

// enqueue works until enough jobs have been committed.
func enqueue(ctx context.Context, db *generated.DB, s settings, _ *slog.Logger) error {
	first := int64(s.Slot)<<44 | int64(s.Generation)<<28
	e := &enqueuer{db: db, s: s, rand: rand.New(rand.NewPCG(s.Seed, uint64(first))), next: first}
	for turn := 0; ctx.Err() == nil; turn++ {
		if turn%looksEvery == 0 {
			enough, err := e.look(ctx)
			if enough || err != nil {
				return err
			}
		}
		if err := e.transaction(ctx, turn%rolledBack == 1); err != nil {
			return err
		}
	}
	return nil
}

// look tells whether enough jobs were committed. It waits while more were than
// the time asks for, or while too many wait for a worker.
func (e *enqueuer) look(ctx context.Context) (enough bool, err error) {
	n, err := e.db.Enqueued.Count(ctx, generated.EnqueuedFilter{}, e.s.Jobs)
	if err != nil || n >= e.s.Jobs {
		return true, err
	}
	due := time.Duration(float64(n) / e.s.Rate * float64(time.Second))
	rest(ctx, time.Until(e.s.Start.Add(due)))
	for ctx.Err() == nil {
		waiting := generated.JobFields.State.Eq(generated.JobStateReady)
		n, err := e.db.Job.Count(ctx, waiting, maxBacklog)
		if err != nil || n < maxBacklog {
			return false, err
		}
		rest(ctx, fullBacklog)
	}
	return true, nil
}

// transaction enqueues some jobs, or only makes as if.
func (e *enqueuer) transaction(ctx context.Context, abandon bool) error {
	first, n := e.next, 1+e.rand.IntN(maxBatch)
	e.next += int64(n)
	if abandon {
		if _, err := e.db.Abandoned.Create(ctx, generated.AbandonedNew{First: first, Tokens: int64(n)}); err != nil {
			return err
		}
	}
	ids := make([]generated.JobID, 0, n)
	err := e.db.Tx(ctx, func(tx *generated.Tx) error {
		ids = ids[:0] // it may run again
		for _, inside := range []bool{true, false} {
			added, err := e.jobs(ctx, tx, first, n, inside)
			if err != nil {
				return err
			}
			ids = append(ids, added...)
		}
		if abandon {
			return errAbandoned
		}
		return nil
	})
	if abandon && errors.Is(err, errAbandoned) {
		return nil
	}
	if err == nil && e.rand.IntN(cancels) == 0 {
		err = e.cancel(ctx, ids[e.rand.IntN(len(ids))])
	}
	return err
}

// jobs adds those of the tokens from first on whose plan is of one kind, and
// says so in the same transaction.
func (e *enqueuer) jobs(ctx context.Context, tx *generated.Tx, first int64, n int, inside bool) ([]generated.JobID, error) {
	var rows []generated.EnqueuedNew
	var in []generated.Inside
	var be []generated.Beside
	for token := first; token < first+int64(n); token++ {
		if planOf(e.s.Seed, token, e.s.Lease).inside == inside {
			rows = append(rows, generated.EnqueuedNew{Token: token, Inside: inside})
			in, be = append(in, generated.Inside{Token: token}), append(be, generated.Beside{Token: token})
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
		return nil, err
	}
	for i, id := range ids {
		rows[i].Job = int64(id)
	}
	_, err = tx.Enqueued.CreateMany(ctx, rows)
	return ids, err
}

// planned makes a job what its plan says.
func (e *enqueuer) planned(n *generated.JobNew) {
	var payload generated.Inside // of either kind
	if err := json.Unmarshal(n.Payload, &payload); err != nil {
		panic(err) // it was encoded a moment ago
	}
	p := planOf(e.s.Seed, payload.Token, e.s.Lease)
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

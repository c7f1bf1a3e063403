package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// handBatch is how many jobs the hand-written sides claim, and complete, at once.
const handBatch = 200

// handLease is how far a claim reaches; nobody renews it in these few seconds.
const handLease = 30 * time.Second

// handJob is a claimed row.
type handJob struct {
	id int64
	n  int
}

// payload is what every side stores.
type payload struct {
	N int `json:"n"`
}

func encode(n int) string { return fmt.Sprintf(`{"n": %d}`, n) }

func decode(text []byte) (int, error) {
	var p payload
	err := json.Unmarshal(text, &p)
	return p.N, err
}

// handLoop claims a batch, runs it and completes it, until ctx ends. It looks
// again after a millisecond when nothing was due.
func handLoop(ctx context.Context, handle func(n int), claim func(context.Context) ([]handJob, error), complete func(context.Context, []handJob) error) error {
	for ctx.Err() == nil {
		jobs, err := claim(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		if len(jobs) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
			continue
		}
		for _, j := range jobs {
			handle(j.n)
		}
		if err := complete(context.WithoutCancel(ctx), jobs); err != nil {
			return err
		}
	}
	return nil
}

// ended forgives an error that is only the end of the work.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// loops runs a loop on so many goroutines and gives what stops them.
func loops(ctx context.Context, count int, loop func(ctx context.Context) error) func() error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	failed := make([]error, count)
	for i := range count {
		running.Go(func() { failed[i] = loop(ctx) })
	}
	return func() error {
		cancel()
		running.Wait()
		return errors.Join(failed...)
	}
}

// handColumns are the columns that a queue needs which can do what is compared:
// priorities, due times, attempts, a lease.
const (
	handTable = `CREATE TABLE jobs (id %s, payload %s NOT NULL, state smallint NOT NULL DEFAULT 0, priority integer NOT NULL DEFAULT 0,
		attempts integer NOT NULL DEFAULT 0, run_at bigint NOT NULL, lease bigint, created_at bigint NOT NULL, completed_at bigint)`
	handLeft     = "SELECT count(*) FROM jobs WHERE state < 2"
	handFinished = "SELECT count(*) FROM jobs WHERE state = 2"
)

// questionMarks are n of them, in as many groups of width as that makes.
func questionMarks(groups int, group string) string {
	return strings.TrimSuffix(strings.Repeat(group+",", groups), ",")
}

func inTx(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

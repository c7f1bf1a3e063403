package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"

	"shop/generated"
)

// first makes a job run before those that wait with it.
func first(n *generated.JobQueueNew) { n.Priority = store.Int(10) }

// handlers run the jobs; a kind without its method would not compile.
type handlers struct {
	db   *generated.DB
	out  string // folder for the optimized images
	rows atomic.Int64
}

// work runs the jobs until none is waiting or running.
func work(ctx context.Context, db *generated.DB, o options) error {
	h := &handlers{db: db, out: o.out}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- db.Run(running, generated.Workers{JobQueue: h, JobQueueOptions: queue.Options{
			Concurrency: 2,
			Poll:        20 * time.Millisecond,
			Backoff:     func(attempt int) time.Duration { return time.Duration(attempt) * 100 * time.Millisecond },
		}})
	}()
	watched := watch(ctx, db, h)
	stop()
	if err := <-ended; err != nil {
		return err
	}
	return watched
}

// watch shows how far the jobs are, and returns when none is left.
func watch(ctx context.Context, db *generated.DB, h *handlers) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	total, err := db.JobQueue.Count(ctx, generated.JobQueueFilter{}, 0)
	if err != nil {
		return err
	}
	terminal := isTerminal(os.Stdout)
	for {
		left, err := db.JobQueue.Count(ctx, generated.JobQueueFields.Status.In(
			generated.JobQueueStatusPending, generated.JobQueueStatusProcessing), 0)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("jobs %d of %d, rows read %d", total-left, total, h.rows.Load())
		if terminal {
			fmt.Printf("\r%-60s", line)
		}
		if left == 0 {
			if terminal {
				fmt.Println()
			} else {
				fmt.Println(line)
			}
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

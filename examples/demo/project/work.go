package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"

	"shop/generated"
)

// first makes a job run before those that wait with it.
func first(n *generated.JobQueueNew) { n.Priority = store.Int(10) }

// handlers run the jobs; a kind without its method would not compile.
type handlers struct {
	db  *generated.DB
	out string // folder for the optimized images
}

// work runs the jobs until all have ended: those that were enqueued, and those
// that they enqueue themselves.
func work(ctx context.Context, db *generated.DB, o options, jobs jobs) (*tally, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	seen := watch(running, db, jobs)
	ended := make(chan error, 1)
	go func() {
		ended <- db.Run(running, generated.Workers{
			JobQueue:        &handlers{db: db, out: o.out},
			JobQueueOptions: queue.Options{Logger: slog.New(slog.DiscardHandler)}, // failures are shown from the rows
		})
	}()
	waited := await(ctx, db, jobs)
	stop()
	if err := <-ended; err != nil {
		return nil, err
	}
	return seen(), waited
}

// await returns when every job has ended. The import says as its result which
// job it has left behind.
func await(ctx context.Context, db *generated.DB, jobs jobs) error {
	for _, id := range jobs.images {
		if _, err := db.JobQueue.Await(ctx, id); err != nil {
			return err
		}
	}
	job, err := db.JobQueue.Await(ctx, jobs.list)
	if err != nil {
		return err
	}
	if job.Status != generated.JobQueueStatusCompleted {
		return nil // the figures will say so
	}
	var left importResult
	if err := json.Unmarshal(job.QueueResult.V, &left); err != nil {
		return err
	}
	_, err = db.JobQueue.Await(ctx, left.Report)
	return err
}

package queue

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/mikestefanello/backlite"
)

// backliteWorkers is NumWorkers. Its dispatcher fetches as many tasks as workers
// are free, and scans all tasks for each fetch: 5,000 are slower, and the 10 of
// its documentation do a hundred jobs a second of a backlog like this one.
const backliteWorkers = 1000

// backliteTask is one job; without retention finished tasks are deleted.
type backliteTask struct{ N int }

func (backliteTask) Config() backlite.QueueConfig {
	return backlite.QueueConfig{Name: "noop", MaxAttempts: 3, Backoff: time.Second}
}

type backliteSide struct {
	db     *sql.DB
	client *backlite.Client
	handle func(n int)
	*counter
}

func openBacklite(_ context.Context, at place) (side, error) {
	db, err := sql.Open("sqlite", at.Native)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // without it, writers wait for each other's lock in the busy handler
	s := &backliteSide{db: db}
	s.client, err = backlite.NewClient(backlite.ClientConfig{DB: db, ReleaseAfter: 10 * time.Minute, NumWorkers: backliteWorkers, CleanupInterval: time.Hour})
	if err == nil {
		s.client.Register(backlite.NewQueue(func(_ context.Context, task backliteTask) error {
			s.handle(task.N)
			return nil
		}))
		err = s.client.Install()
	}
	if err == nil {
		s.counter, err = openCounter(at, "SELECT count(*) FROM backlite_tasks", "")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *backliteSide) Enqueue(ctx context.Context, n int) error {
	_, err := s.client.Add(backliteTask{n}).Ctx(ctx).Save()
	return err
}

func (s *backliteSide) EnqueueMany(ctx context.Context, from, count int) error {
	return batches(from, count, 1000, func(from, count int) error {
		tasks := make([]backlite.Task, count)
		for i := range tasks {
			tasks[i] = backliteTask{from + i}
		}
		_, err := s.client.Add(tasks...).Ctx(ctx).Save()
		return err
	})
}

func (s *backliteSide) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	s.handle = handle
	ctx, cancel := context.WithCancel(ctx)
	s.client.Start(ctx)
	return func() error {
		defer cancel()
		patience, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		if !s.client.Stop(patience) {
			return errors.New("backlite did not stop in time")
		}
		return nil
	}, nil
}

func (s *backliteSide) Close() error { return errors.Join(s.db.Close(), s.counter.db.Close()) }

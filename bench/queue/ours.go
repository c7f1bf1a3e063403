package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/bench/queue/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // mysql://
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // postgres://
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // sqlite:
)

//go:generate go run -C ../.. ./cmd/modulagen generate -C bench/queue

// ourConcurrency is Options.Concurrency; nothing else is set.
const ourConcurrency = 100

// ourBatch is how many jobs one call of EnqueueMany adds.
const ourBatch = 1000

type ourSide struct {
	db *generated.DB
	*counter
}

func openOurs(ctx context.Context, at place) (side, error) { return openOursAfter(ctx, at, 0) }

// openOursAfter counts the rows after an id alone: those before belong to a
// database that was filled for the sample.
func openOursAfter(ctx context.Context, at place, id int64) (side, error) {
	db, err := generated.Open(ctx, at.URL, generated.Options{})
	if err != nil {
		return nil, err
	}
	rows := fmt.Sprintf("SELECT count(*) FROM bench_job WHERE id > %d AND status ", id)
	count, err := openCounter(at, rows+"IN ('pending', 'processing')", rows+"= 'completed'")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &ourSide{db, count}, nil
}

func (s *ourSide) Enqueue(ctx context.Context, n int) error {
	_, err := s.db.BenchJob.EnqueueNoop(ctx, generated.Noop{N: int64(n)})
	return err
}

func (s *ourSide) EnqueueMany(ctx context.Context, from, count int) error {
	return batches(from, count, ourBatch, func(from, count int) error {
		payloads := make([]generated.Noop, count)
		for i := range payloads {
			payloads[i].N = int64(from + i)
		}
		_, err := s.db.BenchJob.EnqueueNoopMany(ctx, payloads)
		return err
	})
}

// ourHandlers run the one kind.
type ourHandlers struct{ handle func(n int) }

func (h ourHandlers) Noop(_ context.Context, j *generated.NoopJob) error {
	h.handle(int(j.Payload.N))
	return nil
}

func (s *ourSide) Work(ctx context.Context, handle func(n int)) (func() error, error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.db.Run(ctx, generated.Workers{
			BenchJob:        ourHandlers{handle},
			BenchJobOptions: queue.Options{Concurrency: ourConcurrency},
		})
	}()
	return func() error { cancel(); return <-ended }, nil
}

func (s *ourSide) Close() error { return errors.Join(s.db.Close(), s.counter.db.Close()) }

package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hibiken/asynq"
)

const (
	asynqConcurrency = 100
	asynqProducers   = 16 // it has no call that enqueues many
	// asynqCheck is TaskCheckInterval; its default of a second would be its latency.
	asynqCheck = 5 * time.Millisecond
)

// asynqSide is asynq; finished tasks are deleted, which is its default.
type asynqSide struct {
	redis     asynq.RedisClientOpt
	client    *asynq.Client
	inspector *asynq.Inspector
}

func openAsynq(_ context.Context, at place) (side, error) {
	opt := asynq.RedisClientOpt{Addr: at.Native}
	return &asynqSide{opt, asynq.NewClient(opt), asynq.NewInspector(opt)}, nil
}

func (s *asynqSide) Enqueue(ctx context.Context, n int) error {
	_, err := s.client.EnqueueContext(ctx, asynq.NewTask("noop", []byte(encode(n))))
	return err
}

func (s *asynqSide) EnqueueMany(ctx context.Context, from, count int) error {
	share := (count + asynqProducers - 1) / asynqProducers
	var running sync.WaitGroup
	failed := make([]error, asynqProducers)
	for i := range asynqProducers {
		running.Go(func() {
			for n := from + i*share; n < min(from+(i+1)*share, from+count); n++ {
				if failed[i] = s.Enqueue(ctx, n); failed[i] != nil {
					return
				}
			}
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

func (s *asynqSide) Work(_ context.Context, handle func(n int)) (func() error, error) {
	server := asynq.NewServer(s.redis, asynq.Config{Concurrency: asynqConcurrency, TaskCheckInterval: asynqCheck, Logger: silent{}})
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		n, err := decode(task.Payload())
		if err == nil {
			handle(n)
		}
		return err
	}))
	if err != nil {
		return nil, err
	}
	return func() error { server.Stop(); server.Shutdown(); return nil }, nil
}

func (s *asynqSide) Left(context.Context) (int, error) {
	info, err := s.inspector.GetQueueInfo("default")
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Pending + info.Active + info.Scheduled + info.Retry, nil
}

func (s *asynqSide) Finished(context.Context) (int, error) { return gone, nil }

func (s *asynqSide) Close() error { return errors.Join(s.client.Close(), s.inspector.Close()) }

// silent is a logger of asynq that says nothing.
type silent struct{}

func (silent) Debug(...any) {}
func (silent) Info(...any)  {}
func (silent) Warn(...any)  {}
func (silent) Error(...any) {}
func (silent) Fatal(...any) {}

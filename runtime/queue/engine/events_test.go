package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
)

func TestEvents(t *testing.T) {
	no := errors.New("no")
	each(t, func(t *testing.T, db *generated.DB) {
		all := db.JobQueue.Events(patiently(t))
		ends := []struct {
			err  error
			want queue.EventType
		}{
			{nil, queue.Done},
			{no, queue.Retrying},
			{queue.Snooze(time.Hour), queue.Snoozed},
			{queue.Discard(no), queue.Dead},
			{queue.Cancel(no), queue.Cancelled},
		}
		var ids []generated.JobQueueID
		for i := range ends {
			ids = append(ids, enqueue(t, db, int64(i)))
		}
		before := time.Now()
		drain(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			return ends[j.Payload.MediaID].err
		}), queue.Options{Backoff: queue.Delays(time.Hour)})
		i := 0
		for ev := range all {
			end := ends[i/2]
			want, err, delay := queue.Started, error(nil), time.Duration(0)
			if i%2 == 1 {
				want, err = end.want, end.err
			}
			if want == queue.Retrying || want == queue.Snoozed {
				delay = time.Hour
			}
			if ev.Type != want || ev.ID != ids[i/2] || ev.Kind != "image_optimize" || ev.Attempt != 1 || !errors.Is(ev.Err, err) || ev.Delay != delay || ev.Missed != 0 {
				t.Errorf("event %d is %+v, want %s of %d with %v", i, ev, want, ids[i/2], err)
			}
			if ev.At.Before(before) || (ev.Took > 0) != (i%2 == 1) {
				t.Errorf("event %d was at %s and took %s", i, ev.At, ev.Took)
			}
			if i++; i == 2*len(ends) {
				break
			}
		}
	})
}

// A slow reader misses events, learns how many, and delays no one.
func TestEventsMissed(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		const jobs = 700 // two events each, of which 1,024 wait for a reader
		all := db.JobQueue.Events(patiently(t))
		if _, err := db.JobQueue.EnqueueImageOptimizeMany(t.Context(), make([]generated.ImageOptimize, jobs)); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{}, jobs)
		stop := work(t, db, images(func(context.Context, *generated.ImageOptimizeJob) error {
			done <- struct{}{}
			return nil
		}), queue.Options{Concurrency: 8})
		for range jobs {
			receive(t, done, "a run")
		}
		stop()
		seen, missed := 0, 0
		for ev := range all {
			if seen++; seen == 1024 {
				drainOneMore(t, db)
			}
			if missed += ev.Missed; missed > 0 {
				break
			}
		}
		if seen != 1025 || missed != 2*jobs-1024 {
			t.Errorf("%d events were seen, %d missed; want 1025 and %d", seen, missed, 2*jobs-1024)
		}
	})
}

func drainOneMore(t *testing.T, db *generated.DB) {
	t.Helper()
	enqueue(t, db, 1)
	drain(t, db, fails(nil), queue.Options{})
}

// Whoever reads with the context of Run gets the last event of every job that
// the stop lets finish, however late the reader is.
func TestEventsOfTheStop(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		for _, late := range []bool{false, true} {
			ctx, stop := context.WithCancel(t.Context())
			const jobs = 4
			all := db.JobQueue.Events(ctx)
			seen := map[queue.EventType]int{}
			over := make(chan struct{})
			read := func() {
				defer close(over)
				for ev := range all {
					seen[ev.Type]++
				}
			}
			if !late {
				go read()
			}
			for i := range jobs {
				enqueue(t, db, int64(i))
			}
			started, release := make(chan struct{}, jobs), make(chan struct{})
			ran := make(chan error, 1)
			go func() {
				ran <- db.Run(ctx, generated.Workers{JobQueue: images(func(context.Context, *generated.ImageOptimizeJob) error {
					started <- struct{}{}
					<-release
					return nil
				}), JobQueueOptions: queue.Options{Concurrency: jobs, StopTimeout: patience}})
			}()
			for range jobs {
				receive(t, started, "a start")
			}
			stop()
			select {
			case <-over:
				t.Error("the loop ended before the workers did")
			default:
			}
			close(release)
			if err := receive(t, ran, "Run"); err != nil {
				t.Error(err)
			}
			if late {
				go read()
			}
			receive(t, over, "the end of the loop")
			if seen[queue.Started] != jobs || seen[queue.Done] != jobs {
				t.Errorf("late %t: %v, want %d of started and done", late, seen, jobs)
			}
		}
	})
}

// onLine calls a function with each line of a log.
type onLine func(message string)

func (f onLine) Enabled(context.Context, slog.Level) bool { return true }
func (f onLine) WithAttrs([]slog.Attr) slog.Handler       { return f }
func (f onLine) WithGroup(string) slog.Handler            { return f }
func (f onLine) Handle(_ context.Context, r slog.Record) error {
	f(r.Message)
	return nil
}

// The context of Run and of the reader ends when the last end is in the database and its
// event is not sent yet: the row is seen to be dead, and the program stops.
func TestEventsOfWhatWasSettled(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		const rounds, jobs = 5, 5
		for round := range rounds {
			ctx, stop := context.WithCancel(t.Context())
			all := db.JobQueue.Events(ctx)
			over := make(chan int, 1)
			go func() {
				dead := 0
				for ev := range all {
					if ev.Type == queue.Dead {
						dead++
					}
				}
				over <- dead
			}()
			for i := range jobs {
				enqueue(t, db, int64(i))
			}
			written := 0
			logger := slog.New(onLine(func(message string) {
				if message != "job is dead" {
					return
				}
				if written++; written == jobs {
					stop()
					for range 1000 { // for a reader that would end
						runtime.Gosched()
					}
				}
			}))
			err := db.Run(ctx, generated.Workers{JobQueue: fails(queue.Discard(errors.New("no"))), JobQueueOptions: queue.Options{Concurrency: jobs, Logger: logger}})
			if err != nil {
				t.Error(err)
			}
			if dead := receive(t, over, "the end of the loop"); dead != jobs {
				t.Errorf("round %d: %d events of dead jobs, want %d", round, dead, jobs)
			}
		}
	})
}

// Workers that go on do not keep a reader from ending, and a handler that reads
// with its own context does not wait for itself.
func TestEventsEndWhileWorkersGoOn(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		run, stop := context.WithCancel(t.Context())
		defer stop()
		started, over := make(chan struct{}), make(chan struct{})
		ran := make(chan error, 1)
		go func() {
			ran <- db.Run(run, generated.Workers{JobQueue: images(func(ctx context.Context, _ *generated.ImageOptimizeJob) error {
				all := db.JobQueue.Events(ctx)
				close(started)
				for range all {
					continue
				}
				return ctx.Err()
			}), JobQueueOptions: queue.Options{StopTimeout: 2 * time.Second, Grace: patience}})
		}()
		enqueue(t, db, 1)
		receive(t, started, "the start")
		ctx, cancel := context.WithCancel(t.Context())
		all := db.JobQueue.Events(ctx)
		go func() {
			defer close(over)
			for range all {
				continue
			}
		}()
		cancel()
		receive(t, over, "the end of the loop")
		stop()
		if err := receive(t, ran, "Run"); err != nil {
			t.Errorf("a handler that reads events: %v", err)
		}
	})
}

// Leaving a loop, and the end of ctx, leave nothing behind.
func TestEventsEnd(t *testing.T) {
	db := place{"sqlite", "sqlite::memory:"}.open(t, generated.Options{})
	before := runtime.NumGoroutine()
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		all := db.JobQueue.Events(ctx)
		drainOneMore(t, db)
		for range all {
			break
		}
		over := make(chan struct{})
		more := db.JobQueue.Events(ctx)
		go func() {
			defer close(over)
			for range more {
				continue
			}
		}()
		cancel()
		receive(t, over, "the end of the loop")
		never := db.JobQueue.Events(ctx) // of a context that has ended
		for ev := range never {
			t.Errorf("event %+v after the end", ev)
		}
	}
	eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before+5 })
}

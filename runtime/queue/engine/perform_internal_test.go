package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
)

// quiet is an observer of which nothing is seen.
func quiet() *observer {
	return &observer{name: "work", logger: slog.New(slog.DiscardHandler), events: &broadcaster{}, tele: &telemetry{}}
}

// recorder takes the place of the settler and of the limiter.
type recorder struct {
	late bool // no claim may start

	mu       sync.Mutex
	ends     []outcome
	released []*claim
}

func (r *recorder) settle(_ *claim, end outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = append(r.ends, end)
}

func (r *recorder) release(c *claim) bool {
	if !c.move(buffered, finished) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.released = append(r.released, c)
	return true
}

func (r *recorder) completed(context.Context, *claim) {}

func (r *recorder) mayStart(context.Context, *claim) (time.Time, bool) { return time.Now(), !r.late }

func (r *recorder) settled() []outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ends)
}

// performing returns a performer that stands on a recorder alone.
func performing(t *testing.T, r *recorder, policy Policy, handler func(context.Context, any) error) *performer {
	claims := newClaimSet(quiet())
	p := &performer{
		shape: &shape{name: "work", policies: map[string]Policy{"": policy}}, handler: handler,
		backoff: queue.Delays(time.Minute), grace: 5 * time.Second,
		limiter: r, leases: &leaseWatch{lease: lease(time.Hour), claims: claims, release: r.release}, settler: r, observer: quiet(),
	}
	p.open(t.Context())
	return p
}

func fresh(id int64) *claim {
	c := &claim{Claimed: Claimed{ID: id, Epoch: 1, Attempt: 1, MaxAttempts: 3}, confirmed: time.Now()}
	c.handle = (&shape{name: "work"}).handle(c, nil, nil)
	return c
}

// A handler that ignores its timeout is tried again by others, keeps its place so
// that such handlers cannot pile up, and its late result does not count.
func TestHandlerThatIgnoresItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		goOn := make(chan struct{})
		p := performing(t, r, Policy{Timeout: time.Second}, func(context.Context, any) error { <-goOn; return nil })
		q := newLocalQueue("", 1, 64<<20)
		for _, c := range q.add([]*claim{fresh(1), fresh(2)}) {
			p.start(q, c)
		}
		time.Sleep(time.Second + p.grace - 1)
		if ends := r.settled(); len(ends) != 0 {
			t.Fatalf("%d ends before the grace has passed", len(ends))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if ends := r.settled(); len(ends) != 1 || ends[0].verb != toRetry || !errors.Is(ends[0].err, queue.ErrTimeout) {
			t.Fatalf("after the grace: %+v, want one attempt that timed out", ends)
		}
		if n := len(q.buffer); n != 1 {
			t.Errorf("%d jobs wait, want the other one: the place is taken", n)
		}
		close(goOn)
		p.running.Wait()
		if ends := r.settled(); len(ends) != 2 || ends[1].verb != toDone {
			t.Errorf("at last: %+v, want the other job done, and no second end of the first", ends)
		}
	})
}

// A job that may not start under its rate is released, and one whose lease has
// ended while it waited here is: neither runs.
func TestJobThatMayNotStart(t *testing.T) {
	for _, late := range []bool{true, false} {
		r := &recorder{late: late}
		p := performing(t, r, Policy{}, func(context.Context, any) error { t.Error("the handler ran"); return nil })
		c := fresh(1)
		if !late {
			c.confirmed = time.Now().Add(-time.Hour)
		}
		p.perform(c)
		if !slices.Equal(r.released, []*claim{c}) || len(r.ends) != 0 {
			t.Errorf("late %t: %d were released, ends %v", late, len(r.released), r.ends)
		}
	}
}

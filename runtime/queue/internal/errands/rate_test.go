package errands_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// A rate holds for the starts of handlers, over two workers, by the clock that
// never steps: in no second do more than ten begin, however the claims fall and
// whatever else there is to do.
func TestRateOfStarts(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		first, second := p.open(), p.open()
		const jobs, most, every = 45, 10, time.Second
		must(first.Errand.EnqueueQuickMany(t.Context(), make([]today.Quick, jobs)))(t)
		must(first.Errand.EnqueueWalkMany(t.Context(), make([]today.Walk, 500)))(t)
		var starts list[time.Time]
		all := make(chan struct{})
		do := func(_ context.Context, row *today.Errand, _ any) error { return nil }
		var reading sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for _, db := range []*today.DB{first, second} {
			events := db.Errand.Events(ctx)
			reading.Go(func() {
				for ev := range events {
					if ev.Missed > 0 {
						t.Errorf("%d events were missed", ev.Missed)
					}
					if ev.Type == queue.Started && ev.Kind == "quick" && starts.add(ev.At) == jobs {
						close(all)
					}
				}
			})
			work(t, db, today.Workers{Errand: does(do), ErrandOptions: queue.Options{Queues: map[string]int{"main": 8}}})
		}
		select {
		case <-all:
		case <-time.After(2 * time.Minute):
			t.Errorf("%d of %d began", len(starts.get()), jobs)
		}
		cancel()
		reading.Wait()
		got := starts.get()
		slices.SortFunc(got, time.Time.Compare)
		for i := most; i < len(got); i++ {
			if span := got[i].Sub(got[i-most]); span < every {
				t.Errorf("starts %d to %d are %s apart: %d in a second", i-most, i, span, most+1)
			}
		}
	})
}

// What was claimed ahead and begins late counts when it begins, not when it was
// claimed: a rate that has forgotten the claim would allow as many again.
func TestRateOfLateStarts(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		var mu sync.Mutex
		var starts []time.Time
		block, blocked := make(chan struct{}), make(chan struct{}, 1)
		do := func(_ context.Context, row *today.Errand, _ any) error {
			switch row.Kind {
			case "rated":
				mu.Lock()
				defer mu.Unlock()
				starts = append(starts, p.clock.time())
			case "listed":
				blocked <- struct{}{}
				<-block
			}
			return nil
		}
		work(t, db, today.Workers{Errand: does(do), ErrandOptions: queue.Options{Queues: map[string]int{"main": 1}, Poll: 10 * time.Millisecond}})
		began := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(starts)
		}
		// Rows are claimed ahead while handlers are short, which a loaded machine
		// may not let them be at first.
		var rated []today.ErrandID
		ahead := func() bool {
			for _, id := range rated {
				if get(t, db, id).State != today.ErrandStateRunning {
					return false
				}
			}
			return true
		}
		for round := 0; ; round++ {
			for _, id := range must(db.Errand.EnqueueWalkMany(t.Context(), make([]today.Walk, 30)))(t) {
				await(t, db, id)
			}
			rated = rated[:0]
			err := db.Tx(t.Context(), func(tx *today.Tx) error {
				rated = rated[:0]
				if _, err := tx.Errand.EnqueueListed(t.Context(), today.Listed{}, priority(100)); err != nil {
					return err
				}
				ids, err := tx.Errand.EnqueueRatedMany(t.Context(), make([]today.Rated, 3))
				rated = append(rated, ids...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			receive(t, blocked)
			if ahead() {
				break
			}
			if round == 50 {
				t.Fatal("nothing was claimed ahead")
			}
			block <- struct{}{}
			for _, id := range rated {
				until(t, "the rated job", func() bool {
					p.clock.add(time.Second)
					return get(t, db, id).State == today.ErrandStateDone
				})
			}
		}
		before := began()
		p.clock.add(9 * time.Second) // they have waited so long since their claim
		close(block)
		for _, id := range rated {
			await(t, db, id)
		}
		if n := began() - before; n != 3 {
			t.Fatalf("%d of 3 began", n)
		}
		late := must(db.Errand.EnqueueRatedMany(t.Context(), make([]today.Rated, 3)))(t)
		for range 30 {
			p.clock.add(500 * time.Millisecond)
			drainWith(t, db, do, queue.Options{})
		}
		for _, id := range late {
			await(t, db, id)
		}
		for i := 3; i < len(starts); i++ {
			if span := starts[i].Sub(starts[i-3]); span < 10*time.Second {
				t.Errorf("starts %d to %d are %s apart, of a rate of 3 in 10 s", i-3, i, span)
			}
		}
		if n := must(db.Errand.Count(t.Context(), store.And(today.ErrandFields.QueueAttempts.Ne(1), today.ErrandFields.Kind.Eq("rated")), 0))(t); n != 0 {
			t.Errorf("%d rows lost or gained attempts", n)
		}
	})
}

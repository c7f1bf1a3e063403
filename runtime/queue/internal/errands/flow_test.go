package errands_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
)

// Each named queue has its own places: a full one does not hold another up.
func TestNamedQueues(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		started, release := make(chan string, 10), make(chan struct{})
		stop := work(t, db, today.Workers{Errand: does(func(_ context.Context, row *today.Errand, _ any) error {
			started <- row.QueueName
			<-release
			return nil
		})})
		for range 5 {
			must(db.Errand.EnqueueWalk(t.Context(), today.Walk{}))(t)
			must(db.Errand.EnqueueFilm(t.Context(), today.Film{}))(t)
		}
		got := map[string]int{}
		for range 3 {
			got[receive(t, started)]++
		}
		if got["main"] != 2 || got["media"] != 1 {
			t.Errorf("%v run at once, want 2 in main and 1 in media", got)
		}
		close(release)
		for range 7 {
			receive(t, started)
		}
		stop()
	})
}

func TestQueuesOfOptions(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		walk := must(db.Errand.EnqueueWalk(t.Context(), today.Walk{}))(t)
		film := must(db.Errand.EnqueueFilm(t.Context(), today.Film{}))(t)
		drainWith(t, db, nothing, queue.Options{Queues: map[string]int{"media": 0}})
		if row := get(t, db, walk.ID); row.State != today.ErrandStateReady {
			t.Errorf("a queue that is not to be worked was: %s", row.State)
		}
		if row := get(t, db, film.ID); row.State != today.ErrandStateDone {
			t.Errorf("the queue that is to be worked was not: %s", row.State)
		}
		for _, run := range []func() error{
			func() error {
				return db.Drain(t.Context(), today.Workers{Errand: does(nothing), ErrandOptions: queue.Options{Queues: map[string]int{"medai": 1}}})
			},
			func() error {
				return db.Run(t.Context(), today.Workers{Errand: does(nothing), ErrandOptions: queue.Options{Queues: map[string]int{"medai": 1}}})
			},
			func() error { return db.Errand.Pause(t.Context(), "medai") },
			func() error { return db.Errand.Resume(t.Context(), "medai") },
		} {
			if err := run(); err == nil || !strings.Contains(err.Error(), `no queue "medai"`) {
				t.Errorf("a queue that does not exist gives %v", err)
			}
		}
	})
}

// What one process pauses, no other takes up; and the same with resuming.
func TestPauseAcrossProcesses(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		worker, other := p.open(), p.open()
		if err := other.Errand.Pause(t.Context(), "media"); err != nil {
			t.Fatal(err)
		}
		work(t, worker, today.Workers{Errand: does(nothing)})
		film := must(other.Errand.EnqueueFilm(t.Context(), today.Film{}))(t)
		walk := must(other.Errand.EnqueueWalk(t.Context(), today.Walk{}))(t)
		await(t, worker, walk.ID) // of the queue that goes on
		if row := get(t, worker, film.ID); row.State != today.ErrandStateReady || row.QueueAttempts != 0 {
			t.Errorf("in the queue that is paused the row is %s", row.State)
		}
		if err := other.Errand.Resume(t.Context(), "media"); err != nil {
			t.Fatal(err)
		}
		if row := await(t, worker, film.ID); row.State != today.ErrandStateDone {
			t.Errorf("after resuming the row is %s", row.State)
		}
	})
}

// Resuming all resumes the named ones too, and a pause in a transaction that is
// rolled back is none.
func TestPauseOfAll(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		walk := must(db.Errand.EnqueueWalk(t.Context(), today.Walk{}))(t)
		film := must(db.Errand.EnqueueFilm(t.Context(), today.Film{}))(t)
		states := func(when string, walked, filmed today.ErrandState) {
			t.Helper()
			drain(t, p.open(), nothing)
			if w, f := get(t, db, walk.ID).State, get(t, db, film.ID).State; w != walked || f != filmed {
				t.Errorf("%s: %s and %s, want %s and %s", when, w, f, walked, filmed)
			}
		}
		const ready, done = today.ErrandStateReady, today.ErrandStateDone
		for _, err := range []error{db.Errand.Pause(t.Context()), db.Errand.Pause(t.Context(), "main"), db.Errand.Pause(t.Context(), "main")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		states("all paused", ready, ready)
		if err := db.Errand.Resume(t.Context(), "main"); err != nil {
			t.Fatal(err)
		}
		states("one resumed, but all paused", ready, ready)
		if err := db.Errand.Pause(t.Context(), "media"); err != nil {
			t.Fatal(err)
		}
		if err := db.Errand.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		no := errors.New("no")
		if err := db.Tx(t.Context(), func(tx *today.Tx) error {
			return errors.Join(tx.Errand.Pause(t.Context()), no)
		}); !errors.Is(err, no) {
			t.Fatal(err)
		}
		states("all resumed", done, done)
	})
}

// A handler that respects its context is retried after its timeout.
func TestTimeout(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		job := must(db.Errand.EnqueueSlow(t.Context(), today.Slow{}))(t)
		work(t, db, today.Workers{Errand: does(func(ctx context.Context, row *today.Errand, _ any) error {
			if row.QueueAttempts > 1 {
				return nil
			}
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, queue.ErrTimeout) {
				t.Errorf("the context ended with %v", cause)
			}
			return ctx.Err()
		})})
		row := await(t, db, job.ID)
		if row.State != today.ErrandStateDone || row.QueueAttempts != 2 || !strings.Contains(row.QueueError.V, "the handler's time is over (60ms)") {
			t.Errorf("the row is %s after %d attempts, error %q", row.State, row.QueueAttempts, row.QueueError.V)
		}
	})
}

// One that ignores its context is given up after the grace. Its row is tried
// again, its place stays taken, and what it returns at last does not count.
func TestTimeoutIgnored(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		job := must(db.Errand.EnqueueSlow(t.Context(), today.Slow{}))(t)
		release, started := make(chan struct{}), make(chan int64, 8)
		stop := work(t, db, today.Workers{
			ErrandOptions: queue.Options{Queues: map[string]int{"main": 2}, Grace: 20 * time.Millisecond},
			Errand: does(func(_ context.Context, row *today.Errand, _ any) error {
				started <- row.QueueAttempts
				if row.Kind == "slow" && row.QueueAttempts < 3 {
					<-release
					return errors.New("too late")
				}
				return nil
			}),
		})
		if first, second := receive(t, started), receive(t, started); first != 1 || second != 2 {
			t.Errorf("attempts %d and %d began", first, second)
		}
		// The third finds both places taken.
		until(t, "giving the second attempt up", func() bool {
			row := get(t, db, job.ID)
			return row.State == today.ErrandStateReady && row.QueueAttempts == 2
		})
		walk := must(db.Errand.EnqueueWalk(t.Context(), today.Walk{}, priority(1000)))(t)
		if row := get(t, db, walk.ID); row.State != today.ErrandStateReady || len(started) != 0 {
			t.Errorf("a place that is taken was given away")
		}
		close(release)
		row := await(t, db, job.ID)
		await(t, db, walk.ID)
		stop()
		if row.State != today.ErrandStateDone || row.QueueAttempts != 3 || !strings.Contains(row.QueueError.V, "did not return within 20ms") {
			t.Errorf("the row is %s after %d attempts, error %q", row.State, row.QueueAttempts, row.QueueError.V)
		}
	})
}

// How long a row waits after each attempt, by its kind, and else by the options.
func TestBackoff(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		own := func(n int, err error) time.Duration {
			if err == nil || err.Error() != "no" {
				t.Errorf("the backoff is asked about %v", err)
			}
			return time.Duration(n) * 7 * time.Second
		}
		exact := func(d ...time.Duration) func(i int) (time.Duration, time.Duration) {
			return func(i int) (time.Duration, time.Duration) { return d[i], d[i] }
		}
		listed := must(db.Errand.EnqueueListed(t.Context(), today.Listed{}))(t)
		squared := must(db.Errand.EnqueueSquared(t.Context(), today.Squared{}))(t)
		jittered := must(db.Errand.EnqueueJittered(t.Context(), today.Jittered{}))(t)
		walk := must(db.Errand.EnqueueWalk(t.Context(), today.Walk{}))(t)
		for _, test := range []struct {
			name     string
			id       today.ErrandID
			attempts int
			waits    func(i int) (least, most time.Duration)
		}{
			{"list", listed.ID, 4, exact(10*time.Second, time.Minute, time.Minute, time.Minute)},
			{"squared", squared.ID, 4, exact(time.Minute, 4*time.Minute, 9*time.Minute, 16*time.Minute)},
			{"options", walk.ID, 2, exact(7*time.Second, 14*time.Second)},
			{"exponential", jittered.ID, 14, func(i int) (least, most time.Duration) {
				d := min(15*time.Second<<i, 6*time.Hour)
				return d * 3 / 4, d * 5 / 4
			}},
		} {
			if _, err := db.Errand.Update(t.Context(), test.id, today.ErrandPatch{QueueRunAt: opt(p.clock.time())}); err != nil {
				t.Fatal(err)
			}
			for i := range test.attempts {
				drainWith(t, db, func(_ context.Context, row *today.Errand, _ any) error {
					if row.ID != test.id {
						return queue.Snooze(100 * 24 * time.Hour)
					}
					return errors.New("no")
				}, queue.Options{Backoff: own})
				row := get(t, db, test.id)
				least, most := test.waits(i)
				if wait := row.QueueRunAt.V.Sub(p.clock.time()); wait < least || wait > most || row.QueueAttempts != int64(i+1) || row.QueueHold != engine.HoldTime {
					t.Errorf("%s: after attempt %d of %d it waits %s with the hold %q, want %s to %s", test.name, row.QueueAttempts, i+1, wait, row.QueueHold, least, most)
				}
				p.clock.add(row.QueueRunAt.V.Sub(p.clock.time()))
			}
		}
	})
}

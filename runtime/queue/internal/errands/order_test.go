package errands_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	tomorrow "github.com/hegner123/modulagen/runtime/queue/internal/errands/tomorrow/generated"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func walk(t *testing.T, db *today.DB, n int64, opts ...func(*today.ErrandNew)) today.ErrandID {
	t.Helper()
	return must(db.Errand.EnqueueWalk(t.Context(), today.Walk{N: n}, opts...))(t).ID
}

// walked drains, and returns which ran in which order.
func walked(t *testing.T, db *today.DB) []int64 {
	t.Helper()
	var ran list[int64]
	drain(t, db, func(_ context.Context, _ *today.Errand, payload any) error {
		ran.add(payload.(today.Walk).N)
		return nil
	})
	return ran.get()
}

// A minute of waiting is worth one of priority.
func TestAgeing(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		walk(t, db, 1)
		p.clock.add(4*time.Minute + 59*time.Second)
		walk(t, db, 2, priority(5))
		p.clock.add(2 * time.Second)
		walk(t, db, 3, priority(5))
		walk(t, db, 4, priority(math.MinInt64))
		walk(t, db, 5, priority(math.MaxInt64))
		p.clock.add(time.Hour)
		walk(t, db, 6, priority(5))
		if got, want := walked(t, db), []int64{5, 2, 1, 3, 6, 4}; !slices.Equal(got, want) {
			t.Errorf("ran as %v, want %v", got, want)
		}
	})
}

func TestSetPriority(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		first, second, third := walk(t, db, 1), walk(t, db, 2), walk(t, db, 3, priority(math.MinInt64))
		for _, set := range []struct {
			id today.ErrandID
			to int64
		}{{first, math.MinInt64}, {third, math.MaxInt64}, {second, 7}, {first, math.MaxInt64}, {first, 6}} {
			if err := db.Errand.SetPriority(t.Context(), set.id, set.to); err != nil {
				t.Fatal(err)
			}
		}
		if row := get(t, db, first); row.Priority != 6 || row.QueueRank != p.clock.time().Add(-6*time.Minute).UnixMicro() {
			t.Errorf("priority %d, rank %d", row.Priority, row.QueueRank)
		}
		if got, want := walked(t, db), []int64{3, 2, 1}; !slices.Equal(got, want) {
			t.Errorf("ran as %v, want %v", got, want)
		}
	})
}

// A row for later is on hold, and runs on time; its time can be changed to an
// earlier one, a later one, and none.
func TestScheduled(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		began := p.clock.time()
		var ids []today.ErrandID
		for n := range int64(5) {
			ids = append(ids, walk(t, db, n, at(began.Add(time.Hour))))
		}
		now := walk(t, db, 5)
		if row := get(t, db, ids[0]); row.QueueHold != engine.HoldTime {
			t.Errorf("a row for later has the hold %q", row.QueueHold)
		}
		for id, to := range map[today.ErrandID]store.Opt[time.Time]{
			ids[1]: opt(began.Add(time.Minute)), ids[2]: opt(began.Add(2 * time.Hour)), ids[3]: store.SetNull[time.Time](),
			ids[4]: opt(began.Add(-time.Hour)), now: opt(began.Add(30 * time.Minute)),
		} {
			must(db.Errand.Update(t.Context(), id, today.ErrandPatch{QueueRunAt: to}))(t)
		}
		if row := get(t, db, now); row.QueueHold != engine.HoldTime {
			t.Errorf("a row that was put off has the hold %q: claims would meet it again and again", row.QueueHold)
		}
		for _, step := range []struct {
			after time.Duration
			want  []int64
		}{{0, []int64{3, 4}}, {time.Minute, []int64{1}}, {30 * time.Minute, []int64{5}}, {time.Hour - 1000, nil}, {time.Hour, []int64{0}}, {2 * time.Hour, []int64{2}}} {
			p.clock.add(began.Add(step.after).Sub(p.clock.time()))
			if got := walked(t, db); !slices.Equal(got, step.want) {
				t.Errorf("after %s %v ran, want %v", step.after, got, step.want)
			}
		}
	})
}

// A worker that sleeps wakes for a row's time by itself.
func TestScheduledWakesTheWorker(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		due := time.Now().Add(300 * time.Millisecond)
		id := walk(t, db, 1, at(due))
		work(t, db, today.Workers{ErrandOptions: queue.Options{Poll: time.Hour}, Errand: does(func(context.Context, *today.Errand, any) error {
			if early := time.Until(due); early > 50*time.Millisecond {
				t.Errorf("ran %s too early", early)
			}
			return nil
		})})
		await(t, db, id)
	})
}

// Rows that ended are deleted by state and age, in batches; the others stay.
func TestRetention(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		now := p.clock.time()
		add := func(n int, state today.ErrandState, ago time.Duration) {
			rows := slices.Repeat([]today.ErrandNew{{Kind: "walk", Payload: store.JSON(`{"n":1}`), State: opt(state)}}, n)
			ids := must(db.Errand.CreateMany(t.Context(), rows))(t)
			storetest.SetColumns(t, db.Store(), "errand", map[string]any{"queue_completed_at": now.Add(-ago)}, ids...)
		}
		add(1300, today.ErrandStateDone, time.Hour)
		add(7, today.ErrandStateDone, time.Hour-time.Second)
		add(11, today.ErrandStateDead, 2*time.Hour+time.Second)
		add(5, today.ErrandStateDead, 2*time.Hour-time.Second)
		add(3, today.ErrandStateCancelled, 1000*time.Hour)
		work(t, db, today.Workers{Errand: does(nothing)})
		until(t, "pruning", func() bool { return total(t, db) <= 7+5+3 })
		for state, want := range map[today.ErrandState]int{today.ErrandStateDone: 7, today.ErrandStateDead: 5, today.ErrandStateCancelled: 3} {
			if n := must(db.Errand.Count(t.Context(), today.ErrandFields.State.Eq(state), 0))(t); n != want {
				t.Errorf("%d rows are %s, want %d", n, state, want)
			}
		}
	})
}

// greets is a handler of the newer program's.
type greets struct {
	tomorrow.ErrandHandler

	ran list[string]
}

func (g *greets) Fly(_ context.Context, _ *tomorrow.FlyJob) error { g.ran.add("fly"); return nil }

func (g *greets) Greet(_ context.Context, j *tomorrow.GreetJob) error {
	g.ran.add(j.Payload.Given + " of " + j.Payload.Family)
	return nil
}

func (g *greets) GreetFromV2(_ context.Context, old tomorrow.GreetV2) (tomorrow.Greet, error) {
	return tomorrow.Greet{Given: old.First, Family: old.Last}, nil
}

// Payloads of earlier programs run; those of later ones, and kinds that are not
// known, wait untouched for a program that knows them.
func TestVersions(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		later := must(tomorrow.Open(t.Context(), p.dsn, p.options()))(t)
		t.Cleanup(func() { later.Close() })
		old := must(db.Errand.Create(t.Context(), today.ErrandNew{Kind: "greet", Payload: store.JSON(`{"name":"Ann Lee"}`)}))(t)
		odd := must(db.Errand.Create(t.Context(), today.ErrandNew{Kind: "greet", Payload: store.JSON(`{"name":"Ann"}`)}))(t)
		var strange []today.ErrandID
		fly := must(later.Errand.EnqueueFly(t.Context(), tomorrow.Fly{N: 1}))(t)
		greet := must(later.Errand.EnqueueGreet(t.Context(), tomorrow.Greet{Given: "Bo", Family: "Ek"}))(t)
		strange = append(strange, today.ErrandID(fly.ID), today.ErrandID(greet.ID))
		var ran list[string]
		drain(t, db, func(_ context.Context, _ *today.Errand, payload any) error {
			g := payload.(today.Greet)
			ran.add(g.First + "/" + g.Last)
			return nil
		})
		if got := ran.get(); !slices.Equal(got, []string{"Ann/Lee"}) || get(t, db, old.ID).State != today.ErrandStateDone || get(t, db, odd.ID).State != today.ErrandStateDead {
			t.Errorf("%q ran, the first is %s, the one that cannot be read %s", got, get(t, db, old.ID).State, get(t, db, odd.ID).State)
		}
		for _, id := range strange {
			row := get(t, db, id)
			if row.State != today.ErrandStateReady || row.QueueAttempts != 0 || row.QueueHold != "kind" || !row.QueueError.Valid {
				t.Errorf("%s: state %s, attempts %d, hold %q, error %q", row.Kind, row.State, row.QueueAttempts, row.QueueHold, row.QueueError.V)
			}
		}
		own := must(db.Errand.EnqueueGreet(t.Context(), today.Greet{First: "Cy", Last: "Day"}))(t)
		g := &greets{}
		if err := later.Drain(t.Context(), tomorrow.Workers{Errand: g}); err != nil {
			t.Fatal(err)
		}
		if got, want := g.ran.get(), []string{"fly", "Bo of Ek", "Cy of Day"}; !slices.Equal(got, want) {
			t.Errorf("the newer program ran %q, want %q", got, want)
		}
		if row := get(t, db, own.ID); row.State != today.ErrandStateDone {
			t.Errorf("today's row is %s", row.State)
		}
	})
}

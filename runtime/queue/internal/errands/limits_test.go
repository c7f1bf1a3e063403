package errands_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Two workers start no more than the rate allows in any span, and all there is
// in good time: a row that was too early is held, and released later.
func TestRate(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		first, second := p.open(), p.open()
		const jobs, most, every, step = 13, 3, 10 * time.Second, 700 * time.Millisecond
		for i := range jobs {
			must(first.Errand.EnqueueRated(t.Context(), today.Rated{N: int64(i)}))(t)
		}
		var starts list[time.Time]
		do := func(context.Context, *today.Errand, any) error {
			starts.add(p.clock.time())
			return nil
		}
		began := p.clock.time()
		for len(starts.get()) < jobs && p.clock.time().Sub(began) < 5*every {
			var both sync.WaitGroup
			for _, db := range []*today.DB{first, second} {
				both.Go(func() {
					if err := db.Drain(t.Context(), today.Workers{Errand: does(do)}); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			p.clock.add(step)
		}
		all := starts.get()
		if len(all) != jobs {
			t.Fatalf("%d of %d ran", len(all), jobs)
		}
		for i := most; i < jobs; i++ {
			if span := all[i].Sub(all[i-most]); span < every || span > every+2*step {
				t.Errorf("starts %d and %d are %s apart, want %s and little more", i-most, i, span, every)
			}
		}
		waiting := must(first.Errand.Count(t.Context(), today.ErrandFields.QueueAttempts.Ne(1), 0))(t)
		if waiting != 0 {
			t.Errorf("%d rows lost or gained attempts by waiting", waiting)
		}
	})
}

// Over two workers no more run at once than the limit allows, and others go on.
func TestConcurrency(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		first, second := p.open(), p.open()
		payloads := make([]today.Shared, 24)
		ids := must(first.Errand.EnqueueSharedMany(t.Context(), payloads))(t)
		var mu sync.Mutex
		running, most := 0, 0
		full := make(chan struct{}) // closed once two have run at once
		do := func(ctx context.Context, row *today.Errand, _ any) error {
			mu.Lock()
			running++
			if running == 2 && most < 2 {
				close(full)
			}
			most = max(most, running)
			mu.Unlock()
			<-full
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}
		for _, db := range []*today.DB{first, second} {
			work(t, db, today.Workers{Errand: does(do), ErrandOptions: queue.Options{Queues: map[string]int{"main": 6}}})
		}
		for _, id := range ids {
			await(t, first, id)
		}
		if most != 2 {
			t.Errorf("%d ran at once, want 2", most)
		}
	})
}

// Rows under a limit that wait in a queue which is paused, or which no worker works,
// do not take the room from those of another queue.
func TestLimitOverSeveralQueues(t *testing.T) {
	for name, pause := range map[string]bool{"paused": true, "not worked": false} {
		t.Run(name, func(t *testing.T) {
			live(t, func(t *testing.T, p *place) {
				db := p.open()
				elsewhere := func(n *today.ErrandNew) { n.QueueName, n.Priority = store.Set("media"), store.Int(9) }
				must(db.Errand.EnqueueSharedMany(t.Context(), make([]today.Shared, 200), elsewhere))(t)
				ids := must(db.Errand.EnqueueSharedMany(t.Context(), make([]today.Shared, 8)))(t)
				opts := queue.Options{Queues: map[string]int{"main": 6}}
				if pause {
					opts.Queues = nil
					if err := db.Errand.Pause(t.Context(), "media"); err != nil {
						t.Fatal(err)
					}
				}
				work(t, db, today.Workers{Errand: does(nothing), ErrandOptions: opts})
				for _, id := range ids {
					await(t, db, id)
				}
			})
		})
	}
}

// Callers that name the same keys, or the same queues, in another order do not wait
// for one another.
func TestOrderOfLocks(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		var callers sync.WaitGroup
		for caller := range uint64(6) {
			callers.Go(func() {
				r := rand.New(rand.NewPCG(seed, caller))
				for range 10 {
					payloads := make([]today.Kept, 6)
					for i, n := range r.Perm(len(payloads)) {
						payloads[i] = today.Kept{Key: fmt.Sprint("k", n), Number: 1}
					}
					ids, _, err := db.Errand.EnqueueKeptMany(t.Context(), payloads)
					if err != nil || len(ids) != len(payloads) {
						t.Error(len(ids), err)
					}
					for i, id := range ids {
						if row := get(t, db, id); !strings.Contains(string(row.Payload), payloads[i].Key) {
							t.Errorf("the id of %s is that of %s", payloads[i].Key, row.Payload)
						}
					}
					queues := []string{"main", "media"}
					r.Shuffle(2, func(i, j int) { queues[i], queues[j] = queues[j], queues[i] })
					if err := db.Errand.Pause(t.Context(), queues...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		callers.Wait()
		if p.name == "postgres" {
			deadlocks := must(core.One(t.Context(), db.Store().Conn(), statement("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), nil, func(n *int64) []any { return []any{n} }))(t)
			if deadlocks != 0 {
				t.Errorf("%d deadlocks", deadlocks)
			}
		}
	})
}

// A tenant with thousands of rows before those of another does not keep it
// waiting: what its limit refuses is out of the way at once, without a poll.
func TestFairness(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		const many = 5000
		payloads := make([]today.Fair, many)
		for i := range payloads {
			payloads[i] = today.Fair{Tenant: "great", N: int64(i)}
		}
		must(db.Errand.EnqueueFairMany(t.Context(), payloads))(t)
		small := must(db.Errand.EnqueueFairMany(t.Context(), []today.Fair{{Tenant: "small", N: 1}, {Tenant: "small", N: 2}, {Tenant: "small", N: 3}}))(t)
		release := make(chan struct{})
		var great list[int64]
		stop := work(t, db, today.Workers{
			ErrandOptions: queue.Options{Poll: time.Hour},
			Errand: does(func(_ context.Context, _ *today.Errand, payload any) error {
				if f := payload.(today.Fair); f.Tenant == "great" {
					great.add(f.N)
					<-release
				}
				return nil
			}),
		})
		for _, id := range small {
			await(t, db, id)
		}
		if got := great.get(); len(got) != 1 || got[0] != 0 {
			t.Errorf("%v of the great tenant ran, want the first alone", got)
		}
		held := must(db.Errand.Count(t.Context(), today.ErrandFields.QueueHold.Eq("limit"), 0))(t)
		if held < many-10 {
			t.Errorf("%d rows are out of the claim's sight, want nearly %d", held, many)
		}
		for range 4 {
			release <- struct{}{} // to the next, which the end of the one before releases
		}
		until(t, "the next of the great tenant", func() bool { return len(great.get()) > 4 })
		close(release)
		stop()
		for i, n := range great.get() {
			if n != int64(i) {
				t.Errorf("the great tenant's rows ran as %v", great.get())
				break
			}
		}
	})
}

// A drain goes on behind what a limit refuses.
func TestDrainBehindALimit(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		for i := range 8 {
			must(db.Errand.EnqueueRated(t.Context(), today.Rated{N: int64(i)}, priority(100)))(t)
		}
		walk := must(db.Errand.EnqueueWalk(t.Context(), today.Walk{}))(t)
		drain(t, db, func(_ context.Context, row *today.Errand, _ any) error {
			if row.Kind == "rated" {
				return errors.New("counts, whatever it gives")
			}
			return nil
		})
		if row := get(t, db, walk.ID); row.State != today.ErrandStateDone {
			t.Errorf("behind rows that are refused the row is %s", row.State)
		}
		if n := must(db.Errand.Count(t.Context(), store.And(today.ErrandFields.QueueAttempts.Eq(1), today.ErrandFields.Kind.Eq("rated")), 0))(t); n != 3 {
			t.Errorf("%d ran under a rate of 3", n)
		}
	})
}

// Keys of limits are compared to the letter, on every database.
func TestTenantsThatAreNearlyTheSame(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		tenants := []string{"a", "A", "a ", "á", "a,b", `a","b`, "a\\", "null", long('x'), long('y')}
		var payloads []today.Fair
		for _, tenant := range tenants {
			payloads = append(payloads, today.Fair{Tenant: tenant, N: 1}, today.Fair{Tenant: tenant, N: 2})
		}
		must(db.Errand.EnqueueFairMany(t.Context(), payloads))(t)
		started, release := make(chan string, 2*len(tenants)), make(chan struct{})
		work(t, db, today.Workers{
			ErrandOptions: queue.Options{Queues: map[string]int{"main": 2 * len(tenants)}},
			Errand: does(func(_ context.Context, _ *today.Errand, payload any) error {
				started <- payload.(today.Fair).Tenant
				<-release
				return nil
			}),
		})
		got := map[string]bool{}
		for range tenants {
			got[receive(t, started)] = true
		}
		if len(got) != len(tenants) {
			t.Errorf("%d of %d tenants run at once: %v", len(got), len(tenants), got)
		}
		close(release)
		for range tenants {
			receive(t, started)
		}
	})
}

func long(last rune) string { return fmt.Sprintf("%0900d", 0) + string(last) }

// handles is a handler of chores.
type handles func(ctx context.Context, row *today.Chore) error

func (h handles) Chore(ctx context.Context, row *today.Chore) error { return h(ctx, row) }

// Without kinds the limits count what Enqueue adds, by the row's own field.
func TestLimitsWithoutKinds(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		ran := map[string]int{}
		again := func() {
			t.Helper()
			err := db.Drain(t.Context(), today.Workers{Chore: handles(func(_ context.Context, row *today.Chore) error {
				ran[row.Owner.V]++
				return nil
			})})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 10 {
			n := today.ChoreNew{Owner: opt("ann"), Label: opt(fmt.Sprint("a", i))}
			unique(db.Chore.Enqueue(t.Context(), n))(t)
			if i < 3 {
				n.Owner = opt("bob")
				unique(db.Chore.Enqueue(t.Context(), n))(t)
			}
			must(db.Chore.Create(t.Context(), today.ChoreNew{Owner: opt("free")}))(t)
			unique(db.Chore.Enqueue(t.Context(), today.ChoreNew{Label: opt(fmt.Sprint("none", i)), Owner: store.SetNull[string]()}))(t)
		}
		again()
		if ran["ann"] != 6 || ran["bob"] != 3 || ran["free"] != 10 || ran[""] != 6 {
			t.Errorf("%v ran in the first minute; ann and the one without a name may have 6", ran)
		}
		p.clock.add(50 * time.Second)
		again()
		if ran["ann"] != 6 {
			t.Errorf("%v ran before the minute was over", ran)
		}
		p.clock.add(14 * time.Second)
		again()
		if ran["ann"] != 10 || ran[""] != 10 {
			t.Errorf("%v ran after a minute", ran)
		}
	})
}

// What a limit refuses does not keep what is behind it waiting: the worker looks
// further at once, and not when it would look next.
func TestBehindALimit(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		many := make([]today.Fair, 6)
		for i := range many {
			many[i].Tenant = "a"
		}
		var walk today.ErrandID
		err := db.Tx(t.Context(), func(tx *today.Tx) error {
			if _, err := tx.Errand.EnqueueFairMany(t.Context(), many, priority(1000)); err != nil {
				return err
			}
			row, err := tx.Errand.EnqueueWalk(t.Context(), today.Walk{})
			if err == nil {
				walk = row.ID
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		defer close(release)
		ran := make(chan struct{}, 1)
		work(t, db, today.Workers{
			ErrandOptions: queue.Options{Queues: map[string]int{"main": 2}, Poll: time.Hour, StopTimeout: time.Minute},
			Errand: does(func(_ context.Context, row *today.Errand, _ any) error {
				if row.ID == walk {
					ran <- struct{}{}
					return nil
				}
				<-release
				return nil
			}),
		})
		receive(t, ran)
	})
}

// A worker deletes the keys of its queue that nothing was admitted under for a day
// longer than any rate looks back, which is an hour here.
func TestUnusedLimitsAreDeleted(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		conn := db.Store().Conn()
		now := time.Now()
		limits := []struct {
			name   string
			paused bool
			ago    time.Duration
			stays  bool
		}{
			{"errand/rated:1", false, 26 * time.Hour, false},
			{"errand:2", false, 26 * time.Hour, false},
			{"errand", false, 26 * time.Hour, false},
			{"errand/rated:3", false, 23 * time.Hour, true},
			{"errand/rated:4", true, 26 * time.Hour, true},
			{"errands/send:5", false, 26 * time.Hour, true}, // another queue's
			{"pause:errand", false, 26 * time.Hour, true},
		}
		add := statement("INSERT INTO queue_limits (name, paused, used, seen) VALUES (?, ?, '', ?)")
		for _, l := range limits {
			if _, err := core.Exec(t.Context(), conn, add, []any{l.name, l.paused, now.Add(-l.ago).UnixMicro()}); err != nil {
				t.Fatal(err)
			}
		}
		names := func() map[string]bool {
			found := map[string]bool{}
			for _, name := range must(core.Many(t.Context(), conn, statement("SELECT name FROM queue_limits"), nil, func(s *string) []any { return []any{s} }))(t) {
				found[name] = true
			}
			return found
		}
		work(t, db, today.Workers{Errand: does(nothing)})
		until(t, "the removal of unused limits", func() bool { return !names()["errand"] })
		found := names()
		for _, l := range limits {
			if found[l.name] != l.stays {
				t.Errorf("%s is there: %t, want %t", l.name, found[l.name], l.stays)
			}
		}
	})
}

// statement is a statement that the databases write alike, but for placeholders.
func statement(text string) *core.Statement {
	s := &core.Statement{Text: [3]string{text, text, text}}
	for i := 1; strings.Contains(s.Text[sqltext.Postgres], "?"); i++ {
		s.Text[sqltext.Postgres] = strings.Replace(s.Text[sqltext.Postgres], "?", fmt.Sprint("$", i), 1)
	}
	return s
}

package errands_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

func total(t *testing.T, db *today.DB) int {
	t.Helper()
	return must(db.Errand.Count(t.Context(), today.ErrandFields.ID.Gt(0), 0))(t)
}

// Of those who add the same at the same time one adds it, and all get that row.
func TestUniqueRace(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db, other := p.open(), p.open()
		const racers, rounds = 16, 3
		for round := range rounds {
			var ids list[today.ErrandID]
			var adders list[int]
			var all sync.WaitGroup
			start := make(chan struct{})
			for i := range racers {
				all.Go(func() {
					<-start
					payload := today.Kept{Key: "same", Number: int64(round)}
					var row *today.Errand
					var added bool
					var err error
					switch i % 4 {
					case 0:
						row, added, err = other.Errand.EnqueueKept(t.Context(), payload)
					case 1:
						err = db.Tx(t.Context(), func(tx *today.Tx) (err error) {
							row, added, err = tx.Errand.EnqueueKept(t.Context(), payload)
							return err
						})
					default:
						row, added, err = db.Errand.EnqueueKept(t.Context(), payload)
					}
					if err != nil {
						t.Error(err)
						return
					}
					ids.add(row.ID)
					if added {
						adders.add(i)
					}
				})
			}
			close(start)
			all.Wait()
			for _, id := range ids.get() {
				if id != ids.get()[0] {
					t.Errorf("round %d gave the rows %v", round, ids.get())
					break
				}
			}
			if who := adders.get(); len(who) != 1 {
				t.Errorf("round %d: %v say that they added the row, want one", round, who)
			}
			if n := total(t, db); n != round+1 {
				t.Errorf("after %d rounds there are %d rows", round+1, n)
			}
		}
	})
}

// The caller can tell a new job from a duplicate, whatever becomes of that.
func TestUniqueAdded(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		type enqueue func() (*today.Errand, bool, error)
		for name, enqueue := range map[string]enqueue{
			"keep": func() (*today.Errand, bool, error) {
				return db.Errand.EnqueueKept(t.Context(), today.Kept{Key: "k"})
			},
			"for": func() (*today.Errand, bool, error) {
				return db.Errand.EnqueueHourly(t.Context(), today.Hourly{Key: "k"})
			},
			"replace": func() (*today.Errand, bool, error) {
				return db.Errand.EnqueueReplaced(t.Context(), today.Replaced{Key: "k", Tenant: "a"})
			},
			"debounce": func() (*today.Errand, bool, error) {
				return db.Errand.EnqueueBounced(t.Context(), today.Bounced{Key: "k"})
			},
		} {
			first, added, err := enqueue()
			if err != nil || !added {
				t.Errorf("%s: the first is added: %t, %v", name, added, err)
			}
			second, added, err := enqueue()
			if err != nil || added || second.ID != first.ID {
				t.Errorf("%s: a duplicate is added: %t as %d, the first is %d, %v", name, added, second.ID, first.ID, err)
			}
			drain(t, db, nothing)
		}
		if _, added, err := db.Chore.Enqueue(t.Context(), today.ChoreNew{Label: opt("l"), Owner: opt("o")}); err != nil || !added {
			t.Errorf("without kinds the first is added: %t, %v", added, err)
		}
		if _, added, err := db.Chore.Enqueue(t.Context(), today.ChoreNew{Label: opt("l"), Owner: opt("o")}); err != nil || added {
			t.Errorf("without kinds a duplicate is added: %t, %v", added, err)
		}
		if row, added, err := db.Errand.EnqueueKept(t.Context(), today.Kept{Key: string(make([]byte, 6000))}); err == nil || added || row != nil {
			t.Errorf("of a payload that is refused: %v, %t, %v", row, added, err)
		}
	})
}

// Keep: while the old one is unfinished the new one is the old one.
func TestUniqueKeep(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		add := func(note string) *today.Errand {
			t.Helper()
			return unique(db.Errand.EnqueueKept(t.Context(), today.Kept{Key: "k", Number: 1, Note: store.Some(note)}))(t)
		}
		first := add("first")
		var ran list[string]
		drain(t, db, func(_ context.Context, row *today.Errand, payload any) error {
			ran.add(payload.(today.Kept).Note.V)
			if n := len(ran.get()); n == 1 {
				if again := add("while it runs"); again.ID != first.ID {
					t.Error("while it runs another was added")
				}
				return errors.New("no")
			}
			return nil
		})
		if again := add("while it waits"); again.ID != first.ID {
			t.Error("while it waits to be tried again another was added")
		}
		p.clock.add(time.Hour)
		drain(t, db, func(_ context.Context, _ *today.Errand, payload any) error {
			ran.add(payload.(today.Kept).Note.V)
			return nil
		})
		if again := add("later"); again.ID == first.ID {
			t.Error("after its end it kept others away")
		}
		if got := ran.get(); len(got) != 2 || got[0] != "first" || got[1] != "first" {
			t.Errorf("%q ran; what is kept keeps its payload", got)
		}
	})
}

// For a time the key holds whatever becomes of the row, and no longer.
func TestUniqueFor(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		add := func() today.ErrandID {
			t.Helper()
			return unique(db.Errand.EnqueueHourly(t.Context(), today.Hourly{Key: "k"}))(t).ID
		}
		first := add()
		drain(t, db, nothing)
		p.clock.add(time.Hour - time.Second)
		if again := add(); again != first {
			t.Error("within the hour another was added")
		}
		p.clock.add(2 * time.Second)
		second := add()
		if second == first {
			t.Error("after the hour none was added")
		}
		if again := add(); again != second {
			t.Error("the second does not keep others away")
		}
	})
}

// Replace: one that waits takes the new payload, limit and priority; beside one
// that runs a new one is added.
func TestUniqueReplace(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		add := func(note, tenant string, opts ...func(*today.ErrandNew)) *today.Errand {
			t.Helper()
			return unique(db.Errand.EnqueueReplaced(t.Context(), today.Replaced{Key: "k", Tenant: tenant, Note: store.Some(note)}, opts...))(t)
		}
		first := add("one", "a")
		second := add("two", "b", priority(3), at(p.clock.time().Add(time.Minute)))
		if second.ID != first.ID || second.QueueLimit.V != `errand/replaced:b` || second.QueueHold != "time" {
			t.Errorf("replaced by %d (the first is %d) under %q with the hold %q", second.ID, first.ID, second.QueueLimit.V, second.QueueHold)
		}
		if second.Priority != 3 || second.QueueRank != first.QueueRank-3*time.Minute.Microseconds() {
			t.Errorf("the priority is %d and the rank %d, before %d", second.Priority, second.QueueRank, first.QueueRank)
		}
		drain(t, db, func(context.Context, *today.Errand, any) error {
			t.Error("ran before its new time")
			return nil
		})
		p.clock.add(time.Minute)
		var ran list[string]
		drain(t, db, func(_ context.Context, _ *today.Errand, payload any) error {
			note := payload.(today.Replaced).Note.V
			if ran.add(note) == 1 {
				if third := add("three", "b"); third.ID == first.ID {
					t.Error("one that runs was replaced")
				}
			}
			return nil
		})
		if got := ran.get(); len(got) != 2 || got[0] != "two" || got[1] != "three" {
			t.Errorf("%q ran", got)
		}
	})
}

// Debounce: each new one puts the job off, up to a time from the first on.
func TestUniqueDebounce(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		began := p.clock.time()
		for _, step := range []struct{ at, due time.Duration }{{0, 30}, {20, 50}, {40, 60}, {55, 60}} {
			p.clock.add(began.Add(step.at * time.Second).Sub(p.clock.time()))
			note := step.at.String()
			row := unique(db.Errand.EnqueueBounced(t.Context(), today.Bounced{Key: "k", Note: store.Some(note)}))(t)
			if due := row.QueueRunAt.V.Sub(began); due != step.due*time.Second || row.QueueHold != "time" {
				t.Errorf("after %d s it is due after %s with the hold %q, want %d s", step.at, due, row.QueueHold, step.due)
			}
		}
		var ran list[string]
		do := func(_ context.Context, _ *today.Errand, payload any) error {
			ran.add(payload.(today.Bounced).Note.V)
			return nil
		}
		p.clock.add(4 * time.Second)
		drain(t, db, do)
		if got := ran.get(); len(got) != 0 {
			t.Errorf("%q ran too early", got)
		}
		p.clock.add(time.Second)
		drain(t, db, do)
		if got := ran.get(); len(got) != 1 || got[0] != time.Duration(55).String() || total(t, db) != 1 {
			t.Errorf("%q ran, want the last alone", got)
		}
		if row := unique(db.Errand.EnqueueBounced(t.Context(), today.Bounced{Key: "k"}))(t); row.QueueRunAt.V.Sub(p.clock.time()) != 30*time.Second {
			t.Errorf("the next waits until %s", row.QueueRunAt.V)
		}
	})
}

// Many with duplicates among them return one id for each payload; a transaction
// that is rolled back leaves neither row nor key.
func TestUniqueMany(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		payloads := []today.Kept{{Key: "a"}, {Key: "b"}, {Key: "a"}, {Key: "b", Number: 1}, {Key: "a"}}
		no := errors.New("no")
		if err := db.Tx(t.Context(), func(tx *today.Tx) error {
			_, _, err := tx.Errand.EnqueueKeptMany(t.Context(), payloads)
			return errors.Join(err, no)
		}); !errors.Is(err, no) || total(t, db) != 0 {
			t.Fatalf("rolled back with %v there are %d rows", err, total(t, db))
		}
		ids, added, err := db.Errand.EnqueueKeptMany(t.Context(), payloads)
		if err != nil {
			t.Fatal(err)
		}
		if ids[0] != ids[2] || ids[0] != ids[4] || ids[0] == ids[1] || ids[1] == ids[3] || total(t, db) != 3 {
			t.Errorf("ids %v, %d rows", ids, total(t, db))
		}
		if want := []bool{true, true, false, true, false}; !slices.Equal(added, want) {
			t.Errorf("added %v, want %v", added, want)
		}
		again, added, err := db.Errand.EnqueueKeptMany(t.Context(), payloads)
		if err != nil || !slices.Equal(again, ids) || slices.Contains(added, true) {
			t.Errorf("enqueued again: ids %v, added %v, %v; want %v and none", again, added, err, ids)
		}
	})
}

// Keys are compared to the letter, on every database.
func TestUniqueKeysThatAreNearlyTheSame(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		keys := []string{"a", "A", "a ", " a", "á", "a\u0301", "a,1", `a",1`, `"a"`, `a\`, "null", "#", "1", "a\nb", "a\tb", "😀", long('x'), long('y')}
		for range 2 {
			for _, key := range keys {
				unique(db.Errand.EnqueueKept(t.Context(), today.Kept{Key: key, Number: 1}))(t)
			}
		}
		if n := total(t, db); n != len(keys) {
			t.Errorf("%d rows of %d keys", n, len(keys))
		}
	})
}

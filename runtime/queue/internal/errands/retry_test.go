package errands_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// dead enqueues a unique job that fails for good.
func dead(t *testing.T, db *today.DB, key string) today.ErrandID {
	t.Helper()
	row := unique(db.Errand.EnqueueKept(t.Context(), today.Kept{Key: key}))(t)
	drain(t, db, func(context.Context, *today.Errand, any) error { return queue.Discard(errors.New("no")) })
	if now := get(t, db, row.ID); now.State != today.ErrandStateDead {
		t.Fatalf("the row is %s, not dead", now.State)
	}
	return row.ID
}

// unfinished counts the rows of a key that are ready or running.
func unfinished(t *testing.T, db *today.DB, key string) int {
	t.Helper()
	f := today.ErrandFields
	return must(db.Errand.Count(t.Context(), store.And(
		f.QueueUnique.Eq(engine.Key("errand/kept", key, int64(0))),
		f.State.In(today.ErrandStateReady, today.ErrandStateRunning),
	), 0))(t)
}

// byHand are the ways to make a row ready again without Retry.
func byHand(t *testing.T, db *today.DB) map[string]func(id today.ErrandID) error {
	f := today.ErrandPatch{State: store.Set(today.ErrandStateReady)}
	return map[string]func(id today.ErrandID) error{
		"Update": func(id today.ErrandID) error {
			_, err := db.Errand.Update(t.Context(), id, f)
			return err
		},
		"SQL": func(id today.ErrandID) error {
			return byStatement(t, db, fmt.Sprintf("UPDATE errand SET state = 'ready', queue_hold = '', queue_attempts = 0 WHERE id = %d", id))
		},
	}
}

func byStatement(t *testing.T, db *today.DB, text string) error {
	_, err := db.Store().Conn().Exec(t.Context(), text, nil)
	return err
}

// A dead unique job that is made ready again takes its key back, however that
// is done: what is enqueued after that is a duplicate of it.
func TestUniqueKeyIsTakenBack(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		ways := byHand(t, db)
		ways["Retry"] = func(id today.ErrandID) error { return db.Errand.Retry(t.Context(), id) }
		for name, retry := range ways {
			id := dead(t, db, name)
			if err := retry(id); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			row, added, err := db.Errand.EnqueueKept(t.Context(), today.Kept{Key: name})
			if err != nil || added || row.ID != id {
				t.Errorf("%s: enqueued again it is %d, new %t, %v; want the retried %d", name, row.ID, added, err, id)
			}
			if n := unfinished(t, db, name); n != 1 {
				t.Errorf("%s: %d unfinished jobs of one key", name, n)
			}
			drain(t, db, nothing)
			if row := get(t, db, id); row.State != today.ErrandStateDone {
				t.Errorf("%s: after its second run the row is %s", name, row.State)
			}
			if _, added, err := db.Errand.EnqueueKept(t.Context(), today.Kept{Key: name}); err != nil || !added {
				t.Errorf("%s: after its end the key is still held: added %t, %v", name, added, err)
			}
			drain(t, db, nothing)
		}
	})
}

// While a duplicate holds the key of a dead job, that stays dead: Retry says
// which row has the key, and the database refuses what is done by hand.
func TestUniqueKeyIsHeldByAnother(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		refused := func(t *testing.T, first, second today.ErrandID, key string) {
			t.Helper()
			err := db.Errand.Retry(t.Context(), first)
			d, ok := errors.AsType[*queue.DuplicateError](err)
			if !ok || !errors.Is(err, queue.ErrDuplicate) || d.ID != int64(first) || d.Holder != int64(second) || d.Datatype != "errand" {
				t.Errorf("Retry: %v (%+v), want a DuplicateError with the holder %d", err, d, second)
			}
			if err := db.Tx(t.Context(), func(tx *today.Tx) error { return tx.Errand.Retry(t.Context(), first) }); !errors.Is(err, queue.ErrDuplicate) {
				t.Errorf("Retry in a transaction: %v", err)
			}
			for name, retry := range byHand(t, db) {
				if err := retry(first); name == "Update" && !errors.Is(err, store.ErrConflict) || err == nil {
					t.Errorf("%s: %v, want store.ErrConflict of Update and an error of SQL", name, err)
				}
			}
			if row := get(t, db, first); row.State != today.ErrandStateDead {
				t.Errorf("the row is %s", row.State)
			}
			if n := unfinished(t, db, key); n != 1 {
				t.Errorf("%d unfinished jobs of one key", n)
			}
		}
		first := dead(t, db, "k")
		second := unique(db.Errand.EnqueueKept(t.Context(), today.Kept{Key: "k"}))(t).ID
		refused(t, first, second, "k")
		drain(t, db, func(context.Context, *today.Errand, any) error {
			refused(t, first, second, "k") // also while it runs
			return nil
		})
		if err := db.Errand.Retry(t.Context(), first); err != nil {
			t.Errorf("after the end of the duplicate: %v", err)
		}
		if n := unfinished(t, db, "k"); n != 1 {
			t.Errorf("%d unfinished jobs of one key", n)
		}
	})
}

// A job that yielded its key to one that came while it ran runs to its end
// without it, also over a retry; once it has ended it competes for the key again.
func TestUniqueKeyThatWasYielded(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		payload := today.Replaced{Key: "k", Tenant: "a"}
		first := unique(db.Errand.EnqueueReplaced(t.Context(), payload, attempts(2)))(t).ID
		var second today.ErrandID
		drain(t, db, func(_ context.Context, row *today.Errand, _ any) error {
			if row.ID == first {
				second = unique(db.Errand.EnqueueReplaced(t.Context(), payload, at(p.clock.time().Add(24*time.Hour))))(t).ID
				return errors.New("no")
			}
			return nil
		})
		if second == first {
			t.Fatal("one that runs was replaced")
		}
		if err := db.Errand.Retry(t.Context(), first); err != nil { // it waits; it is brought forward
			t.Errorf("Retry of a job that waits: %v", err)
		}
		drain(t, db, func(context.Context, *today.Errand, any) error { return queue.Discard(errors.New("no")) })
		if row := get(t, db, first); row.State != today.ErrandStateDead || row.QueueYielded {
			t.Errorf("the first is %s, yielded %t", row.State, row.QueueYielded)
		}
		err := db.Errand.Retry(t.Context(), first)
		if d, ok := errors.AsType[*queue.DuplicateError](err); !ok || d.Holder != int64(second) {
			t.Errorf("Retry of the dead one: %v", err)
		}
		if err := db.Errand.Cancel(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if err := db.Errand.Retry(t.Context(), first); err != nil {
			t.Errorf("Retry once the other is cancelled: %v", err)
		}
		if again := unique(db.Errand.EnqueueReplaced(t.Context(), payload))(t); again.ID != first {
			t.Errorf("enqueued again it is %d, want the retried %d", again.ID, first)
		}
	})
}

// A key that holds for a time keeps a dead job dead until then, and a retried
// job holds its key for as long as it is unfinished.
func TestUniqueKeyForATimeIsTakenBack(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		add := func() (*today.Errand, bool, error) {
			return db.Errand.EnqueueHourly(t.Context(), today.Hourly{Key: "k"})
		}
		first := unique(add())(t).ID
		drain(t, db, func(context.Context, *today.Errand, any) error { return queue.Discard(errors.New("no")) })
		p.clock.add(2 * time.Hour)
		second := unique(add())(t).ID
		drain(t, db, nothing)
		err := db.Errand.Retry(t.Context(), first)
		if d, ok := errors.AsType[*queue.DuplicateError](err); !ok || d.Holder != int64(second) {
			t.Errorf("within the hour of another: %v", err)
		}
		p.clock.add(2 * time.Hour)
		if err := db.Errand.Retry(t.Context(), first); err != nil {
			t.Errorf("after that hour: %v", err)
		}
		if row, added, err := add(); err != nil || added || row.ID != first {
			t.Errorf("while the retried job is unfinished: %d, added %t, %v", row.ID, added, err)
		}
	})
}

// A debounced job that has ended holds nothing, although its time has not come.
func TestDebouncedKeyIsFreeAfterTheEnd(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open()
		fail := true
		run := func() {
			t.Helper()
			p.clock.add(31 * time.Second)
			drain(t, db, func(context.Context, *today.Errand, any) error {
				if fail {
					return queue.Discard(errors.New("no"))
				}
				return nil
			})
		}
		first := unique(db.Errand.EnqueueBounced(t.Context(), today.Bounced{Key: "k"}))(t).ID
		run()
		fail = false
		unique(db.Errand.EnqueueBounced(t.Context(), today.Bounced{Key: "k"}))(t)
		run()
		if err := db.Errand.Retry(t.Context(), first); err != nil {
			t.Errorf("Retry after the end of the other: %v", err)
		}
	})
}

// Of those that retry and enqueue the same job at the same time one wins.
func TestUniqueRetryRace(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db, other := p.open(), p.open()
		for round := range 3 {
			key := fmt.Sprint(round)
			var ids []today.ErrandID
			for range 2 {
				ids = append(ids, dead(t, db, key))
			}
			var all sync.WaitGroup
			start := make(chan struct{})
			for i := range 12 {
				by := []*today.DB{db, other}[i%2]
				all.Go(func() {
					<-start
					var err error
					if i%3 == 0 {
						_, _, err = by.Errand.EnqueueKept(t.Context(), today.Kept{Key: key})
					} else if err = by.Errand.Retry(t.Context(), ids[i%3-1]); errors.Is(err, queue.ErrDuplicate) {
						err = nil
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			if n := unfinished(t, db, key); n != 1 {
				t.Errorf("round %d: %d unfinished jobs of one key", round, n)
			}
			drain(t, db, nothing)
		}
	})
}

func attempts(n int64) func(*today.ErrandNew) {
	return func(row *today.ErrandNew) { row.QueueMaxAttempts = store.Set(n) }
}

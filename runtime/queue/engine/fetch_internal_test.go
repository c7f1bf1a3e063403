package engine

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// bareRow is a row of the bare table.
type bareRow struct{ id, epoch int64 }

// claimable has claims find all ready rows, without changing them.
func (b *bare) claimable() (reads *atomic.Int64) {
	st := b.shape.st
	st.Claim = same("SELECT id, epoch FROM work WHERE state = 'ready' ORDER BY id LIMIT ?", protocol.ArgLimit)
	st.Claim.Text[sqltext.MySQL] = "SELECT id FROM work WHERE state = 'ready' ORDER BY id LIMIT ?"
	st.Take = onMySQL("UPDATE work SET epoch = epoch WHERE id IN (?)", protocol.ArgID)
	st.Read = onMySQL("SELECT id, epoch FROM work WHERE id IN (?) ORDER BY id", protocol.ArgID)
	reads = &atomic.Int64{}
	b.shape.read = func(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]any, error) {
		reads.Add(1)
		rows, err := core.Many(ctx, c, st, args, func(r *bareRow) []any { return []any{&r.id, &r.epoch} })
		list := make([]any, len(rows))
		for i := range rows {
			list[i] = &rows[i]
		}
		return list, err
	}
	b.shape.fields = func(any) []any { return nil }
	b.shape.claimed = func(row any) Claimed {
		r := row.(*bareRow)
		return Claimed{ID: r.id, Epoch: r.epoch, Limit: "work/all", Attempt: 1, MaxAttempts: 3}
	}
	return reads
}

// Rows that a limit refuses count among those that a claim met. When it met as many
// as it asked for there may be others behind them, and the worker claims again
// before it asks when the next row is due, and sleeps until then.
func TestRefusedRowsAreMet(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		const wanted = 3
		b.withLimits(t)
		b.claimed(t, wanted)
		b.exec(t, b.db, "UPDATE work SET state = 'ready'")
		b.exec(t, b.db, "INSERT INTO work (id, epoch, state, due) VALUES (100, 1, 'not asked', '2500-01-01 00:00:00')")
		reads := b.claimable()
		b.shape.policies = map[string]Policy{"": {Concurrency: 1}}
		st := b.shape.st
		st.LimitRunning = same("SELECT COUNT(*) FROM work WHERE state = 'ready'")
		st.Release = same("UPDATE work SET epoch = epoch WHERE id = ? AND epoch = ?", protocol.ArgID, protocol.ArgEpoch)
		st.HoldLimited = same("UPDATE work SET epoch = epoch WHERE id = 0")
		st.NextDue = same("DELETE FROM work WHERE state = 'not asked' RETURNING due") // it shows that it ran

		claims, met, err := b.fetcher.claim(t.Context(), newLocalQueue("", wanted, 64<<20), wanted)
		if err != nil || len(claims) != 1 || met != wanted {
			t.Fatalf("of %d rows %d were claimed and %d met, %v; want 1 and all, since a limit refused the others", wanted, len(claims), met, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b.fetcher.poll = time.Millisecond
		b.performer.handler = func(context.Context, any) error { return nil }
		reads.Store(0)
		read := b.shape.read
		b.shape.read = func(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]any, error) {
			if reads.Load() == 1 { // the second claim
				cancel()
				if !slices.Contains(b.states(t), "not asked") {
					t.Error("the worker asked when the next row is due, and slept, in front of rows that it can claim")
				}
			}
			return read(ctx, c, st, args)
		}
		b.fetcher.run(ctx, newLocalQueue("", wanted, 64<<20))
		b.performer.running.Wait()
		if n := reads.Load(); n != 2 {
			t.Errorf("the worker claimed %d times", n)
		}
	})
}

// A row that is left for another program is kept from the claims of this one.
func TestParkedRowIsHeld(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.shape.st.Release = same("UPDATE work SET state = CASE WHEN ? = '"+protocol.HoldKind+"' THEN 'held' ELSE 'ready' END WHERE id = ? AND epoch = ?", protocol.ArgHold, protocol.ArgID, protocol.ArgEpoch)
		claims := b.claimed(t, 2)
		group := append(ends(claims[:1], b.performer.decide(claims[0], UnknownKind("other"))), ends(claims[1:], outcome{verb: toRelease})...)
		if left, err := b.settler.write(t.Context(), group); err != nil || len(left) > 0 {
			t.Fatalf("%d ends were not written, %v", len(left), err)
		}
		if got := b.states(t); !slices.Equal(got, []string{"held", "ready"}) {
			t.Errorf("a row of an unknown kind, and one that is given back, are %q", got)
		}
	})
}

// What waits for a reader when its context ends is still read.
func TestEventsThatWaitAreRead(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		ctx, cancel := context.WithCancel(t.Context())
		all := Events[int64](ctx, b.db, b.shape.name)
		h := eventsOf(b.db, b.shape.name)
		for id := range int64(eventBuffer) {
			h.send(queue.Event[any]{Type: queue.Done, ID: id})
		}
		var s *subscriber
		for s = range h.subs {
			break
		}
		cancel()
		<-s.last
		next := int64(0)
		for ev := range all {
			if ev.ID != next {
				t.Fatalf("event %d was read, want %d", ev.ID, next)
			}
			next++
		}
		if next != eventBuffer {
			t.Errorf("%d of %d events were read", next, eventBuffer)
		}
	})
}

// While too many ends wait to be written, nothing is claimed: after an outage it
// would only wait, and its lease end.
func TestFetcherWaitsForTheSettler(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.claimed(t, 1)
		b.exec(t, b.db, "UPDATE work SET state = 'ready'")
		reads := b.claimable()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		asked := 0
		var began []*claim
		f := &fetcher{
			table: b.table, lease: time.Minute, poll: time.Millisecond, claims: newClaimSet(quiet()),
			limiter: &limiter{table: b.table}, observer: quiet(),
			full: func() bool {
				if n := reads.Load(); n != 0 {
					t.Errorf("%d claims while the settler is full", n)
				}
				asked++
				return asked < 3
			},
			start: func(_ *localQueue, c *claim) { began = append(began, c); cancel() },
		}
		f.run(ctx, newLocalQueue("", 1, 64<<20))
		if asked != 3 || len(began) != 1 || began[0].ID != int64(1) {
			t.Errorf("asked %d times, %d began", asked, len(began))
		}
	})
}

// A fetcher counts as waiting for as long as it sleeps, and no longer: maintenance would never
// promote again.
func TestFetcherWaitsForAsLongAsItSleeps(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.claimable()
		b.shape.st.NextDue = same("SELECT due FROM work WHERE state = 'later' LIMIT ?", protocol.ArgLimit)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		f := &fetcher{table: b.table, lease: time.Minute, poll: time.Millisecond, claims: newClaimSet(quiet()), limiter: &limiter{table: b.table}, observer: quiet()}
		asked := 0
		f.full = func() bool {
			if n := f.waiting.Load(); n != 0 {
				t.Errorf("%d wait although the one that there is claims", n)
			}
			if asked++; asked == 4 {
				cancel()
			}
			return false
		}
		f.run(ctx, newLocalQueue("", 1, 64<<20))
		if asked != 4 {
			t.Errorf("it claimed %d times within a minute", asked)
		}
	})
}

// While a fetcher sleeps until the next row is due, maintenance does not look for due rows; while
// none does, because they always find rows to claim, it makes them claimable.
func TestMaintenancePromotesForBusyFetchers(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		f := &fetcher{table: b.table}
		for _, step := range []struct {
			waiting int32
			want    string
		}{{1, "later"}, {0, "ready"}} {
			b.exec(t, b.db, "DELETE FROM work")
			b.claimed(t, 1)
			b.exec(t, b.db, "UPDATE work SET state = 'later'")
			f.waiting.Store(step.waiting)
			if err := f.promoteMeanwhile(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := b.states(t); !slices.Equal(got, []string{step.want}) {
				t.Errorf("with %d that wait, the row is %v, want %s", step.waiting, got, step.want)
			}
		}
	})
}

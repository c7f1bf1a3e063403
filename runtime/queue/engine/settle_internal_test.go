package engine

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// counting is a Telemetry that keeps what it is called with.
type counting struct {
	mu     sync.Mutex
	events []queue.EventType
}

func (c *counting) Start(ctx context.Context, _ queue.JobRun) (context.Context, queue.Span) {
	return ctx, nil
}

func (c *counting) Count(_ queue.JobRun, event queue.EventType, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, event)
}

// A result that comes after another worker has taken the job is not written, and
// is reported as a lost lease, not as an end.
func TestSettlerRefusesWhatIsLate(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		claims := b.claimed(t, 2)
		b.exec(t, b.db, "UPDATE work SET epoch = 2 WHERE id = 1")
		seen := &counting{}
		o := quiet()
		o.tele.to = seen
		set := newClaimSet(o)
		set.add(claims)
		s := &settler{table: b.table, buffer: newSettleBuffer(), claims: set, limiter: &limiter{table: b.table}, ended: b.ended, observer: o}
		for _, c := range claims {
			s.settle(c, outcome{verb: toSnooze, delay: time.Hour})
		}
		if err := s.flush(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := b.states(t); !slices.Equal(got, []string{"running", "ready"}) {
			t.Errorf("the rows are %v", got)
		}
		if !slices.Equal(seen.events, []queue.EventType{queue.LeaseLost, queue.Snoozed}) || len(set.all()) != 0 {
			t.Errorf("reported were %v, and %d claims are left", seen.events, len(set.all()))
		}
	})
}

// The last report of a handler is on the row of an ended job although the monitor has taken
// it up to write and comes after the end, or had an older one to write.
func TestSettlerWritesWhatTheMonitorHasTaken(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.exec(t, b.db, "ALTER TABLE work ADD COLUMN note varchar(20) NOT NULL DEFAULT ''")
		b.shape.st.Report = same("UPDATE work SET note = ? WHERE id = ? AND epoch = ? AND state = 'running'",
			protocol.ArgNote, protocol.ArgID, protocol.ArgEpoch)
		claims := b.claimed(t, 2)
		claims[0].handle.SetProgress(1, "last")
		claims[1].handle.SetProgress(0.5, "old")
		taken := reports(claims)
		claims[1].handle.SetProgress(1, "new")
		for _, c := range claims {
			b.settler.settle(c, outcome{verb: toSnooze, delay: time.Hour})
		}
		if err := b.settler.flush(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := b.writeProgress(t.Context(), b.db.Conn(), taken); err != nil {
			t.Fatal(err)
		}
		st := plain("SELECT note FROM work ORDER BY id")
		notes, err := core.Many(t.Context(), b.db.Conn(), &st, nil, func(s *string) []any { return []any{s} })
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(notes, []string{"last", "new"}) {
			t.Errorf("the notes are %q", notes)
		}
	})
}

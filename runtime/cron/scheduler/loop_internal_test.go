package scheduler

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

func at(id int64, next time.Time) entry {
	return entry{id: id, next: store.Null[time.Time]{V: next, Valid: true}}
}

// seeing is a loop with a look that has ended.
func seeing(soon []entry, s *pendingLook) *loop {
	s.done = make(chan struct{})
	close(s.done)
	return &loop{firer: &firer{}, soon: soon, looking: s}
}

// A job that was fired while a look was under way is at the instant that firing moved it to, and not
// at the one that the look still read; what the look found replaces all else.
func TestLookKeepsWhatWasFiredMeanwhile(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := seeing([]entry{at(1, now.Add(time.Second)), at(2, now)}, &pendingLook{
		until: now.Add(2 * lookEvery),
		fired: map[int64]bool{1: true, 4: true},
		found: []entry{at(1, now), at(3, now.Add(time.Second)), at(4, now)},
	})
	if err := l.merge(); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(l.soon, func(a, b entry) int { return int(a.id - b.id) })
	if want := []entry{at(1, now.Add(time.Second)), at(3, now.Add(time.Second))}; !slices.Equal(l.soon, want) {
		t.Errorf("due soon are %v, want %v", l.soon, want)
	}
	if l.looking != nil {
		t.Error("the look is still under way")
	}
}

// A job that a look found beyond its horizon is one to plan: it is due at once.
func TestLookPlansWhatIsBeyondItsHorizon(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := seeing(nil, &pendingLook{until: now.Add(2 * lookEvery), found: []entry{at(1, now.Add(time.Hour)), at(2, now.Add(time.Second))}})
	if err := l.merge(); err != nil {
		t.Fatal(err)
	}
	if got := ids(due(l.soon, now)); !slices.Equal(got, []int64{1}) {
		t.Errorf("due now are %v, want 1", got)
	}
}

func TestLookThatFailed(t *testing.T) {
	broken := errors.New("broken")
	soon := []entry{at(1, time.Now())}
	l := seeing(soon, &pendingLook{err: broken})
	if err := l.merge(); !errors.Is(err, broken) || !slices.Equal(l.soon, soon) || l.looking != nil {
		t.Errorf("it is %v, due soon are %v, and %v is under way", err, l.soon, l.looking)
	}
}

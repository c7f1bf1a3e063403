package table

import (
	"testing"
	"testing/synctest"
)

// counted returns bounds of a hundred entries with so many, while relieve runs.
func counted(entries int64) *bounds {
	return &bounds{most: tally{entries: 100}, counted: true, size: tally{entries: entries}, recount: tally{entries: 100}, running: true, moved: make(chan struct{})}
}

// A writer that would bring the table beyond eleven tenths waits until entries were
// removed; one that would not does not.
func TestWritersWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := counted(109)
		b.wait(t.Context(), tally{entries: 1})
		b.grown(tally{entries: 1})
		written := make(chan struct{})
		go func() {
			b.wait(t.Context(), tally{entries: 1})
			close(written)
		}()
		synctest.Wait()
		select {
		case <-written:
			t.Fatal("a writer did not wait, at eleven tenths of the bound")
		default:
		}
		if b.waiting != 1 {
			t.Errorf("%d writers are counted as waiting", b.waiting)
		}
		b.grown(tally{entries: -20})
		<-written
		if b.waiting != 0 {
			t.Errorf("%d writers are counted as waiting after it", b.waiting)
		}
	})
}

// A table beyond its bounds is relieved until it is within them, whether or not
// something is written, unless that was given up.
func TestRelievedWithinTheBounds(t *testing.T) {
	b := counted(101)
	if b.relieved(false) || !b.running {
		t.Error("relieve ended beyond the bound")
	}
	b.size.entries, b.written.entries = 100, 100
	if b.relieved(false) || !b.running {
		t.Error("relieve ended although as much was written as asks for a count")
	}
	b.written.entries = 99
	if !b.relieved(false) || b.running {
		t.Error("relieve goes on within the bounds")
	}
	b = counted(101)
	if !b.relieved(true) || b.running {
		t.Error("relieve goes on after it was given up")
	}
}

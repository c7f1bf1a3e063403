package delivery

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestLog: an attempt whose own time is over while it waits has the others written all the
// same, in batches of a few megabytes, and one that cannot be written keeps back no other.
func TestLog(t *testing.T) {
	var sizes []int
	var written int
	refused := errors.New("refused")
	first, release := make(chan struct{}), make(chan struct{})
	spec := &Spec{Log: func(ctx context.Context, _ *core.Conn, list []*Attempt) error {
		if len(sizes) == 0 {
			close(first)
			<-release
		}
		sizes = append(sizes, len(list))
		for _, a := range list {
			switch {
			case a.Error == "refused":
				return refused
			case a.Error == "gone":
				return store.ErrReference
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		written += len(list)
		return nil
	}}
	l := &log{db: new(core.DB), spec: spec}
	ended, end := context.WithCancel(t.Context())
	end()
	done := make(chan error)
	add := func(ctx context.Context, a *Attempt) {
		go func() { done <- l.add(ctx, a) }()
	}
	waiting := func(n int) {
		for {
			l.mu.Lock()
			is := len(l.waiting)
			l.mu.Unlock()
			if is == n {
				return
			}
		}
	}
	add(t.Context(), &Attempt{})
	<-first
	add(ended, &Attempt{}) // writes the next ones
	waiting(1)
	for i := range 300 {
		a := &Attempt{}
		switch i {
		case 5:
			a.Error = "refused"
		case 6:
			a.Error = "gone"
		case 250, 251, 252:
			a.RequestBody = strings.Repeat("a", mostLoggedBytes/2)
		}
		add(t.Context(), a)
		waiting(2 + i)
	}
	close(release)
	failed := 0
	for range 302 {
		if err := <-done; errors.Is(err, refused) {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	if failed != 1 || written != 300 {
		t.Errorf("%d written, %d failed; want 300 and 1", written, failed)
	}
	for _, n := range sizes {
		if n > mostLogged {
			t.Errorf("%d rows at once", n)
		}
	}
	if l.writing || len(l.waiting) > 0 {
		t.Error("something waits")
	}
}

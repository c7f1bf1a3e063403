package webhook_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/webhook"
)

func claim(t *testing.T, m *webhook.MemoryReplays, sender, id string, remember time.Duration, want error) webhook.ReplayClaim {
	t.Helper()
	c, err := m.Claim(t.Context(), sender, id, time.Now().Add(remember))
	if !errors.Is(err, want) || (err == nil) != (c != nil) {
		t.Fatalf("claim of %s %s: %v, %v; want %v", sender, id, c, err, want)
	}
	return c
}

func done(t *testing.T, c webhook.ReplayClaim) {
	t.Helper()
	if err := c.Done(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryReplays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := webhook.NewMemoryReplays(0)
		first := claim(t, m, "", "a", time.Minute, nil)
		claim(t, m, "", "a", time.Minute, webhook.ErrInProgress)
		other := claim(t, m, "other", "a", time.Minute, nil)
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := claim(t, m, "", "a", time.Minute, nil)
		// A claim that is settled does nothing to the next one.
		if first.Release(t.Context()) == nil || first.Done(t.Context()) == nil {
			t.Error("a claim is settled twice")
		}
		claim(t, m, "", "a", time.Minute, webhook.ErrInProgress)
		done(t, second)
		if second.Release(t.Context()) == nil {
			t.Error("a handled message is released")
		}
		claim(t, m, "", "a", time.Minute, webhook.ErrDuplicate)
		claim(t, m, "other", "a", time.Minute, webhook.ErrInProgress)
		done(t, other)

		time.Sleep(time.Minute - 1)
		claim(t, m, "", "a", time.Minute, webhook.ErrDuplicate)
		time.Sleep(time.Nanosecond)
		again := claim(t, m, "", "a", time.Minute, nil)
		if m.Len() != 1 {
			t.Errorf("%d are remembered", m.Len())
		}
		// What is in progress does not expire.
		time.Sleep(time.Hour)
		claim(t, m, "", "a", time.Minute, webhook.ErrInProgress)
		done(t, again)
		claim(t, m, "", "a", time.Minute, nil)
	})
}

func TestMemoryReplaysIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100
		m := webhook.NewMemoryReplays(limit)
		// The later ones expire first.
		for i := range limit {
			done(t, claim(t, m, "", fmt.Sprint("msg_", i), time.Hour-time.Duration(i)*time.Second, nil))
		}
		done(t, claim(t, m, "", "x", time.Hour, nil))
		done(t, claim(t, m, "", "y", time.Hour, nil))
		if m.Len() != limit {
			t.Errorf("%d are remembered", m.Len())
		}
		for i := range limit - 2 {
			claim(t, m, "", fmt.Sprint("msg_", i), time.Hour, webhook.ErrDuplicate)
		}
		// Those in progress are never forgotten.
		for i := range limit {
			claim(t, m, "busy", fmt.Sprint("msg_", i), time.Second, nil)
		}
		c, err := m.Claim(t.Context(), "", "z", time.Now().Add(time.Hour))
		if c != nil || err == nil || errors.Is(err, webhook.ErrDuplicate) || errors.Is(err, webhook.ErrInProgress) {
			t.Errorf("%v, %v", c, err)
		}
		for i := range limit {
			claim(t, m, "busy", fmt.Sprint("msg_", i), time.Second, webhook.ErrInProgress)
		}
		if m.Len() != limit {
			t.Errorf("%d are remembered", m.Len())
		}
	})
}

// Of concurrent claims, one is given.
func TestMemoryReplaysConcurrently(t *testing.T) {
	m := webhook.NewMemoryReplays(50)
	var given [20]atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range given {
				c, err := m.Claim(t.Context(), "", fmt.Sprint("msg_", i), time.Now().Add(time.Hour))
				switch {
				case err == nil:
					given[i].Add(1)
					if err := c.Done(t.Context()); err != nil {
						t.Error(err)
					}
				case !errors.Is(err, webhook.ErrDuplicate) && !errors.Is(err, webhook.ErrInProgress):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range given {
		if n := given[i].Load(); n != 1 {
			t.Errorf("msg_%d was claimed %d times", i, n)
		}
	}
}

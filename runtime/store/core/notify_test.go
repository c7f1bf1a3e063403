package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire records what a sender sends.
type wire struct {
	mu   sync.Mutex
	sent [][]string
	fail error
	hold chan struct{} // not nil: notify waits for it
	held chan struct{} // not nil: gets a value when it does
}

func (w *wire) notify(ctx context.Context, topics []string) error {
	if w.held != nil {
		w.held <- struct{}{}
	}
	if w.hold != nil {
		select {
		case <-w.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(topics)
	w.sent = append(w.sent, topics)
	return w.fail
}

func (w *wire) all() [][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

// TestSenderEdges announces often while the first is on its way: one more is
// sent, and it comes after the last announcement.
func TestSenderEdges(t *testing.T) {
	w := &wire{hold: make(chan struct{}), held: make(chan struct{}, 10)}
	s := newSender(w.notify, func(error) {})
	s.add("a")
	<-w.held
	for range 100 {
		s.add("a")
		s.add("b")
	}
	close(w.hold)
	s.close()
	sent := fmt.Sprint(w.all())
	if sent != "[[a] [a b]]" {
		t.Errorf("sent %s", sent)
	}
	s.add("late")
	if got := fmt.Sprint(w.all()); got != sent {
		t.Errorf("sent after the end: %s", got)
	}
}

// TestSenderSchedule follows the times without waiting for them.
func TestSenderSchedule(t *testing.T) {
	s := newSender(nil, nil)
	now := time.Now()
	step := func(after time.Duration, want string) {
		t.Helper()
		topics, wait, more := s.next(now.Add(after))
		slices.Sort(topics)
		if got := fmt.Sprint(topics, wait, more); got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
	s.put("a", now)
	step(0, "[a] 1h0m0s true")
	s.put("a", now.Add(time.Millisecond))
	s.put("b", now.Add(time.Millisecond))
	step(time.Millisecond, "[b] 4ms true")
	s.put("a", now.Add(2*time.Millisecond))
	step(2*time.Millisecond, "[] 3ms true")
	step(5*time.Millisecond, "[a] 1h0m0s true")
	step(6*time.Millisecond, "[] 0s false")
	if len(s.due) != 0 {
		t.Errorf("left %v", s.due)
	}
	for i := range 3 * notifyMost {
		s.put(fmt.Sprint(i), now)
	}
	if len(s.due) > notifyMost {
		t.Errorf("%d topics are kept", len(s.due))
	}
	if _, ok := s.due[everything]; !ok {
		t.Error("some were dropped, and nothing stands for them")
	}
}

// TestSenderTopics sends what the wire cannot carry as what stands for all.
func TestSenderTopics(t *testing.T) {
	for _, topic := range []string{strings.Repeat("x", topicBytes+1), "nul\x00", "\xff"} {
		w := &wire{}
		s := newSender(w.notify, func(error) {})
		s.add(topic)
		s.close()
		if got := w.all(); len(got) != 1 || !slices.Equal(got[0], []string{everything}) {
			t.Errorf("%q is sent as %q", topic, got)
		}
	}
}

// TestSenderFails has the database gone: what was announced is kept, and Close
// does not wait for ever.
func TestSenderFails(t *testing.T) {
	gone := errors.New("gone")
	warned := make(chan error, 10)
	w := &wire{fail: gone}
	s := newSender(w.notify, func(err error) { warned <- err })
	s.add("a")
	if err := <-warned; !errors.Is(err, gone) {
		t.Error(err)
	}
	s.mu.Lock() // failed has put it back before
	_, kept := s.due["a"]
	s.mu.Unlock()
	if !kept {
		t.Error("not kept")
	}
	s.close()
	if n := len(w.all()); n != 2 {
		t.Errorf("tried %d times", n)
	}
	silent := &wire{hold: make(chan struct{})}
	s = newSender(silent.notify, func(error) {})
	s.add("a")
	s.cancel() // as after the time that Close waits
	s.close()
	if n := len(silent.all()); n != 0 {
		t.Errorf("sent %d", n)
	}
}

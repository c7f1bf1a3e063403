package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestCut closes what is open and what is opened later.
func TestCut(t *testing.T) {
	l := listen(t)
	var d Dialer
	var open []net.Conn
	for range 3 {
		c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	if err := open[0].Close(); err != nil {
		t.Error(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := open[1].Read(make([]byte, 1))
		read <- err
	}()
	if n := d.Cut(); n != 2 {
		t.Errorf("%d sockets were open, not 2", n)
	}
	if err := <-read; !errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if _, err := d.DialContext(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Cut: %v", err)
	}
}

// TestSlots has more callers than slots.
func TestSlots(t *testing.T) {
	s := NewSlots(1, nil)
	if err := s.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Take(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	taken := make(chan error, 1)
	go func() { taken <- s.Take(t.Context()) }()
	s.Give()
	if err := <-taken; err != nil {
		t.Error(err)
	}
	s.Give()
}

// TestSlotWait waits without a deadline.
func TestSlotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, nil)
		if err := s.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := s.Take(t.Context()); !errors.Is(err, store.ErrFull) || time.Since(began) != slotWait {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

package delivery

import (
	"context"
	"errors"
	"sync"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Bounds of the attempts that are written together.
const (
	mostLogged      = 200
	mostLoggedBytes = 4 << 20
)

// log writes a row for each attempt, those that end meanwhile together: the first writes
// what there is, and the others wait for it.
type log struct {
	db   *core.DB
	spec *Spec

	mu      sync.Mutex
	waiting []*logged
	writing bool
}

// logged is an attempt whose row is to be written.
type logged struct {
	attempt *Attempt
	lead    chan struct{} // closed when it is this one's turn to write
	done    chan error
}

// add writes the row of an attempt, and returns when it is written.
func (l *log) add(ctx context.Context, a *Attempt) error {
	e := &logged{a, make(chan struct{}), make(chan error, 1)}
	l.mu.Lock()
	l.waiting = append(l.waiting, e)
	if !l.writing {
		l.writing = true
		close(e.lead)
	}
	l.mu.Unlock()
	select {
	case err := <-e.done:
		return err
	case <-e.lead:
	}
	l.write(ctx)
	return <-e.done
}

// write writes what waits, and hands the rest on to the first that waits by then.
func (l *log) write(ctx context.Context) {
	l.mu.Lock()
	batch := l.waiting[:together(l.waiting)]
	l.waiting = append([]*logged(nil), l.waiting[len(batch):]...)
	l.mu.Unlock()
	// The time of this attempt may be over: it waited for others. The rest of them have theirs.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	l.insert(ctx, batch)
	cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writing = len(l.waiting) > 0; l.writing {
		close(l.waiting[0].lead)
	}
}

// together returns how many of the attempts are written at once.
func together(waiting []*logged) int {
	bytes := 0
	for i, e := range waiting {
		bytes += len(e.attempt.RequestBody) + len(e.attempt.ResponseBody)
		if i == mostLogged || i > 0 && bytes > mostLoggedBytes {
			return i
		}
	}
	return len(waiting)
}

func (l *log) insert(ctx context.Context, batch []*logged) {
	rows := make([]*Attempt, len(batch))
	for i, e := range batch {
		rows[i] = e.attempt
	}
	err := l.spec.Log(ctx, l.db.Conn(), rows)
	for i, e := range batch {
		if err != nil && len(batch) > 1 { // one row must not keep the others from being written
			e.done <- l.one(ctx, rows[i])
			continue
		}
		e.done <- withoutRequest(err)
	}
}

func (l *log) one(ctx context.Context, a *Attempt) error {
	return withoutRequest(l.spec.Log(ctx, l.db.Conn(), []*Attempt{a}))
}

// withoutRequest leaves out that the request is gone, and its log with it.
func withoutRequest(err error) error {
	if errors.Is(err, store.ErrReference) {
		return nil
	}
	return err
}

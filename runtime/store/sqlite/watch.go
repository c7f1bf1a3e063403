package sqlite

import (
	"context"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// watch interrupts a connection's statements once a context is done. It costs
// no goroutine until that happens, and nothing with a context that cannot end.
type watch struct {
	c    *conn
	stop func() bool
	mu   sync.Mutex
	over bool
}

func (c *conn) watch(ctx context.Context) *watch {
	if ctx.Done() == nil {
		return nil
	}
	w := &watch{c: c}
	w.stop = context.AfterFunc(ctx, w.interrupt)
	return w
}

// interrupt goes on until the statement has ended: the engine forgets an
// interrupt that comes between two steps.
func (w *watch) interrupt() {
	for {
		w.mu.Lock()
		if w.over {
			w.mu.Unlock()
			return
		}
		sqlite3.Xsqlite3_interrupt(w.c.tls, w.c.db)
		w.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// end is called when the statement has ended; after it, the connection is not
// interrupted any more.
func (w *watch) end() {
	if w == nil || w.stop() {
		return
	}
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
}

package postgres_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.FreshDSN(t, "postgres") })
}

func TestNetwork(t *testing.T) {
	storetest.RunNetwork(t, func(t *testing.T) string { return storetest.FreshDSN(t, "postgres") })
}

// TestPooled passes the suite behind PgBouncer in transaction mode.
func TestPooled(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.FreshPooledDSN(t) })
}

// TestPooledCancelsByLeaving has statements take longer than their contexts last,
// alone and in a transaction. The pooler gets no request to cancel, which makes
// PgBouncer 1.18 to 1.20 end with a fatal error now and then, and goes on.
func TestPooledCancelsByLeaving(t *testing.T) {
	p, through := netfault.DSN(t, storetest.FreshPooledDSN(t))
	var requests atomic.Int64
	const request = "\x00\x00\x00\x10\x04\xd2\x16\x2e" // its length, and its code
	p.OnSend(request, func() { requests.Add(1) })
	db := storetest.Open(t, through, store.Options{})
	long := func(ctx context.Context, c *core.Conn) error {
		_, err := c.Exec(ctx, "SELECT pg_sleep(5)", nil)
		return err
	}
	for range 3 {
		for what, run := range map[string]func(context.Context) error{
			"a statement":   func(ctx context.Context) error { return long(ctx, db.Conn()) },
			"a transaction": func(ctx context.Context) error { return db.Tx(ctx, func(c *core.Conn) error { return long(ctx, c) }) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			err := run(ctx)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	if _, err := db.Article.Count(t.Context(), store.Cond[storetest.ArticleID]{}, 0); err != nil {
		t.Error(err)
	}
	if n := requests.Load(); n > 0 {
		t.Error("a request to cancel was sent")
	}
}

package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"net"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestCutConnectionsAreDropped has the context of a statement end just when the
// server has answered: the connection is closed, and go-sql-driver, which has read
// all that it wanted, does not know.
func TestCutConnectionsAreDropped(t *testing.T) {
	ctx := t.Context()
	opened, err := driver{}.Open(ctx, storetest.FreshDSN(t, "mysql"), store.Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	b := opened.(*backend)
	defer b.Close()
	session := func() (id int64) {
		t.Helper()
		if err := b.QueryRow(ctx, "SELECT CONNECTION_ID()", nil, []any{&id}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	before := session()
	if session() != before {
		t.Error("a connection that works is not used again")
	}
	conn, err := b.db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Raw(func(raw any) error {
		c := raw.(*connection)
		c.cut()
		if c.IsValid() {
			t.Error("a connection that was cut is kept in the pool")
		}
		if err := c.ResetSession(context.Background()); !errors.Is(err, sqldriver.ErrBadConn) {
			t.Errorf("a connection that was cut is used again: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if session() == before {
		t.Error("the connection that was cut answers")
	}
}

// A context may end just when its statement has: the connection, which is about to be cut, is not
// one that the pool may hand to another user meanwhile.
func TestConnectionsThatAreAboutToBeCutAreDropped(t *testing.T) {
	for range 200 {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c := &connection{socket: ours}
		ctx, cancel := context.WithCancel(t.Context())
		stop, err := c.watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		stop()
		if !c.broken.Load() {
			t.Fatal("a connection that is about to be cut counts as sound")
		}
	}
}

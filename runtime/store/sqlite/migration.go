package sqlite

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Migration opens a connection that does not enforce foreign keys: with them, a table that is
// dropped so that another takes its name would take the rows along that refer to it. SQLite does
// not let a transaction switch them off. An in-memory database has one connection, which does not
// enforce them for as long as a transaction of the migration runs.
func (b *backend) Migration(ctx context.Context) (core.Migration, error) {
	if b.cfg.memory {
		return &memoryMigration{b}, nil
	}
	c, err := openConn(b.cfg.path, b.cfg.busy)
	if err != nil {
		return nil, unopened(b.cfg.path, err)
	}
	err = c.setUp(ctx, b.cfg)
	for _, sql := range []string{keysOff, sortInFiles} {
		if err == nil {
			err = c.once(ctx, sql)
		}
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return &migration{c}, nil
}

const (
	keysOff = "PRAGMA foreign_keys = OFF"
	keysOn  = "PRAGMA foreign_keys = ON"
	// An index of a large table is sorted, for which memory may not be enough.
	sortInFiles = "PRAGMA temp_store = FILE"
)

// migration is a connection to a file beside those of the backend.
type migration struct{ c *conn }

// Exec runs a statement by itself.
func (m *migration) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	return m.c.exec(ctx, sql, args)
}

// Query fills dest with each row and then calls each.
func (m *migration) Query(ctx context.Context, sql string, args, dest []any, each func() error) error {
	s, err := m.c.prepare(ctx, sql)
	if err != nil {
		return err
	}
	return m.c.query(ctx, s, args, dest, each)
}

// QueryRow fills dest with the first row.
func (m *migration) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	s, err := m.c.prepare(ctx, sql)
	if err != nil {
		return err
	}
	return m.c.queryRow(ctx, s, args, dest)
}

// Begin starts a transaction, and waits for the busy timeout while another process writes.
func (m *migration) Begin(ctx context.Context) (core.Transaction, error) {
	if _, err := m.c.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return nil, err
	}
	return &tx{c: m.c, give: func(*conn) {}}, nil
}

// Lock is true: a transaction is the only one that writes, among all processes.
func (m *migration) Lock(context.Context) (bool, error) { return true, nil }

// Migrating reports whether another process writes for longer than the busy timeout, as one does that migrates.
func (b *backend) Migrating(ctx context.Context) (bool, error) {
	if b.cfg.memory {
		return false, nil // no other process has it
	}
	err := b.Exclusive(ctx, func(core.Session) error { return nil })
	if errors.Is(err, store.ErrBusy) {
		return true, nil
	}
	return false, err
}

// Refuses is false: SQLite has one way to change a table.
func (m *migration) Refuses(error) bool { return false }

// Close closes the connection.
func (m *migration) Close() error {
	m.c.close()
	return nil
}

// memoryMigration runs on the one connection of an in-memory database.
type memoryMigration struct{ *backend }

// Begin starts a transaction without foreign keys.
func (m *memoryMigration) Begin(ctx context.Context) (core.Transaction, error) {
	c, err := m.takeWriter(ctx)
	if err != nil {
		return nil, err
	}
	give := func(c *conn) {
		if c.inTransaction() {
			_ = c.leaveTransaction() // as giveWriter does, for which it would be too late
		}
		// This needs no lock, and no transaction is open.
		_ = c.once(context.WithoutCancel(ctx), keysOn)
		m.giveWriter(c)
	}
	for _, sql := range []string{keysOff, "BEGIN IMMEDIATE"} {
		if err := c.once(ctx, sql); err != nil {
			give(c)
			return nil, err
		}
	}
	return &tx{c: c, give: give}, nil
}

// Lock is true: no other process has the database.
func (m *memoryMigration) Lock(context.Context) (bool, error) { return true, nil }

// Refuses is false: SQLite has one way to change a table.
func (m *memoryMigration) Refuses(error) bool { return false }

// Close leaves the database open.
func (m *memoryMigration) Close() error { return nil }

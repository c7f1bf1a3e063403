package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
)

// connector opens connections that keep their statements prepared and run at
// the isolation level that the store promises.
type connector struct{ sqldriver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	raw, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := raw.(serverConn)
	if !ok {
		raw.Close()
		return nil, errors.New("mysql: the driver's connection lacks what the store needs")
	}
	// The one statement that all versions understand.
	if _, err := inner.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		raw.Close()
		return nil, err
	}
	return &conn{serverConn: inner, kept: map[string]*prepared{}}, nil
}

// serverConn is what go-sql-driver's connection can do.
type serverConn interface {
	sqldriver.Conn
	sqldriver.ConnBeginTx
	sqldriver.ConnPrepareContext
	sqldriver.ExecerContext
	sqldriver.NamedValueChecker
	sqldriver.Pinger
	sqldriver.SessionResetter
	sqldriver.Validator
}

// keptStatements bounds the statements that a connection keeps prepared.
const keptStatements = 256

// conn prepares each text once and runs it from then on. database/sql would
// keep statements for the pool as a whole, behind a lock, and not those that
// only transactions use.
type conn struct {
	serverConn
	kept  map[string]*prepared
	clock uint64
}

type prepared struct {
	sqldriver.Stmt
	used uint64
}

func (c *conn) statement(ctx context.Context, text string) (sqldriver.Stmt, error) {
	c.clock++
	if p := c.kept[text]; p != nil {
		p.used = c.clock
		return p.Stmt, nil
	}
	st, err := c.serverConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(c.kept) >= keptStatements {
		c.dropOldest()
	}
	c.kept[text] = &prepared{st, c.clock}
	return st, nil
}

func (c *conn) dropOldest() {
	var oldest string
	for text, p := range c.kept {
		if oldest == "" || p.used < c.kept[oldest].used {
			oldest = text
		}
	}
	c.kept[oldest].Close()
	delete(c.kept, oldest)
}

// ExecContext implements sqldriver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, text string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	st, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.(sqldriver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext implements sqldriver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, text string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	st, err := c.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.(sqldriver.StmtQueryContext).QueryContext(ctx, args)
}

package mysql

import (
	"context"
	sqldriver "database/sql/driver"
)

// keptStatements bounds the statements that a connection keeps prepared.
const keptStatements = 256

// prepared is a statement that a connection keeps. database/sql would keep
// statements for the pool as a whole, behind a lock, and not those that only
// transactions use.
type prepared struct {
	sqldriver.Stmt
	used uint64
}

// statement prepares each text once. The caller watches the context.
func (c *connection) statement(text string) (sqldriver.Stmt, error) {
	c.clock++
	if p := c.kept[text]; p != nil {
		p.used = c.clock
		return p.Stmt, nil
	}
	st, err := c.serverConn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	if len(c.kept) >= keptStatements {
		c.dropOldest()
	}
	c.kept[text] = &prepared{st, c.clock}
	return st, nil
}

func (c *connection) dropOldest() {
	var oldest string
	for text, p := range c.kept {
		if oldest == "" || p.used < c.kept[oldest].used {
			oldest = text
		}
	}
	c.kept[oldest].Close()
	delete(c.kept, oldest)
}

package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// A server keeps max_prepared_stmt_count statements for all of its clients, 16,382
// where nobody changed it. One process takes an eighth of that at most, so that
// several fit, and goes on without where there is no room.
const (
	keptStatements = 256 // of one connection
	processShare   = 8
	fullWait       = 10 * time.Second // how long nothing is prepared when the server was full
	noRoom         = 1461             // the server's error number for that
)

// share is how many statements a connection keeps.
func share(server, conns, most int) int {
	return min(server/processShare/conns, most, keptStatements)
}

// prepared is a statement that a connection keeps. database/sql would keep
// statements for the pool as a whole, behind a lock, and not those that only
// transactions use.
type prepared struct {
	sqldriver.Stmt
	used uint64
}

// statement prepares each text once. It is nil for one that is sent with its
// arguments in it: what ends a transaction, and everything while there is no room
// for prepared statements. The caller watches the context.
func (c *connection) statement(text string) (sqldriver.Stmt, error) {
	c.clock++
	if p := c.kept[text]; p != nil {
		p.used = c.clock
		return p.Stmt, nil
	}
	if c.keep == 0 || !c.full.IsZero() && time.Now().Before(c.full) {
		return nil, nil
	}
	switch text {
	case begin, commit, rollback:
		return nil, nil
	}
	if len(c.kept) >= c.keep {
		c.drop(1)
	}
	st, err := c.serverConn.PrepareContext(context.Background(), text)
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok && my.Number == noRoom {
		c.drop((len(c.kept) + 1) / 2) // others need room too
		c.full = time.Now().Add(fullWait)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.kept[text] = &prepared{st, c.clock}
	return st, nil
}

// drop closes the n statements that were not used for the longest time.
func (c *connection) drop(n int) {
	for range n {
		var oldest string
		for text, p := range c.kept {
			if oldest == "" || p.used < c.kept[oldest].used {
				oldest = text
			}
		}
		c.kept[oldest].Close()
		delete(c.kept, oldest)
	}
}

// packetSetting is the server's setting for the size of a statement.
const packetSetting = "max_allowed_packet"

// perValue is more than what is sent with a value beside its bytes.
const perValue = 32

// tooLarge is given before anything is sent: a server that gets more than it
// takes closes the connection, and often before it has said why.
func (c *connection) tooLarge() error {
	return &core.TooLargeError{Limit: c.packet, Setting: packetSetting}
}

// fitting is statement for one that the server takes.
func (c *connection) fitting(text string, args []sqldriver.NamedValue) (sqldriver.Stmt, error) {
	if err := c.fits(text, args, false); err != nil {
		return nil, err
	}
	st, err := c.statement(text)
	if err == nil && st == nil {
		err = c.fits(text, args, true)
	}
	return st, err
}

// fits refuses a statement that is too large. written says that its values stand in its text, in quotes
// and with escapes.
func (c *connection) fits(text string, args []sqldriver.NamedValue, written bool) error {
	size := len(text)
	for _, a := range args {
		size += perValue
		switch v := a.Value.(type) {
		case string:
			size += len(v)
			if written {
				size += escapes(v)
			}
		case []byte:
			size += len(v)
			if written {
				size += escapes(v)
			}
		}
	}
	if size >= c.packet {
		return c.tooLarge()
	}
	return nil
}

// escapes counts the bytes that take two where a value stands in a statement's text.
func escapes[T string | []byte](v T) (n int) {
	for i := range len(v) {
		switch v[i] {
		case 0, '\n', '\r', 0x1a, '\'', '"', '\\':
			n++
		}
	}
	return n
}

// unskipped replaces what would have database/sql prepare a statement that is
// too large once its arguments stand in it.
func (c *connection) unskipped(err error) error {
	if errors.Is(err, sqldriver.ErrSkip) {
		return c.tooLarge()
	}
	return err
}

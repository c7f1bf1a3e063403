package store

import "fmt"

// TxOptions are how a transaction runs. The zero value is one that writes, at ReadCommitted.
type TxOptions struct {
	// Isolation is what the transaction sees of others at least. SQLite has only Serializable.
	Isolation Isolation
	// ReadOnly refuses writes and locks of rows with ErrInvalid. On SQLite such a transaction
	// does not wait for the one that writes, and does not hold it up.
	ReadOnly bool
	// Name stands in errors and logs about the transaction as a whole.
	Name string
}

// Isolation is a standard isolation level.
type Isolation int

// The levels. What two transactions at a level cannot do together, one of them is refused with
// ErrBusy, and run again.
const (
	// ReadCommitted: each statement sees what is committed when it begins. What a transaction has
	// read, another one may change before it writes.
	ReadCommitted Isolation = iota
	// RepeatableRead: every read sees what was committed at the first one. On PostgreSQL, and on
	// MariaDB from 11.6, a write of a row that has changed since is refused; MySQL and older MariaDB write it.
	RepeatableRead
	// Serializable: the outcome is one that the transactions could have had one after the other, on every database.
	Serializable
)

// String returns the level's name in SQL.
func (i Isolation) String() string {
	switch i {
	case ReadCommitted:
		return "READ COMMITTED"
	case RepeatableRead:
		return "REPEATABLE READ"
	case Serializable:
		return "SERIALIZABLE"
	}
	return fmt.Sprintf("Isolation(%d)", int(i))
}

package mysql

import (
	"database/sql"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// Pool returns the pool of a database on MySQL, which db.Store() is, for what the store has no method
// for; nil for another database. It ends with the database and must not be closed. Its connections
// are at READ COMMITTED.
//
// What goes through it is database/sql's alone: no rule is checked, no effect runs (events, webhooks, caches keep what
// they had, updated_at and version stay), nobody is woken, and nothing is tried again. A connection that
// is held is one less for the store.
func Pool(db *core.DB) *sql.DB {
	b, _ := core.Below(db)
	if own, ok := b.(*backend); ok {
		return own.db
	}
	return nil
}

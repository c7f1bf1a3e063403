package postgres

import (
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool returns the pool of a database on PostgreSQL, which db.Store() is, for what the store has no
// method for; nil for another database. It ends with the database and must not be closed.
//
// What goes through it is pgx's alone: no rule is checked, no effect runs (events, webhooks, caches keep what they
// had, updated_at and version stay), nobody is woken, and nothing is tried again. A connection that is
// held is one less for the store.
func Pool(db *core.DB) *pgxpool.Pool {
	b, _ := core.Below(db)
	switch own := b.(type) {
	case *backend:
		return own.pool
	case listener:
		return own.pool
	}
	return nil
}

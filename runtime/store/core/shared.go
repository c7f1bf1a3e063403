package core

import "sync"

// Shared returns the one value that db keeps under key, made by make at first use: for
// what another package wants to have once for each open database.
// key is compared as a map's key is; a type of the package's own keeps others
// out. Safe for concurrent use: make runs once, others wait for it. It may ask
// for another one, not for its own. The value lives as long as db is reachable
// and is not closed with it.
func (db *DB) Shared(key any, make func() any) any {
	value, ok := db.values.Load(key)
	if !ok {
		value, _ = db.values.LoadOrStore(key, sync.OnceValue(make))
	}
	return value.(func() any)()
}

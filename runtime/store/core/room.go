package core

import "sync"

// Room gives the one value that db keeps under key, made by make at first use:
// a place for what another package wants to have once for each open database.
// key is compared as a map's key is; a type of the package's own keeps others
// out. Safe for concurrent use: make runs once, others wait for it. It may ask
// for another Room, not for its own. The value lives as long as db is reachable
// and is not closed with it.
func (db *DB) Room(key any, make func() any) any {
	room, ok := db.rooms.Load(key)
	if !ok {
		room, _ = db.rooms.LoadOrStore(key, sync.OnceValue(make))
	}
	return room.(func() any)()
}

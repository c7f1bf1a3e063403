// Package cache keeps values that took long to make: in memory, and in a table
// of the database that the program has anyway.
//
//	pages := cache.New[Page](db.CacheEntry, cache.Options{})
//	page, err := pages.Fetch(ctx, "page:42", time.Hour, render, cache.Tags("page", "author:7"))
//	...
//	n, err := pages.InvalidateTags(ctx, "author:7")
//
// db.CacheEntry is a table of generated code whose datatype has a `cache:`
// section. A cache is two tiers: memory, which holds decoded values and is
// bounded by their size, and the backend, which all processes share and which
// outlives them.
//
// # What it promises
//
// A value that was set, deleted or invalidated is so for this process when the
// call returns; in a transaction, when that has committed. Other processes that
// keep entries in memory follow within some milliseconds on SQLite and PostgreSQL and
// 100 ms on MySQL, which is asked ten times a second, while they can reach the
// database; and within Options.MemoryFor, a minute, whatever happens.
//
// Fetch runs one load for a key however many wait for it, in one process and in
// all of them. The load holds a lease on the entry, with its tags: who deletes or
// invalidates the entry while the load runs takes the lease away, and the value
// is not kept. A process that dies while it loads is followed by another when its
// lease ends.
//
// A cache never takes its users down: a read that fails or takes longer than
// Options.Timeout is a miss, counted and logged. A write that fails says so.
//
// # An entry's states
//
//	(none) --Lease--> lease --Fill--> value --its time to live ends--> stale --> expired
//	                    |               |                           |
//	                    |               +---- Set, Fill: a new value
//	                    +-- ReleaseLease, or the process dies: another may load
//
// Fetch alone returns a stale value, where Options ask for it. An expired
// one is not returned; CleanupExpired removes it.
//
// The package has what programs name. Package backend is what a backend of a cache is;
// package table, which generated code calls, is the one in a table of the database.
package cache

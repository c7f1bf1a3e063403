// Package sqlite is the store's driver for SQLite, embedded through
// modernc.org/sqlite: no server, no C compiler. Importing it is enough:
//
//	import _ "github.com/hegner123/modulagen/runtime/store/sqlite"
//
//	sqlite:app.db             a file, relative to the working folder
//	sqlite:/var/lib/app.db    a file
//	sqlite::memory:           gone when it is closed; one connection
//
// Options follow a "?" and are separated by "&"; an unknown one is an error:
//
//	synchronous=normal     off, normal, full or extra
//	busy_timeout=5000      milliseconds to wait for another process's lock
//	readers=4              connections that read, 1 to 64; as many as processors, 2 to 8
//	cache_kib=8192         page cache of each connection
//
// One connection writes, several read: SQLite has one writer at a time anyway,
// and waiting for it here is fair and cheap. Reads outside a transaction see
// everything that this process has committed, and never wait for a writer. With
// an in-memory database there is a single connection for everything, so that
// reads do wait for a running transaction.
//
// Writes outside transactions that wait for the writer at the same time share a
// commit, each with its own result: many goroutines that each write one row are
// not one wait for the disk each.
//
// The file is in WAL mode. With synchronous=normal a crash of the program loses
// nothing; a crash of the machine can lose the last commits, never the file's
// consistency. synchronous=full closes that gap at the price of an fsync for
// each commit.
//
// While workers or caches listen for changes, one more connection looks every 5 ms
// whether another process has written to the file, and every 15 ms when no one
// has for a while.
//
// The driver speaks to the engine's own API and not through database/sql: a
// point query then costs half, and a context that can be cancelled
// needs no goroutine for each statement.
package sqlite

package core

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Result is what a statement without rows did.
type Result struct {
	RowsAffected int64 // rows matched, also where they already held the new values
	LastID       int64 // id that SQLite or MySQL gave; of several rows, the last on SQLite and the first on MySQL
}

// Session runs statements: straight on a database, or inside one transaction.
// Arguments are what Plain takes, destinations what Assign takes; neither slice
// is kept. Errors are marked with this package's sentinels.
type Session interface {
	Exec(ctx context.Context, sql string, args []any) (Result, error)
	// Query fills dest with each row and then calls each, which must not use
	// the session.
	Query(ctx context.Context, sql string, args, dest []any, each func() error) error
	// QueryRow fills dest with the first row, or returns ErrNotFound.
	QueryRow(ctx context.Context, sql string, args, dest []any) error
}

// Transaction is a Session whose statements take effect together.
type Transaction interface {
	Session
	Commit(ctx context.Context) error
	// Rollback is given a context that outlives the caller's a little.
	Rollback(ctx context.Context) error
}

// Copier is a Transaction that has a faster way to add many rows. row gives
// the values of the i-th, as Plain takes them; its slice is used at once.
type Copier interface {
	Copy(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error
}

// Idler is a Transaction that its server can end when nothing more is sent in it.
type Idler interface {
	EndIdle(ctx context.Context, after time.Duration) error
}

// Backend is one open database, as its driver sees it. Safe for concurrent use.
type Backend interface {
	Session
	Dialect() sqltext.Dialect
	// Name says which database it is, for people: its DSN without user, password
	// and options.
	Name() string
	// Begin starts a transaction. One that is to be ReadOnly returns ErrWriteRefused for what it refuses.
	Begin(ctx context.Context, opts store.TxOptions) (Transaction, error)
	// Exclusive runs fn while no other process is inside Exclusive on the same
	// database, in a transaction where tables can be created in one.
	Exclusive(ctx context.Context, fn func(Session) error) error
	// Inspect describes those of the tables that exist.
	Inspect(ctx context.Context, s Session, tables []string) ([]TableDef, error)
	// Clock is the query that reads the database's clock, as of now and not of the
	// transaction's start; empty for an embedded database, which has none.
	Clock() string
	Close() error
}

// Bounded is a Backend whose server takes statements up to a size.
type Bounded interface {
	// StatementBytes is the size, arguments included.
	StatementBytes() int
	// StatementSetting is the server's setting that says so.
	StatementSetting() string
}

// Yielder is a Backend on which one transaction at a time writes, and the next is
// whichever asks at the right moment, not the one that has waited longest.
type Yielder interface {
	// Yield returns when transactions of other processes have had time to begin, or
	// with an error when ctx ends.
	Yield(ctx context.Context) error
}

// Snapshotter is a Backend that can copy its database to a file.
type Snapshotter interface {
	// Snapshot copies the database, as it is at one moment, to the file at path, which is missing or empty, and
	// checks the copy, while others read and write. It leaves a part of it behind with an
	// error, and does not flush it to the disk.
	Snapshot(ctx context.Context, path string) error
}

// Cutter is a Backend that can break off what waits for the server.
type Cutter interface {
	// Cut closes every connection, those in use too. Close follows it, or is
	// waiting.
	Cut()
}

// Notifier is a Backend that can notify other processes of what was announced.
type Notifier interface {
	// Notify has their Watch wake each of the topics; an empty one stands for all.
	// Its statement runs on s, which may belong to another Backend of the database.
	Notify(ctx context.Context, s Session, topics []string) error
}

// Watcher is a Backend that learns what other processes announce.
type Watcher interface {
	// Watch calls wake for a topic that another process announces, and all where
	// it does not know for which: that, too, each time when it begins to receive
	// everything. It goes on until ctx ends, whatever goes wrong, and returns
	// sooner only where there is nothing to learn.
	Watch(ctx context.Context, wake func(topic string), all func())
}

// Driver opens databases of one kind.
type Driver interface {
	Open(ctx context.Context, dsn string, opts store.Options) (Backend, error)
}

// Reserver is a Driver whose server ends what a reserved view has left open: a transaction of a
// program that it cannot reach any more would keep its locks for hours.
type Reserver interface {
	OpenReserved(ctx context.Context, dsn string, opts store.Options) (Backend, error)
}

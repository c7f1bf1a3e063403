// Package store has what programs name when they use generated tables: values of
// columns, conditions, pages and errors, the same on SQLite, PostgreSQL and MySQL.
// Generated code has the tables.
//
//	db, err := generated.Open(ctx, "sqlite:app.db", generated.Options{})
//	a, err := db.Article.Create(ctx, generated.ArticleNew{Title: "Hello"})
//	page, err := db.Article.List(ctx, generated.ArticleQuery{Where: generated.ArticleFields.Title.Prefix("He")})
//	err = db.Tx(ctx, func(tx *generated.Tx) error { ... tx.Article ... })
//
// # What is the same on every database
//
// Errors: ErrNotFound, ErrConflict, ErrInvalid, ErrReference, ErrStale, ErrMove,
// ErrBusy, ErrFull, ErrSchema, ErrClosed, tested with errors.Is. They never hold a
// value that a row would, but for the states of a MoveError, so no secret.
//
// Times are UTC in microseconds; what is finer is cut off, in writes and in
// filters. Decimals are exact, of at most 18 digits. Text is UTF-8 without NUL,
// compared by code point: 'A' < 'a' < 'ä', and "a" < "a ". A filter may name what
// no row can hold: a time outside the years 1000 to 9999 lies before or behind
// every row, and text that is no id equals none. NULL is smaller than every value,
// is equal to none, and a condition and its Not together keep every row.
//
// A write returns the row as it is then. Create computes defaults in the program. A JSON
// document is returned as it is stored: PostgreSQL and MySQL 8 keep its meaning, not its
// spaces, its key order and the first of two equal keys. MySQL 8 returns nothing of a new
// row: there, Create returns the document as it was written.
//
// Transactions are serial on SQLite and "read committed" on the others. They are
// tried again after a deadlock, a lock that was not had in time or a serialization
// failure, a bounded number of times. A statement that fails ends its transaction,
// but for ErrNotFound; what is refused before it is sent, with ErrInvalid,
// does not.
//
// # What differs
//
// MariaDB sorts by the first 64 KiB of a text; longer ones are equal to it.
//
// SQLite's clock is this machine's; the others have their own.
package store

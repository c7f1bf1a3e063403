// Package migrate brings databases from one version of the definitions to the next. The generator
// writes migrations, as SQL for each database (package script); generated code embeds them in a Set
// and calls Ensure when a database is opened.
//
// What has been done is recorded in the database, in the table modulagen_migrations: a row for each
// migration, with the number of statements that have taken effect. A killed process leaves nothing
// for a person to repair: the next one resumes at that statement.
//
//   - On SQLite the steps up to the next data step in Go take effect in one transaction, with foreign
//     keys off, which are checked before it commits. The file is copied first, unless every step is safe.
//   - On PostgreSQL each step is a transaction that waits two seconds for a lock and is tried again.
//     Indexes are built concurrently, outside transactions.
//   - On MySQL, where each statement takes effect by itself, it is recorded before and after. Where
//     only the first record is there, the tables show whether the statement took effect.
//
// Processes that start together wait for the one that migrates. A database without a row is either
// new, and is created from the schema at once, or older than migrations, and its version is found by
// comparing its tables; Set.Baseline records a version without comparing.
//
// Steps that SQL cannot express are functions, which a program registers before it opens a database:
//
//	migrate.Register("fill_slug", migrate.DataStep{Batch: fillSlug})
//
// Each call is a transaction, which also records where the next one begins.
package migrate

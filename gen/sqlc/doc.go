// Package sqlc is the only caller of sqlc: SQL in, analysed queries out.
//
// Every query of a project, generated or the user's own, is analysed for all
// three databases. What comes back, parameters and columns with their types,
// is compared with what the lowering meant, and is what the user's own queries
// are typed by.
//
//	a := sqlc.Analyser{Program: finder.Find}
//	result, err := a.Run(ctx, sqlc.Input{Project: p, Tables: tables})
//
// # How sqlc is run
//
// sqlc is bound to its process's streams, leaves through os.Exit and takes
// minutes to compile, so it is in a program of its own, modulagen-sqlc, which
// package program finds or builds. Copies of it run in a temporary folder that
// is always removed. The work is split over several copies, because sqlc's
// SQLite parser needs about 5 milliseconds for a query and has one thread.
//
// # What is asked once
//
// The analysis of a table's queries depends on their text, on the tables that
// they name and on sqlc's version, and on nothing else. So it is kept in the
// user's cache folder under the hash of those, and only what changed is
// analysed again. The folder may be deleted at any time; a damaged entry counts
// as absent. What a new project needs is kept with this package, in kept.txt.
//
// # What a real engine says
//
// Each SQLite query is also prepared on an in-memory SQLite, which knows what
// sqlc does not: whether an ON CONFLICT has its unique index, whether a
// function exists. It costs microseconds a query.
//
// # Whose mistake it is
//
// What is wrong in a user's query is a [mistake.List] with the user's file, line
// and column. What is wrong in a generated query is a defect of this program
// and says so, with the definition that caused it and the SQL.
package sqlc

// Package evolution holds tests of migrations on live databases: a database is made from
// one version of definitions and filled with rows, the migration to another version runs, and
// every value, and the structure of every table, is compared with what it has to be.
//
//	version_test.go    definitions as a project
//	database_test.go   databases of a test's own
//	run_test.go        runs a migration's script
//	values_test.go     values of every type, how they are written and read
//	rows_test.go       tables filled with them
//	oracle_test.go     what becomes of a value, worked out from the definitions alone
//	structure_test.go  what a database says of its tables
//	change_test.go     one change from beginning to end
//	matrix_test.go     every single change: its fields in keys_test.go
//	sections_test.go   sections of behaviors, out and in again
//	history_test.go    random histories: their drafts in random_test.go
package evolution

// Package backup writes backups of databases to files: for the action backup_database, which is in
// package action.
//
//	backup.go    one backup: a temporary file, filled, checked, flushed, renamed
//	folder.go    the folder: names, temporary files, how many backups are kept
//	compress.go  zstd
//	dump.go      the programs that dump databases of servers
//	postgres.go, mysql.go   how they are started
//
// A file under its final name is whole: it was checked and flushed to the disk before it was
// renamed. Until then it is a hidden file, .NAME.*.partial, which a process that is killed leaves
// behind, and a later backup removes.
package backup

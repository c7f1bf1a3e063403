package sqlite

import (
	"path/filepath"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

// diskError is what is behind an error of the file, which the engine does not name: where it is, what the operating
// system reports, and whether that is a lack of room. cause is empty for other errors.
func (c *conn) diskError(rc int32) (cause string, full bool) {
	if c.path == memoryPath || c.db == 0 {
		return "", false
	}
	switch rc & 0xff {
	case sqlite3.SQLITE_FULL:
		return ": " + c.path + ", or the folder for temporary files", true
	case sqlite3.SQLITE_READONLY:
		return c.unwritable(rc), false
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		if errno := syscall.Errno(sqlite3.Xsqlite3_system_errno(c.tls, c.db)); errno != 0 {
			return ": " + c.path + ": " + errno.Error(), errno == syscall.ENOSPC || errno == syscall.EDQUOT || errno == syscall.EFBIG
		}
	}
	return "", false
}

// unwritable says which part of a database cannot be written. A connection that only reads refuses writes with the
// same code, whatever the file permits.
func (c *conn) unwritable(rc int32) string {
	switch rc {
	case sqlite3.SQLITE_READONLY_DIRECTORY, sqlite3.SQLITE_READONLY_CANTINIT:
		return ": this program cannot write to the folder " + filepath.Dir(c.path) + ", in which SQLite keeps two files beside the database"
	case sqlite3.SQLITE_READONLY_DBMOVED:
		return ": " + c.path + " was moved or deleted while it was open"
	}
	if sqlite3.Xsqlite3_db_readonly(c.tls, c.db, 0) == 1 { // of a file that could be opened for reading only
		return ": this program has no permission to write " + c.path
	}
	return ""
}

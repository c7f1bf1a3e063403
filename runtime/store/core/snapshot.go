package core

import (
	"context"
	"errors"
	"fmt"
)

// Snapshot copies the database, as it is at one moment, to the file at path, which is missing or
// empty, and checks the copy; the program and other processes go on reading and writing. With an error, a part
// of the copy may be there. Flushing it to the disk is left to the caller. It is for embedded databases: with a server
// the error is errors.ErrUnsupported.
func (db *DB) Snapshot(ctx context.Context, path string) error {
	s, ok := db.backend.(Snapshotter)
	if !ok {
		return fmt.Errorf("store: %s: a snapshot of a server's database: %w", db.Name(), errors.ErrUnsupported)
	}
	if db.closed.Load() {
		return errClosed
	}
	return db.WhileOpen(ctx, func(ctx context.Context) error { return s.Snapshot(ctx, path) })
}

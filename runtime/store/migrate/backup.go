package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// backUp copies the file of an SQLite database before a migration's first step, unless all of its steps
// are safe. The caller holds the write lock, so that the copy is what the steps find.
func (r *run) backUp(ctx context.Context, from int) error {
	path, isFile := strings.CutPrefix(r.b.Name(), "sqlite:")
	if r.d != sqltext.SQLite || r.o.NoBackup || from > 0 || !r.risky(0, len(r.units)) || !isFile || path == ":memory:" {
		return nil
	}
	s, ok := r.b.(core.Snapshotter)
	if !ok {
		return nil
	}
	to := fmt.Sprintf("%s.%s.bak", path, r.sc.Name)
	if r.state == Down { // the copy from before the migration stays
		to = fmt.Sprintf("%s.%s.down.bak", path, r.sc.Name)
	}
	if err := snapshot(ctx, s, to); err != nil {
		return fmt.Errorf("copying the database to %s before the migration: %w; nothing was changed; "+
			"make room for the copy, or leave it out with --no-backup or Options{NoBackup: true}", to, err)
	}
	r.backups = append(r.backups, to)
	r.o.Logger.InfoContext(ctx, "store: migration: the database was copied", "migration", r.sc.Name, "to", to)
	return nil
}

// snapshot copies to a temporary file first, so that a file of the final name is complete.
func snapshot(ctx context.Context, s core.Snapshotter, to string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = s.Snapshot(ctx, f.Name()); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// syncFolder writes the folder's entries to the disk.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // which has no such call
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

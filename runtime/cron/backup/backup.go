package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// ErrUnavailable: the database cannot be backed up on this machine before somebody installs or configures
// something: trying again does not help.
var ErrUnavailable = errors.New("backup: unavailable")

// Options of one backup.
type Options struct {
	// Dir is the folder of backups, which is made where it is missing. Sub is a folder below it,
	// which no link leads out of; "" is Dir itself.
	Dir, Sub string
	// Keep is how many backups of the database are kept, this one included; 0 keeps all.
	Keep int
	// Zstd compresses.
	Zstd bool
	// Program is what dumps a server's database; "" means that it is looked for in PATH.
	Program string

	// Due names the backup: another one of that instant is the same. Run and Attempt say whose
	// temporary files are abandoned: those of earlier attempts. Run may be 0.
	Due     time.Time
	Run     int64
	Attempt int
}

// Result is what a backup has become.
type Result struct {
	File    string // its path
	Bytes   int64
	There   bool     // it was there before
	Removed []string // names of older ones, which were not to be kept
}

// Make makes a backup. Where one of the same instant is there, it is left as it is. With an error beside a
// Result that has a File, the backup was made, and older ones could not be removed.
func Make(ctx context.Context, db *core.DB, o Options) (Result, error) {
	how, err := methodOf(ctx, db, o)
	if err != nil {
		return Result{}, err
	}
	f, err := openFolder(o.Dir, o.Sub)
	if err != nil {
		return Result{}, err
	}
	defer f.root.Close()
	f.removeAbandoned(o)
	n := fileName{base: how.base, at: o.Due, ext: how.ext, zstd: o.Zstd}
	res := Result{File: filepath.Join(f.path, n.String())}
	if res.There, err = f.has(n.String()); err != nil {
		return Result{}, err
	}
	if !res.There {
		if err := f.write(ctx, n, o, how); err != nil {
			return Result{}, err
		}
	}
	info, err := f.root.Stat(n.String())
	if err != nil {
		return Result{}, fmt.Errorf("backup: %w", err)
	}
	res.Bytes = info.Size()
	res.Removed, err = f.prune(n, o.Keep)
	return res, err
}

// method is how a database is backed up.
type method struct {
	base, ext string // of the file's name
	// fill writes the backup to a file that is open and empty, and checks what it can. path is the file's.
	fill func(ctx context.Context, to *os.File, path string) error
}

func methodOf(ctx context.Context, db *core.DB, o Options) (*method, error) {
	switch db.Conn().Dialect() {
	case sqltext.Postgres:
		return postgres(ctx, db, o)
	case sqltext.MySQL:
		return mysql(ctx, db, o)
	}
	return &method{
		base: sqliteBase(db.Name()), ext: ".db",
		fill: func(ctx context.Context, _ *os.File, path string) error {
			if err := db.Snapshot(ctx, path); err != nil {
				return fmt.Errorf("backup: writing to %s: %w", filepath.Dir(path), err)
			}
			return nil
		},
	}, nil
}

// write makes the file. Nothing is under its name before it is whole and on the disk.
func (f *folder) write(ctx context.Context, n fileName, o Options, how *method) (err error) {
	partial, err := f.partial(n, o)
	if err != nil {
		return err
	}
	defer func() { partial.discard() }()
	stop := f.keepFresh(partial)
	defer func() { stop() }() // of the file that is written last
	if err := how.fill(ctx, partial.file, filepath.Join(f.path, partial.name)); err != nil {
		return err
	}
	if o.Zstd {
		plain := partial
		defer plain.discard()
		if partial, err = f.partial(n, o); err != nil {
			return err
		}
		stop()
		stop = f.keepFresh(partial)
		if err := compress(ctx, partial.file, plain.file); err != nil {
			return fmt.Errorf("backup: compressing: %w", err)
		}
	}
	if err := partial.flush(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := f.root.Rename(partial.name, n.String()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := f.flush(); err != nil && !errors.Is(err, fs.ErrInvalid) {
		return fmt.Errorf("backup: the folder could not be flushed to the disk: %w", err)
	}
	return nil
}

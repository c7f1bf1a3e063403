package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// A temporary file is written to, or its time set, each freshEvery; one that has been left alone for
// abandonedAfter is nobody's.
const (
	freshEvery     = 30 * time.Second
	abandonedAfter = 10 * time.Minute
)

// folder is the folder of backups. Names in root cannot lead out of it.
type folder struct {
	root *os.Root
	path string
}

func openFolder(dir, sub string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("backup: the folder cannot be made: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil || sub == "" {
		if err != nil {
			err = fmt.Errorf("backup: the folder cannot be opened: %w", err)
		}
		return &folder{root, dir}, err
	}
	defer root.Close()
	if err := root.MkdirAll(sub, 0o700); err != nil {
		return nil, fmt.Errorf("backup: the folder below %s cannot be made: %w", dir, err)
	}
	below, err := root.OpenRoot(sub)
	if err != nil {
		return nil, fmt.Errorf("backup: the folder below %s cannot be opened: %w", dir, err)
	}
	return &folder{below, filepath.Join(dir, sub)}, nil
}

// fileName is the name of a backup: app-20260102T020000Z.db.zst.
type fileName struct {
	base string
	at   time.Time
	ext  string
	zstd bool
}

// Instants are to the second, where a schedule made them.
const (
	inSeconds = "20060102T150405Z"
	inMicros  = "20060102T150405.000000Z"
)

func (n fileName) String() string {
	layout := inSeconds
	if n.at.Nanosecond() >= 1000 {
		layout = inMicros
	}
	name := n.base + "-" + n.at.UTC().Format(layout) + n.ext
	if n.zstd {
		name += zstdExt
	}
	return name
}

const zstdExt = ".zst"

var stamp = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}(\.[0-9]{6})?Z$`)

// parse reads the name of a backup of the same database as n.
func (n fileName) parse(name string) (fileName, bool) {
	out := fileName{base: n.base, ext: n.ext}
	rest, ok := strings.CutPrefix(name, n.base+"-")
	if !ok {
		return out, false
	}
	rest, out.zstd = strings.CutSuffix(rest, zstdExt)
	if rest, ok = strings.CutSuffix(rest, n.ext); !ok || !stamp.MatchString(rest) {
		return out, false
	}
	var err error
	out.at, err = time.Parse("20060102T150405Z", rest) // fractions are read without being in the layout
	return out, err == nil
}

// foreign are the characters of a database's name that a file's does not have.
var foreign = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

const maxBase = 100

// baseOf makes the beginning of a file's name of that of a database.
func baseOf(name string) string {
	name = strings.TrimLeft(foreign.ReplaceAllString(name, "_"), ".")
	if name == "" {
		return "database"
	}
	return name[:min(len(name), maxBase)]
}

func sqliteBase(name string) string {
	path := strings.TrimPrefix(name, "sqlite:")
	if path == ":memory:" {
		return "memory"
	}
	file := filepath.Base(path)
	return baseOf(strings.TrimSuffix(file, filepath.Ext(file)))
}

// has reports whether a backup is there.
func (f *folder) has(name string) (bool, error) {
	info, err := f.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("backup: %w", err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("backup: %s is there, and is no file", filepath.Join(f.path, name))
	}
	return true, nil
}

// prune removes the oldest backups of the database of n, but never n, and leaves keep of them.
func (f *folder) prune(n fileName, keep int) (removed []string, err error) {
	if keep <= 0 {
		return nil, nil
	}
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	var all []fileName
	for _, name := range names {
		if other, ok := n.parse(name); ok {
			all = append(all, other)
		}
	}
	slices.SortFunc(all, func(a, b fileName) int { return b.at.Compare(a.at) })
	left := keep - 1 // n is kept
	var failed []error
	for _, other := range all {
		switch name := other.String(); {
		case name == n.String():
		case left > 0:
			left--
		default:
			if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = append(failed, err)
				continue
			}
			removed = append(removed, name)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return removed, fmt.Errorf("backup: the backup was made, and an older one could not be removed: %w", err)
	}
	return removed, nil
}

// names lists the folder.
func (f *folder) names() ([]string, error) {
	d, err := f.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return names, nil
}

// partial is a file that is being written.
type partial struct {
	folder *folder
	name   string
	file   *os.File
}

const partialExt = ".partial"

// partial makes a temporary file, whose name says whose it is: .NAME.RUN-ATTEMPT-N.partial.
func (f *folder) partial(n fileName, o Options) (*partial, error) {
	for i := 0; ; i++ {
		name := fmt.Sprintf(".%s.%d-%d-%d%s", n, o.Run, o.Attempt, i, partialExt)
		file, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && i < 100 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("backup: a file cannot be made in the folder: %w", err)
		}
		return &partial{f, name, file}, nil
	}
}

// flush writes the file to the disk, and closes it.
func (p *partial) flush() error {
	err := p.file.Sync()
	if closeErr := p.file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// discard closes and removes the file, unless it has become the backup.
func (p *partial) discard() {
	if p == nil {
		return
	}
	_ = p.file.Close() // what it holds is not needed, or was flushed
	p.folder.remove(p.name)
}

// besides are the endings of files that SQLite has beside a database.
var besides = []string{"", "-journal", "-wal", "-shm"}

// remove removes a temporary file; one that cannot be removed is tried again with the next backup.
func (f *folder) remove(name string) {
	for _, ending := range besides {
		_ = f.root.Remove(name + ending)
	}
}

// keepFresh sets the time of a file until stop is called, so that other processes see that somebody
// writes it, also while the program that does waits for a lock.
func (f *folder) keepFresh(p *partial) (stop func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		tick := time.NewTicker(freshEvery)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				_ = f.root.Chtimes(p.name, now, now)
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		ended.Wait()
	})
}

var partialName = regexp.MustCompile(`^\..*\.([0-9]+)-([0-9]+)-[0-9]+\.partial(-journal|-wal|-shm)?$`)

// removeAbandoned removes temporary files of processes that were killed: those of earlier attempts of
// the run, and those that nobody has written to for a while.
func (f *folder) removeAbandoned(o Options) {
	names, err := f.names()
	if err != nil {
		return // making a file says so
	}
	for _, name := range names {
		match := partialName.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		earlier := o.Run != 0 && match[1] == fmt.Sprint(o.Run) && match[2] != fmt.Sprint(o.Attempt)
		if info, err := f.root.Lstat(name); err == nil && (earlier || time.Since(info.ModTime()) > abandonedAfter) {
			_ = f.root.Remove(name)
		}
	}
}

// flush writes the folder's entries to the disk.
func (f *folder) flush() error {
	if runtime.GOOS == "windows" { // which has no such call
		return nil
	}
	d, err := f.root.Open(".")
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}

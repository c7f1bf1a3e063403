package program

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// mostKept is how many programs are kept, of some 90 MB each: those of the
// versions used last.
const mostKept = 3

// touchEach is how old the time of a program's last use may become.
const touchEach = 24 * time.Hour

// store is the folder in which the builds of a program are kept, each in a folder that is named
// by its key.
type store struct{ dir, name string }

func (s store) fileName() string {
	if runtime.GOOS == "windows" {
		return s.name + ".exe"
	}
	return s.name
}

// get returns the program of a key.
func (s store) get(key string) (string, bool) {
	path := filepath.Join(s.dir, key, s.fileName())
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > touchEach {
		_ = os.Chtimes(path, now, now) // only a sooner build comes of it
	}
	return path, true
}

// put moves a program to its place. It appears whole or not at all.
func (s store) put(key, built string) (string, error) {
	path := filepath.Join(s.dir, key, s.fileName())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.Rename(built, path)
}

// prune drops the programs beyond mostKept, but never the given one. One that is
// running now, or that cannot be removed, stays: it is tried again next time.
func (s store) prune(but string) {
	paths, _ := filepath.Glob(filepath.Join(s.dir, "*", s.fileName())) // the pattern is good
	used := func(path string) time.Time {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	paths = slices.DeleteFunc(paths, func(p string) bool {
		return p == but || strings.HasPrefix(filepath.Base(filepath.Dir(p)), "new-")
	})
	slices.SortFunc(paths, func(a, b string) int { return used(b).Compare(used(a)) })
	for i, p := range paths {
		if i >= mostKept-1 {
			_ = os.RemoveAll(filepath.Dir(p))
		}
	}
	left, _ := filepath.Glob(filepath.Join(s.dir, "new-*")) // of runs that were killed
	for _, dir := range left {
		if time.Since(used(dir)) > touchEach {
			_ = os.RemoveAll(dir)
		}
	}
}

// took returns how long the last build took; 0 when that is not known.
func (s store) took() time.Duration {
	text, err := os.ReadFile(filepath.Join(s.dir, "took-"+s.name))
	if err != nil {
		return 0
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return d
}

// setTook keeps how long a build took. It is only shown, so an error does not
// matter.
func (s store) setTook(d time.Duration) {
	_ = os.WriteFile(filepath.Join(s.dir, "took-"+s.name), []byte(d.String()+"\n"), 0o644)
}

package sqlc

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// CacheEnv is the environment variable that names the cache's folder; "off"
// means none.
const CacheEnv = "MODULAGEN_CACHE"

// The cache's bounds: an entry that was not read for keepFor is dropped, and
// the oldest ones beyond keepBytes.
const (
	keepFor   = 30 * 24 * time.Hour
	keepBytes = 128 << 20
	pruneEach = 24 * time.Hour
	touchEach = 24 * time.Hour
)

// cache is a folder of analyses by content. The zero value keeps nothing. Its
// errors are never the caller's: a cache that cannot be read or written only
// makes the next run slower.
type cache struct {
	dir  string
	kept *kept // what the module itself keeps; nil for nothing
}

// cache opens the cache that an Analyser asks for.
func (a Analyser) cache() cache {
	c := openCache(a.Cache)
	if !a.Anew {
		c.kept = builtIn()
	}
	return c
}

// openCache opens the cache in the folder that CacheFolder finds.
func openCache(dir string) cache {
	dir, err := CacheFolder(dir)
	if err != nil || dir == "off" {
		return cache{}
	}
	return cache{dir: filepath.Join(dir, "sqlc")}
}

// CacheFolder returns the folder for what is kept between runs: as given, else by
// the environment, else in the user's cache folder. "off" stays "off".
func CacheFolder(dir string) (string, error) {
	if dir = cmp.Or(dir, os.Getenv(CacheEnv)); dir != "" {
		return dir, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(user, "modulagen"), nil
}

func (c cache) path(key string) string {
	return filepath.Join(c.dir, key[:2], key+".json")
}

// get returns the entry for a key, or false. An entry with another number of
// queries is damaged.
func (c cache) get(key string, queries int) ([]Analysed, bool) {
	if out, ok := c.kept.analysis(key); ok {
		return out, true
	}
	if c.dir == "" {
		return nil, false
	}
	path := c.path(key)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	var out []Analysed
	if json.Unmarshal(data, &out) != nil || len(out) != queries {
		return nil, false
	}
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > touchEach {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // an entry in use stays young
	}
	return out, true
}

// put keeps an entry. It appears whole or not at all.
func (c cache) put(key string, a []Analysed) {
	if c.dir == "" {
		return
	}
	data, err := json.Marshal(a)
	if err != nil {
		return
	}
	path := c.path(key)
	if os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return
	}
	_, werr := f.Write(data)
	cerr := f.Close()
	if errors.Join(werr, cerr) != nil || os.Rename(f.Name(), path) != nil {
		os.Remove(f.Name())
	}
}

// passed reports whether a rehearsal passed.
func (c cache) passed(key string) bool {
	if c.kept.passed(key) {
		return true
	}
	_, ok := c.get(key, 0)
	return ok
}

// pass keeps that a rehearsal passed.
func (c cache) pass(key string) { c.put(key, []Analysed{}) }

// prune drops what is old and what is too much, at most once a day.
func (c cache) prune(now time.Time) {
	if c.dir == "" {
		return
	}
	stamp := filepath.Join(c.dir, "pruned")
	if info, err := os.Stat(stamp); err == nil && now.Sub(info.ModTime()) < pruneEach {
		return
	}
	if os.WriteFile(stamp, nil, 0o644) != nil || os.Chtimes(stamp, now, now) != nil {
		return
	}
	c.drop(now, keepBytes)
}

func (c cache) drop(now time.Time, keep int64) {
	type entry struct {
		path string
		size int64
		used time.Time
	}
	var all []entry
	_ = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Dir(path) == c.dir {
			return nil
		}
		if info, err := d.Info(); err == nil {
			all = append(all, entry{path, info.Size(), info.ModTime()})
		}
		return nil
	})
	slices.SortFunc(all, func(a, b entry) int { return b.used.Compare(a.used) })
	var total int64
	for _, e := range all {
		total += e.size
		if total > keep || now.Sub(e.used) > keepFor {
			os.Remove(e.path)
		}
	}
}

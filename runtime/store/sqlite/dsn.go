package sqlite

import (
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// config is a DSN, read.
type config struct {
	path        string // as the engine takes it
	memory      bool
	synchronous string
	busy        time.Duration
	readers     int
	cacheKiB    int
}

// memoryPath is the path of a database that is in no file.
const memoryPath = ":memory:"

func parseDSN(dsn string, opts store.Options) (config, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(dsn, "sqlite:"), "?")
	slashes := strings.HasPrefix(path, "//")
	path = strings.TrimPrefix(path, "//")
	c := config{
		path:        path,
		memory:      path == memoryPath,
		synchronous: "normal",
		busy:        5 * time.Second,
		readers:     min(max(runtime.GOMAXPROCS(0), 2), 8),
		cacheKiB:    8192,
	}
	if opts.MaxConns > 0 {
		c.readers = min(opts.MaxConns, maxReaders)
	}
	if path == "" {
		return c, fmt.Errorf("sqlite: the DSN names no file; write sqlite::memory: or sqlite:app.db")
	}
	if strings.IndexByte(path, 0) >= 0 { // the engine would open what stands before it
		return c, fmt.Errorf("sqlite: the DSN holds a NUL byte")
	}
	if strings.HasPrefix(path, "file:") {
		return c, fmt.Errorf("sqlite: the DSN is a URI for SQLite itself: write sqlite:%s", strings.TrimPrefix(path, "file:"))
	}
	if slashes && !c.memory && !strings.HasPrefix(path, "/") { // a URL would have tmp as the host here, a reader /tmp
		return c, fmt.Errorf("sqlite: what sqlite://%[1]s names is not clear: write sqlite:%[1]s for a file below "+
			"the working folder, sqlite:/%[1]s for one below the root", path)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return c, fmt.Errorf("sqlite: the DSN's options are malformed")
	}
	for key, vs := range values {
		if err := c.option(key, vs[len(vs)-1]); err != nil {
			return c, err
		}
	}
	return c, nil
}

const maxReaders = 64

func (c *config) option(key, value string) (err error) {
	switch key {
	case "synchronous":
		switch c.synchronous = strings.ToLower(value); c.synchronous {
		case "off", "normal", "full", "extra":
			return nil
		}
		return fmt.Errorf("sqlite: synchronous is off, normal, full or extra, not %q", value)
	case "busy_timeout":
		var ms int
		ms, err = number(key, value, 0, 600_000)
		c.busy = time.Duration(ms) * time.Millisecond
	case "readers":
		c.readers, err = number(key, value, 1, maxReaders)
	case "cache_kib":
		c.cacheKiB, err = number(key, value, 64, 16<<20)
	default:
		return fmt.Errorf("sqlite: unknown option %q; there are synchronous, busy_timeout, readers, cache_kib", key)
	}
	return err
}

func number(key, value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("sqlite: %s is a number from %d to %d, not %q", key, low, high, value)
	}
	return n, nil
}

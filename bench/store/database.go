package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hegner123/modulagen/bench/measure"
)

// database is one of the three, and the sides that store in it; ours is first.
type database struct {
	name  string
	asked bool // the issue asks for ratios here; elsewhere for the figure only
	host  func(ctx context.Context) (*host, error)
	sides []opener
}

var databases = []database{
	{"sqlite", true, sqliteHost, []opener{openOurs, openHandSQLite, openEntSQLite, openGormSQLite}},
	{"postgres", true, postgresHost, []opener{openOurs, openHandPostgres, openEntPostgres, openGormPostgres}},
	{"mysql", false, mysqlHost, []opener{openOurs, openHandMySQL, openEntMySQL, openGormMySQL}},
}

// target is the least ratio to a peer: 1.15 times the time of the same by hand
// at most, and faster than the others.
func (db database) target(peer string) *float64 {
	switch {
	case !db.asked:
		return nil
	case peer == handName:
		return measure.Target(1 / 1.15)
	default:
		return measure.Target(1)
	}
}

// place is an empty database for one side.
type place struct {
	url    string // as our Open takes it: sqlite:path, postgres://, mysql://
	native string // as the database's own driver takes it
}

// host makes places and removes them again.
type host struct {
	durability string
	place      func(ctx context.Context, number int) (place, error)
	close      func(ctx context.Context) error
}

var errNoServer = errors.New("no DSN; scripts/services.sh gives one")

// pragmas are those that our store sets (runtime/store/sqlite), for the peers.
const pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)" +
	"&_pragma=trusted_schema(0)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-8192)&_time_format=sqlite&_txlock=immediate"

func sqliteHost(context.Context) (*host, error) {
	dir, err := os.MkdirTemp("", "modulagen-bench-")
	if err != nil {
		return nil, err
	}
	return &host{
		durability: "one file a side, WAL, synchronous=NORMAL for every side",
		place: func(_ context.Context, number int) (place, error) {
			path := filepath.Join(dir, fmt.Sprintf("side%d.db", number))
			return place{url: "sqlite:" + path, native: "file:" + path + pragmas}, nil
		},
		close: func(context.Context) error { return os.RemoveAll(dir) },
	}, nil
}

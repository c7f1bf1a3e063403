package core

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

var drivers = struct {
	sync.Mutex
	byScheme map[string]Driver
}{byScheme: map[string]Driver{}}

// Register makes a driver known under a DSN scheme. Driver packages call it
// when they are imported.
func Register(scheme string, d Driver) {
	drivers.Lock()
	defer drivers.Unlock()
	drivers.byScheme[scheme] = d
}

// packages names the driver package of each scheme that Open understands.
var packages = map[string]string{
	"sqlite": "sqlite", "postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql",
}

func driverOf(dsn string, schema *Schema) (Driver, error) {
	scheme, _, found := strings.Cut(dsn, ":")
	pkg, known := packages[scheme]
	if !found || !known {
		return nil, fmt.Errorf("store: a DSN starts with sqlite:, postgres:// or mysql://")
	}
	if schema != nil && schema.Targets != nil && !slices.Contains(schema.Targets, pkg) {
		return nil, fmt.Errorf("store: the DSN is of %s, and the program is generated for %s alone: use another DSN, or add %s to databases in modulagen.yaml, "+
			"run \"modulagen generate\" and build the program again", pkg, strings.Join(schema.Targets, " and "), pkg)
	}
	drivers.Lock()
	defer drivers.Unlock()
	d := drivers.byScheme[scheme]
	if d == nil {
		return nil, fmt.Errorf("store: no driver for %s:; add to your program: import _ %q",
			scheme, "github.com/hegner123/modulagen/runtime/store/"+pkg)
	}
	return d, nil
}

// Open opens the database that dsn names:
//
//	sqlite:app.db   sqlite:/var/lib/app.db?synchronous=full   sqlite::memory:
//	postgres://user:password@host:5432/name?sslmode=require
//	mysql://user:password@host:3306/name
//
// Tables of schema that are missing are created, whole tables only; where one
// exists and differs, Open fails with a *SchemaError. Of a schema with migrations, what
// happens is the choice of Options.Migrate. A DSN of a database that schema does not target is
// refused. A nil schema is not looked at. Several processes may open one new database at once.
func Open(ctx context.Context, dsn string, schema *Schema, opts store.Options) (*DB, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	d, err := driverOf(dsn, schema)
	if err != nil {
		return nil, err
	}
	fake := opts.Now != nil
	if !fake {
		opts.Now = time.Now
	}
	if opts.Attempts <= 0 {
		opts.Attempts = defaultAttempts
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	backend, err := d.Open(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	if schema != nil {
		prepare := EnsureTables
		if schema.Ensure != nil {
			prepare = schema.Ensure
		}
		if err := prepare(ctx, backend, schema, opts); err != nil {
			backend.Close()
			return nil, err
		}
		warnOfSizes(ctx, opts.Logger, backend, schema)
	}
	db := newDB(&shared{dsn: dsn, opts: opts, done: make(chan struct{}), schema: schema, fake: fake}, backend, 0)
	if backend.Dialect() != sqltext.SQLite {
		db.reserved.open = func(ctx context.Context, conns int) (Backend, error) {
			opts := opts
			opts.MaxConns = conns
			if r, ok := d.(Reserver); ok {
				return r.OpenReserved(ctx, dsn, opts)
			}
			return d.Open(ctx, dsn, opts)
		}
	}
	db.notifier.open(db, func(err error) {
		opts.Logger.Warn("store: other processes could not be notified of a change; trying again", "error", err)
	})
	return db, nil
}

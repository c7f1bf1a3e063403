package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

var errNoServer = errors.New("no server")

// server is where databases are made: a server, or a folder for files of SQLite.
type server struct {
	db     model.Database
	driver string
	folder string
	url    *url.URL
	native func(*url.URL) string
	admin  *sql.DB
	n      int
}

func openServer(db model.Database) (*server, error) {
	if db == model.SQLite {
		folder, err := os.MkdirTemp("", "modulagen-bench-")
		return &server{db: db, driver: "sqlite", folder: folder}, err
	}
	s := &server{db: db, driver: "pgx", native: func(u *url.URL) string { return u.String() }}
	variable := "MODULAGEN_POSTGRES_DSN"
	if db == model.MySQL {
		variable, s.driver, s.native = "MODULAGEN_MYSQL_DSN", "mysql", measure.NativeMySQL
	}
	u, err := url.Parse(os.Getenv(variable))
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s: %w", variable, errNoServer) // the error would show its password
	}
	s.url = u
	if s.admin, err = sql.Open(s.driver, s.native(u)); err == nil && db == model.MySQL {
		_, err = s.admin.Exec(keepChanges)
	}
	return s, err
}

// keepChanges has the server keep what is written while it writes a table of a million rows again, as
// docs/evolution.md advises for a table that large. It is for all sessions, until the server ends.
const keepChanges = "SET GLOBAL innodb_online_alter_log_max_size = 2147483648"

func (s *server) close() error {
	if s.admin != nil {
		return s.admin.Close()
	}
	return os.RemoveAll(s.folder)
}

// database is one of its own, which drop removes.
type database struct {
	*sql.DB
	dsn  string // as the runtime takes it
	path string // of SQLite's file
	drop func() error
}

// fresh makes an empty database.
func (s *server) fresh(ctx context.Context) (*database, error) {
	s.n++
	name := fmt.Sprintf("modulagen_bench_%d_%d", os.Getpid(), s.n)
	if s.db == model.SQLite {
		path := filepath.Join(s.folder, name+".db")
		db, err := sql.Open(s.driver, path)
		if err != nil {
			return nil, err
		}
		return &database{DB: db, dsn: "sqlite:" + path, path: path, drop: func() error { return errors.Join(db.Close(), os.RemoveAll(path)) }}, nil
	}
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	at := *s.url
	at.Path = "/" + name
	db, err := sql.Open(s.driver, s.native(&at))
	if err != nil {
		return nil, err
	}
	return &database{DB: db, dsn: at.String(), drop: func() error {
		err := db.Close()
		_, dropped := s.admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name)
		return errors.Join(err, dropped)
	}}, nil
}

// create makes the tables of a schema, as a program does that opens the database.
func (d *database) create(ctx context.Context, schema *core.Schema) error {
	return with(ctx, d.dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		return core.EnsureTables(ctx, b, schema, store.Options{})
	})
}

// onServers runs a part with each server that there is.
func onServers(report *measure.Report, part func(s *server) error) error {
	for _, db := range model.Databases {
		s, err := openServer(db)
		if errors.Is(err, errNoServer) {
			report.Note("migrate: %s: %v", db, err)
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(part(s), s.close()); err != nil {
			return fmt.Errorf("%s: %w", db, err)
		}
	}
	return nil
}

// onEach runs a part on a database of each kind that there is.
func onEach(ctx context.Context, report *measure.Report, part func(db model.Database, dsn string) error) error {
	return onServers(report, func(s *server) error {
		d, err := s.fresh(ctx)
		if err != nil {
			return err
		}
		return errors.Join(part(s.db, d.dsn), d.drop())
	})
}

package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"ariga.io/atlas/sql/migrate"
	atlasmysql "ariga.io/atlas/sql/mysql"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// planner is the peer on one database: it reads two schemas from it, and plans.
type planner struct {
	db     model.Database
	admin  *sql.DB
	driver string
	at     func(name string) string // the source of one database
	folder string
	n      int
}

func openPeer(_ context.Context, db model.Database) (*planner, error) {
	p := &planner{db: db}
	switch db {
	case model.SQLite:
		folder, err := os.MkdirTemp("", "modulagen-bench-")
		if err != nil {
			return nil, err
		}
		p.folder, p.driver, p.at = folder, "sqlite", func(name string) string { return filepath.Join(folder, name+".db") }
		return p, nil
	case model.Postgres:
		return p, p.server("MODULAGEN_POSTGRES_DSN", "pgx", func(u *url.URL) string { return u.String() })
	}
	return p, p.server("MODULAGEN_MYSQL_DSN", "mysql", measure.NativeMySQL)
}

func (p *planner) server(variable, driver string, native func(*url.URL) string) error {
	dsn := os.Getenv(variable)
	if dsn == "" {
		return fmt.Errorf("%s: %w", variable, errNoServer)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return fmt.Errorf("%s is no URL", variable) // the error would show its password
	}
	p.driver = driver
	p.at = func(name string) string {
		at := *u
		at.Path = "/" + name
		return native(&at)
	}
	p.admin, err = sql.Open(driver, native(u))
	return err
}

func (p *planner) close() error {
	if p.admin != nil {
		return p.admin.Close()
	}
	return os.RemoveAll(p.folder)
}

// plan returns the peer's statements that lead from one schema to the other.
func (p *planner) plan(ctx context.Context, before, after string) (statements []string, err error) {
	var realms [2]*schema.Schema
	var driver migrate.Driver
	for i, ddl := range []string{before, after} {
		p.n++
		name := fmt.Sprintf("modulagen_bench_%d", p.n)
		db, drop, err := p.database(ctx, name)
		if err != nil {
			return nil, err
		}
		defer drop()
		for _, s := range core.Statements(ddl) {
			if _, err := db.ExecContext(ctx, s); err != nil {
				return nil, err
			}
		}
		if driver, err = p.open(db); err != nil {
			return nil, err
		}
		if realms[i], err = driver.InspectSchema(ctx, "", nil); err != nil {
			return nil, err
		}
	}
	realms[1].Name = realms[0].Name
	changes, err := driver.SchemaDiff(realms[0], realms[1])
	if err != nil {
		return nil, err
	}
	plan, err := driver.PlanChanges(ctx, "change", changes)
	if err != nil {
		return nil, err
	}
	for _, c := range plan.Changes {
		statements = append(statements, strings.TrimSpace(c.Cmd))
	}
	return statements, nil
}

func (p *planner) open(db *sql.DB) (migrate.Driver, error) {
	switch p.db {
	case model.SQLite:
		return sqlite.Open(db)
	case model.Postgres:
		return postgres.Open(db)
	}
	return atlasmysql.Open(db)
}

// database makes one, which drop removes.
func (p *planner) database(ctx context.Context, name string) (db *sql.DB, drop func(), err error) {
	if p.admin != nil {
		if _, err := p.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
			return nil, nil, err
		}
	}
	db, err = sql.Open(p.driver, p.at(name))
	if err != nil {
		return nil, nil, err
	}
	return db, func() {
		err := db.Close()
		if p.admin != nil {
			_, dropped := p.admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name)
			err = errors.Join(err, dropped)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}, nil
}

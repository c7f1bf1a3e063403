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
)

// place is a database of its own, by its DSN, and drop removes it.
func place(ctx context.Context, db model.Database) (dsn string, drop func() error, err error) {
	if db == model.SQLite {
		folder, err := os.MkdirTemp("", "modulagen-bench-")
		return "sqlite:" + filepath.Join(folder, "bench.db"), func() error { return os.RemoveAll(folder) }, err
	}
	variable, driver, native := "MODULAGEN_POSTGRES_DSN", "pgx", func(u *url.URL) string { return u.String() }
	if db == model.MySQL {
		variable, driver, native = "MODULAGEN_MYSQL_DSN", "mysql", measure.NativeMySQL
	}
	u, err := url.Parse(os.Getenv(variable))
	if err != nil || u.Host == "" {
		return "", nil, fmt.Errorf("%s: %w", variable, errNoServer) // the error would show its password
	}
	admin, err := sql.Open(driver, native(u))
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("modulagen_bench_%d", os.Getpid())
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, errors.Join(err, admin.Close())
	}
	at := *u
	at.Path = "/" + name
	return at.String(), func() error {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name)
		return errors.Join(err, admin.Close())
	}, nil
}

// onEach runs a part on every database that there is.
func onEach(ctx context.Context, report *measure.Report, part func(db model.Database, dsn string) error) error {
	for _, db := range model.Databases {
		dsn, drop, err := place(ctx, db)
		if errors.Is(err, errNoServer) {
			report.Note("migrate: %s: %v", db, err)
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(part(db, dsn), drop()); err != nil {
			return fmt.Errorf("%s: %w", db, err)
		}
	}
	return nil
}

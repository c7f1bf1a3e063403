package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/hegner123/modulagen/bench/measure"
)

// postgresHost makes one database for each side on the server that
// MODULAGEN_POSTGRES_DSN names.
func postgresHost(ctx context.Context) (*host, error) {
	return serverHost(ctx, "MODULAGEN_POSTGRES_DSN", server{
		driver:   "pgx",
		native:   func(u *url.URL) string { return u.String() },
		settings: "SELECT 'fsync=' || current_setting('fsync') || ', synchronous_commit=' || current_setting('synchronous_commit')",
		drop:     "DROP DATABASE IF EXISTS %s WITH (FORCE)",
	})
}

// mysqlHost does the same on the server that MODULAGEN_MYSQL_DSN names.
func mysqlHost(ctx context.Context) (*host, error) {
	return serverHost(ctx, "MODULAGEN_MYSQL_DSN", server{
		driver:   "mysql",
		native:   nativeMySQL,
		settings: "SELECT CONCAT('innodb_flush_log_at_trx_commit=', @@innodb_flush_log_at_trx_commit, ', sync_binlog=', @@sync_binlog)",
		drop:     "DROP DATABASE IF EXISTS %s",
	})
}

// nativeMySQL has the driver put the arguments of statements that are not prepared into their text, as its
// documentation advises: otherwise each takes two answers of the server. Ours does so too.
func nativeMySQL(u *url.URL) string { return measure.NativeMySQL(u) + "&interpolateParams=true" }

// server is what differs between the two.
type server struct {
	driver   string
	native   func(u *url.URL) string
	settings string // a query whose one text is the durability that is set
	drop     string
}

func serverHost(ctx context.Context, variable string, s server) (*host, error) {
	dsn := os.Getenv(variable)
	if dsn == "" {
		return nil, fmt.Errorf("%s: %w", variable, errNoServer)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s is no URL", variable) // the error would show its password
	}
	admin, err := sql.Open(s.driver, s.native(u))
	if err != nil {
		return nil, err
	}
	h := &host{}
	if err := admin.QueryRowContext(ctx, s.settings).Scan(&h.durability); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	var made []string
	h.place = func(ctx context.Context, number int) (place, error) {
		name := fmt.Sprintf("modulagen_bench_%d_%d", os.Getpid(), number)
		if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
			return place{}, err
		}
		made = append(made, name)
		own := *u
		own.Path = "/" + name
		return place{url: own.String(), native: s.native(&own)}, nil
	}
	h.close = func(ctx context.Context) error {
		var failed []error
		for _, name := range made {
			_, err := admin.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf(s.drop, name))
			failed = append(failed, err)
		}
		return errors.Join(append(failed, admin.Close())...)
	}
	return h, nil
}

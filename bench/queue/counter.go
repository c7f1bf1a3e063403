package queue

import (
	"context"
	"database/sql"

	_ "github.com/go-sql-driver/mysql" // mysql
	_ "github.com/jackc/pgx/v5/stdlib" // pgx
	_ "modernc.org/sqlite"             // sqlite
)

// drivers of database/sql for each database.
var drivers = map[string]string{"sqlite": "sqlite", "postgres": "pgx", "mysql": "mysql"}

// counter answers Left and Finished from a connection of its own, so that
// looking takes none from the side that is measured.
type counter struct {
	db             *sql.DB
	left, finished string // queries; an empty one means that finished rows are deleted
}

func openCounter(at place, left, finished string) (*counter, error) {
	db, err := sql.Open(drivers[at.DB], at.Native)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &counter{db, left, finished}, nil
}

func (c *counter) Left(ctx context.Context) (int, error) { return c.count(ctx, c.left) }

func (c *counter) Finished(ctx context.Context) (int, error) {
	if c.finished == "" {
		return gone, nil
	}
	return c.count(ctx, c.finished)
}

func (c *counter) count(ctx context.Context, query string) (n int, err error) {
	err = c.db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

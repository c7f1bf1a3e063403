// Package engine asks a real SQLite about queries: whether it prepares them,
// and what they return when they run. It is linked by the program
// modulagen-sqlc alone, because SQLite's engine takes half a minute to compile.
package engine

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"

	_ "modernc.org/sqlite" // the engine

	"github.com/hegner123/modulagen/gen/sqlc/protocol"
)

// open opens an in-memory database of one connection.
func open(ctx context.Context, pragmas string) (*sql.Conn, func(), error) {
	// Without _dqs=0 SQLite takes an unknown "name" for a string.
	db, err := sql.Open("sqlite", "file::memory:?_dqs=0"+pragmas)
	if err != nil {
		return nil, nil, fmt.Errorf("engine: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("engine: %w", err)
	}
	return conn, func() { conn.Close(); db.Close() }, nil
}

// Prepare prepares statements on a database that has the given tables, and
// returns those that it refuses.
func Prepare(ctx context.Context, p protocol.Preparation) ([]protocol.Refusal, error) {
	conn, done, err := open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer done()
	for _, ddl := range p.DDL {
		if _, err := conn.ExecContext(ctx, ddl); err != nil {
			return nil, fmt.Errorf("engine: internal error: sqlite refuses a generated table: %w\n%s", err, ddl)
		}
	}
	out := []protocol.Refusal{}
	for i, text := range p.Texts {
		stmt, err := conn.PrepareContext(ctx, text)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			out = append(out, protocol.Refusal{Text: i, Message: message(err)})
			continue
		}
		stmt.Close()
	}
	return out, nil
}

// noise is what the driver puts around SQLite's words:
// "SQL logic error: near "FORM": syntax error (1)".
var noise = regexp.MustCompile(`^SQL logic error: |\s*\(\d+\)$`)

func message(err error) string { return noise.ReplaceAllString(err.Error(), "") }

package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// execMode is the DSN's option that says how statements are sent.
const execMode = "default_query_exec_mode"

// pooler connects once, so that a wrong address or password shows in Open, and
// says whether something stands between the program and the server that gives
// sessions to several clients in turn. Statements that are prepared by name are
// not there for the next transaction then, and a LISTEN is someone else's.
//
// A pooler cannot pass on the server's cancel key, which is that of a session, so
// it makes up one for each client. The key comes with the number of a process,
// which is then not the one that answers.
func pooler(ctx context.Context, cfg *pgx.ConnConfig) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return false, err
	}
	defer func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		conn.Close(late)
	}()
	var pid int64
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return false, err
	}
	return pid != int64(conn.PgConn().PID()), nil
}

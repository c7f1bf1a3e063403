package postgres

import (
	"context"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// readOnly is the SQLSTATE of a write on a server that takes none, such as one that
// was the primary before a failover.
const readOnly = "25006"

// followPrimary closes connections to a server that has become read-only since
// they were made. It keeps its connections, so that without this a program would
// stay with it; new ones go where the DSN says. A server that is read-only from
// the beginning is one that the DSN accepts.
func (b *backend) followPrimary(cfg *pgxpool.Config) {
	cfg.ConnConfig.OnPgError, cfg.ConnConfig.OnNotice = b.keeps, b.abandoned.notice
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		noteWritable(conn)
		return nil
	}
	cfg.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) {
		if becameReadOnly(conn) {
			b.leave()
			return false, nil
		}
		return true, nil
	}
}

// keeps reports whether a connection is kept after an error.
func (b *backend) keeps(conn *pgconn.PgConn, err *pgconn.PgError) bool {
	if err.Code == readOnly {
		if conn.CustomData()[beganReadOnly] == true {
			return true
		}
		b.leave()
		return false
	}
	return !strings.EqualFold(err.Severity, "FATAL")
}

// leave closes all connections of the pool, and has the one that listens look at
// its server.
func (b *backend) leave() {
	if b.pool != nil {
		b.pool.Reset()
	}
	b.doubt.raise()
}

// wasWritable is the key of a connection's custom data under which it is noted
// that its server took writes when it was made.
const wasWritable = "modulagen writable"

// beganReadOnly is the key under which it is noted that a connection runs a transaction
// that refuses writes by its options, whatever its server does.
const beganReadOnly = "modulagen read-only"

func noteWritable(conn *pgx.Conn) {
	conn.PgConn().CustomData()[wasWritable] = !refusesWrites(conn)
}

func becameReadOnly(conn *pgx.Conn) bool {
	return conn.PgConn().CustomData()[wasWritable] == true && refusesWrites(conn)
}

// refusesWrites goes by what the server, since PostgreSQL 14, reports with its
// answers: reads, which it does not refuse, show that it has become read-only.
func refusesWrites(conn *pgx.Conn) bool {
	pg := conn.PgConn()
	return pg.ParameterStatus("in_hot_standby") == "on" || pg.ParameterStatus("default_transaction_read_only") == "on"
}

// doubt interrupts the wait for a notification, so that the connection is checked.
type doubt struct {
	mu     sync.Mutex
	raised bool
	wake   context.CancelFunc // nil while nothing waits
}

func (d *doubt) raise() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raised = true
	if d.wake != nil {
		d.wake()
	}
}

// watch has wake called when there is doubt, at once if it was raised before;
// nil ends that.
func (d *doubt) watch(wake context.CancelFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wake = wake; wake != nil && d.raised {
		wake()
	}
}

// clear is called before the connection is checked.
func (d *doubt) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raised = false
}

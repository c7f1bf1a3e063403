package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/hegner123/modulagen/runtime/store/internal/remote"
)

// connector opens connections that heed their contexts, keep their statements
// prepared and run at the isolation level that the store promises.
type connector struct {
	sqldriver.Connector
	keep   int           // statements that a connection keeps prepared at most
	conns  int           // connections that there may be
	idle   time.Duration // after which the server closes a connection; 0: when it does by itself
	packet atomic.Int64  // the server's max_allowed_packet
}

// socketKey is where a context of Connect carries the place for the socket.
type socketKey struct{}

func newConnector(cfg *mysql.Config, dialer *remote.Dialer, keep, conns int, idle time.Duration) (*connector, error) {
	cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		s, err := dialer.DialContext(ctx, network, address)
		if place, ok := ctx.Value(socketKey{}).(*net.Conn); ok {
			*place = s
		}
		return s, err
	}
	inner, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return &connector{Connector: inner, keep: keep, conns: conns, idle: idle}, nil
}

// Connect implements driver.Connector. It is bounded as a whole: database/sql
// connects in the background as well, for no one in particular.
func (c *connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, remote.ConnectTimeout, errSilent)
	defer cancel()
	var socket net.Conn
	raw, err := c.Connector.Connect(context.WithValue(ctx, socketKey{}, &socket))
	if err != nil {
		return nil, err
	}
	inner, ok := raw.(serverConn)
	if !ok {
		raw.Close()
		return nil, errors.New("mysql: the driver's connection lacks what the store needs")
	}
	conn := &connection{serverConn: inner, socket: socket, kept: map[string]*prepared{}}
	if err := c.setUp(ctx, conn); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// setUp needs no prepared statements: the server may have no room for one.
func (c *connector) setUp(ctx context.Context, conn *connection) error {
	// The one statement that all versions understand.
	if _, err := conn.serverConn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return err
	}
	if c.idle > 0 {
		if _, err := conn.serverConn.ExecContext(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", int(c.idle.Seconds())), nil); err != nil {
			return err
		}
	}
	rows, err := conn.serverConn.QueryContext(ctx, "SELECT @@max_allowed_packet, @@max_prepared_stmt_count", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	limits := make([]sqldriver.Value, 2)
	if err := rows.Next(limits); err != nil {
		return err
	}
	packet, err := number(limits[0])
	if err != nil {
		return err
	}
	statements, err := number(limits[1])
	if err != nil {
		return err
	}
	c.packet.Store(packet)
	conn.packet = int(packet)
	conn.keep = share(int(statements), c.conns, c.keep)
	return nil
}

func number(v sqldriver.Value) (int64, error) {
	switch n := v.(type) {
	case int64:
		return n, nil
	case uint64:
		return int64(min(n, 1<<62)), nil
	}
	return 0, fmt.Errorf("mysql: the server's limit is no number but %T", v)
}

// serverConn is what go-sql-driver's connection can do.
type serverConn interface {
	sqldriver.Conn
	sqldriver.ConnBeginTx
	sqldriver.ConnPrepareContext
	sqldriver.ExecerContext
	sqldriver.QueryerContext
	sqldriver.NamedValueChecker
	sqldriver.Pinger
	sqldriver.SessionResetter
	sqldriver.Validator
}

// connection runs statements under their contexts. go-sql-driver watches a
// context too, but not while it reads what is left of a result; so it is given
// contexts without an end, and the socket is closed here.
type connection struct {
	serverConn
	socket net.Conn
	broken atomic.Bool // its socket is closed, or its state is not known
	packet int         // the largest statement that the server takes

	keep  int // how many statements are kept prepared
	kept  map[string]*prepared
	full  time.Time // until when nothing is prepared: the server had no room
	clock uint64
}

// watch has the connection broken when ctx ends before stop is called. It is marked as broken
// when stop returns, and not only by cut: that runs in a goroutine of its own, perhaps when the
// pool has handed the connection to another user.
func (c *connection) watch(ctx context.Context) (stop func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ctx.Done() == nil {
		return func() {}, nil
	}
	unwatch := context.AfterFunc(ctx, c.cut)
	return func() {
		if !unwatch() {
			c.broken.Store(true)
		}
	}, nil
}

func (c *connection) cut() {
	c.broken.Store(true)
	c.socket.Close() // the statement fails by it, and says so
}

// IsValid implements driver.Validator: database/sql closes a broken connection
// in place of keeping it.
func (c *connection) IsValid() bool { return !c.broken.Load() && c.serverConn.IsValid() }

// ResetSession implements driver.SessionResetter.
func (c *connection) ResetSession(ctx context.Context) error {
	if c.broken.Load() {
		return sqldriver.ErrBadConn
	}
	return c.serverConn.ResetSession(ctx)
}

// ExecContext implements driver.ExecerContext.
func (c *connection) ExecContext(ctx context.Context, text string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	stop, err := c.watch(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	st, err := c.fitting(text, args)
	if err != nil {
		return nil, err
	}
	if st == nil {
		res, err := c.serverConn.ExecContext(context.Background(), text, args)
		return res, c.unskipped(err)
	}
	return st.(sqldriver.StmtExecContext).ExecContext(context.Background(), args)
}

// QueryContext implements driver.QueryerContext.
func (c *connection) QueryContext(ctx context.Context, text string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	stop, err := c.watch(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.query(text, args)
	if err != nil {
		stop()
		return nil, err
	}
	return &watchedRows{rows, stop}, nil
}

func (c *connection) query(text string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	st, err := c.fitting(text, args)
	if err != nil {
		return nil, err
	}
	if st == nil {
		rows, err := c.serverConn.QueryContext(context.Background(), text, args)
		return rows, c.unskipped(err)
	}
	return st.(sqldriver.StmtQueryContext).QueryContext(context.Background(), args)
}

// watchedRows is watched until all of a result is read, which Close does.
type watchedRows struct {
	sqldriver.Rows
	stop func()
}

// Close implements driver.Rows.
func (r *watchedRows) Close() error {
	defer r.stop()
	return r.Rows.Close()
}

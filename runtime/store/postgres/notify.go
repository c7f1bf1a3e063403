package postgres

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// channel is the one that all announcements go through. Another program on the
// same database has it too, and is woken in vain at worst.
const channel = "modulagen"

const (
	reconnectFirst = 100 * time.Millisecond
	reconnectMost  = 5 * time.Second
	listenCheck    = 15 * time.Second // how often a silent connection is asked whether it is one, and to the primary
	listenAnswer   = 10 * time.Second
)

// Notify announces all topics in one statement, a transaction of its own: NOTIFY
// takes a lock on the whole server's list of them until its transaction ends,
// which in a user's transaction would be one commit at a time.
func (b *backend) Notify(ctx context.Context, s core.Session, topics []string) error {
	payloads := make([]string, len(topics))
	for i, t := range topics {
		payloads[i] = b.origin + " " + t
	}
	_, err := s.Exec(ctx, "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload", []any{channel, payloads})
	return err
}

// newOrigin names a pool, which does not listen to itself.
func newOrigin() string { return crand.Text() }

// Watch listens on a connection of its own, and connects again when it is lost.
func (b listener) Watch(ctx context.Context, wake func(topic string), all func()) {
	pause := reconnectFirst
	for ctx.Err() == nil {
		if b.listen(ctx, wake, all) {
			pause = reconnectFirst
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(pause*2, reconnectMost)
	}
}

// listen connects and listens until the connection is lost or ctx ends. It is
// false when there was no connection to listen on.
func (b *backend) listen(ctx context.Context, wake func(topic string), all func()) bool {
	cfg := b.pool.Config().ConnConfig
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { // the end of a wait cancels nothing
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return false
	}
	defer func() {
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn.Close(late)
	}()
	if subscribe(ctx, conn) != nil {
		return false
	}
	noteWritable(conn)
	all()
	for {
		topic, err := b.notification(ctx, conn)
		switch {
		case err != nil:
			return true
		case topic == nil: // a check, or its own
		case *topic == "":
			all()
		default:
			wake(*topic)
		}
	}
}

func subscribe(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "LISTEN "+channel, pgx.QueryExecModeSimpleProtocol)
	return err
}

var errBecameReadOnly = errors.New("the server has become read-only")

// notification waits for one of another pool. After a while of silence, or when
// the pool's connections show that the primary may be another server, it asks
// whether the server is still there and takes writes.
func (b *backend) notification(ctx context.Context, conn *pgx.Conn) (topic *string, err error) {
	silence, cancel := context.WithTimeout(ctx, listenCheck)
	defer cancel()
	b.doubt.watch(cancel)
	n, err := conn.WaitForNotification(silence)
	b.doubt.watch(nil)
	if err != nil {
		if ctx.Err() != nil || silence.Err() == nil || conn.IsClosed() {
			return nil, err
		}
		return nil, b.check(ctx, conn)
	}
	origin, what, found := strings.Cut(n.Payload, " ")
	switch {
	case origin == b.origin:
		return nil, nil
	case !found: // not from this program: it may mean anything
		what = ""
	}
	return &what, nil
}

// check asks the server for an answer, with which it reports what it has become.
// LISTEN changes nothing where it was sent before, is refused by a standby, and is
// by what an operator recognizes the connection in pg_stat_activity.
func (b *backend) check(ctx context.Context, conn *pgx.Conn) error {
	b.doubt.clear()
	answer, cancel := context.WithTimeout(ctx, listenAnswer)
	defer cancel()
	if err := subscribe(answer, conn); err != nil {
		return err
	}
	if becameReadOnly(conn) {
		return errBecameReadOnly
	}
	return nil
}

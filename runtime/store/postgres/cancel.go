package postgres

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store/internal/remote"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// cancelWait is how long a statement whose context has ended waits for the
	// server to say that it has stopped; the connection is cut after it.
	cancelWait = time.Second
	// answerWait bounds what takes no time on a server that answers.
	answerWait = 5 * time.Second
)

// limitWaits has connections notice a server that is gone.
func (b *backend) limitWaits(cfg *pgxpool.Config) {
	cfg.PingTimeout = answerWait
	cfg.ConnConfig.DialFunc = b.dialer.DialContext
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = remote.ConnectTimeout
	}
	b.followPrimary(cfg)
	cfg.BeforeConnect = func(_ context.Context, cfg *pgx.ConnConfig) error {
		l := &link{dialer: &b.dialer}
		cfg.DialFunc = l.dial
		cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
			if b.pooled {
				return &cutter{c, l}
			}
			return &canceller{
				CancelRequestContextWatcherHandler: pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 2 * cancelWait},
				link:                               l,
			}
		}
		return nil
	}
}

// link is what one connection of the pool dials with: itself, and then its
// requests to cancel.
type link struct {
	dialer *remote.Dialer
	cut    atomic.Bool
}

// dial refuses once the connection is cut. A pool's place is taken until the
// connection in it is cleaned up, for which pgx asks the server to cancel once
// more, up to 15 seconds long.
func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if l.cut.Load() {
		return nil, net.ErrClosed
	}
	return l.dialer.DialContext(ctx, network, address)
}

// close cuts the connection without a word to the server.
func (l *link) close(c *pgconn.PgConn) {
	l.cut.Store(true)
	socket := c.Conn()
	if encrypted, ok := socket.(*tls.Conn); ok {
		socket = encrypted.NetConn()
	}
	socket.Close()
}

// cutter closes the connection to a pooler when the context of its statement
// ends, and sends no request to cancel: the connection of such a request closes as
// soon as the statement has returned, and a PgBouncer before 1.21 that has not
// passed the request on by then ends with a fatal error, for all of its clients.
// The pooler closes the server's connection instead, since its client left it in
// the middle of a statement.
type cutter struct {
	conn *pgconn.PgConn
	link *link
}

// HandleCancel implements ctxwatch.Handler.
func (c *cutter) HandleCancel(context.Context) { c.link.close(c.conn) }

// HandleUnwatchAfterCancel implements ctxwatch.Handler.
func (c *cutter) HandleUnwatchAfterCancel() {}

// canceller asks the server to stop a statement when its context ends, and cuts
// the connection of a server that does not answer.
type canceller struct {
	pgconn.CancelRequestContextWatcherHandler
	link  *link
	timer *time.Timer
}

// HandleCancel implements ctxwatch.Handler.
func (c *canceller) HandleCancel(ctx context.Context) {
	c.timer = time.AfterFunc(cancelWait, func() { c.link.close(c.Conn) })
	c.CancelRequestContextWatcherHandler.HandleCancel(ctx)
}

// HandleUnwatchAfterCancel implements ctxwatch.Handler.
func (c *canceller) HandleUnwatchAfterCancel() {
	c.timer.Stop()
	c.CancelRequestContextWatcherHandler.HandleUnwatchAfterCancel()
}

package feed

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// cursor is a subscription's place in the log, while this process has it.
type cursor struct {
	log
	name     string
	lease    time.Duration
	position int64
	epoch    int64
	attempts int64 // at the event behind position
}

// args are the arguments of the cursor's statements.
func (c *cursor) args() []any {
	a := args(c.db)
	a[protocol.ArgName], a[protocol.ArgEpoch] = c.name, c.epoch
	return a
}

// claim takes the cursor if no other process has it, and reports whether it did.
func (c *cursor) claim(ctx context.Context) (bool, error) {
	a := c.args()
	span(a, c.lease)
	n, err := core.Exec(ctx, c.db.Conn(), &c.spec.Claim, a)
	if err != nil || n == 0 {
		return false, err
	}
	return true, core.Row(ctx, c.db.Conn(), &c.spec.Cursor, c.args(), []any{&c.position, &c.epoch, &c.attempts})
}

// own runs a statement that changes the cursor, and returns ErrLost when another process has
// it.
func (c *cursor) own(ctx context.Context, s *core.Statement, a []any) error {
	n, err := core.Exec(ctx, c.db.Conn(), s, a)
	if err == nil && n == 0 {
		err = event.ErrLost
	}
	return err
}

func (c *cursor) renew(ctx context.Context) error {
	a := c.args()
	span(a, c.lease)
	return c.own(ctx, &c.spec.Renew, a)
}

// advance records that all events up to a position are handled.
func (c *cursor) advance(ctx context.Context, position int64) error {
	if position == c.position && c.attempts == 0 {
		return nil
	}
	a := c.args()
	a[protocol.ArgPosition] = position
	if err := c.own(ctx, &c.spec.Advance, a); err != nil {
		return err
	}
	c.position, c.attempts = position, 0
	return nil
}

// fail records that the event behind the position failed.
func (c *cursor) fail(ctx context.Context, failed error) error {
	a := c.args()
	a[protocol.ArgError], a[protocol.ArgAttempts] = errorText(failed), c.attempts+1
	if err := c.own(ctx, &c.spec.Fail, a); err != nil {
		return err
	}
	c.attempts++
	return nil
}

// setAside keeps an event that failed too often, and goes on behind it.
func (c *cursor) setAside(ctx context.Context, e event.Event, failed error) error {
	return c.db.Tx(ctx, func(conn *core.Conn) error {
		a := c.args()
		a[protocol.ArgEvent], a[protocol.ArgTopic], a[protocol.ArgOp], a[protocol.ArgRow] = e.ID, e.Type, string(e.Op), e.Row
		a[protocol.ArgPosition], a[protocol.ArgError], a[protocol.ArgAttempts] = e.Position, errorText(failed), c.attempts
		if _, err := core.Exec(ctx, conn, &c.spec.SetAside, a); err != nil {
			return err
		}
		n, err := core.Exec(ctx, conn, &c.spec.Advance, a)
		if err == nil && n == 0 {
			err = event.ErrLost
		}
		if err == nil {
			conn.AfterCommit(func() { c.position, c.attempts = e.Position, 0 })
		}
		return err
	})
}

// release lets another process have the cursor at once.
func (c *cursor) release(ctx context.Context) error {
	err := c.own(ctx, &c.spec.Release, c.args())
	if errors.Is(err, event.ErrLost) {
		return nil
	}
	return err
}

// errorText is what of an error is kept. A database refuses text that is not UTF-8 or has a
// NUL, and the event would never be set aside.
func errorText(err error) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "\uFFFD"), "\x00", "\uFFFD")
	for i := range text {
		if utf8.RuneCountInString(text[:i]) >= protocol.MaxError-1 {
			return text[:i] + "…"
		}
	}
	return text
}

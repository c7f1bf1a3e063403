package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/internal/columntext"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Suppress adds an address to the suppressions, unless it is there for the same stream.
// Generated code calls it.
func Suppress(ctx context.Context, c *core.Conn, s *Spec, of mail.Suppression) error {
	row, err := suppression(c, of)
	if err != nil {
		return err
	}
	err = c.InTx(ctx, func(c *core.Conn) error {
		for there, err := range s.Suppressions(ctx, c, []string{row.Address}) {
			if err != nil {
				return err
			}
			if there.Stream == row.Stream {
				return nil
			}
		}
		return s.Suppress(ctx, c, []*Suppression{row})
	})
	if errors.Is(err, store.ErrConflict) && !c.InTransaction() {
		return nil // another process has just added it
	}
	return err
}

// suppression is a suppression as it is stored.
func suppression(c *core.Conn, s mail.Suppression) (*Suppression, error) {
	a, err := mail.ParseAddress(s.Address)
	if err != nil {
		return nil, err
	}
	if s.Reason == "" {
		return nil, &mail.InvalidError{Field: "Reason", Problem: "is needed: HardBounce, Complaint, Unsubscribed or Manual"}
	}
	row := &Suppression{Address: a.Key(), Stream: s.Stream, Reason: string(s.Reason), Detail: columntext.Cut(columntext.Storable(s.Detail), protocol.MaxDetail), At: s.At}
	if row.At.IsZero() {
		row.At = c.DB().Clock()
	}
	return row, nil
}

// suppressed returns why mail of a stream is not sent to an address, by addresses; those to
// which it is sent are left out.
func (s *Spec) suppressed(ctx context.Context, c *core.Conn, addresses []string) (map[string][]*Suppression, error) {
	if s.Suppressions == nil || len(addresses) == 0 {
		return nil, nil
	}
	out := map[string][]*Suppression{}
	for row, err := range s.Suppressions(ctx, c, addresses) {
		if err != nil {
			return nil, err
		}
		out[row.Address] = append(out[row.Address], row)
	}
	return out, nil
}

// reason returns why mail of a stream is not sent to an address with these suppressions; "" if
// it is.
func reason(of []*Suppression, stream string) string {
	for _, s := range of {
		switch {
		case s.Stream == "":
			return s.Reason
		case s.Stream == stream:
			return fmt.Sprintf("%s from %s", s.Reason, s.Stream)
		}
	}
	return ""
}

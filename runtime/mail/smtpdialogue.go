package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxPipelined is how many commands are sent before their answers are read.
	maxPipelined = 100
	// bytesPerSecond is how slow a server may read a message.
	bytesPerSecond = 16 << 10
)

// send sends one message over the connection, as Transport.Send does. It sets broken when the
// connection cannot be used for another one.
func (c *smtpConn) send(ctx context.Context, e *Envelope, begin func(context.Context) error) (*Receipt, error) {
	watching := c.guard.watch(ctx)
	defer func() {
		if !watching() {
			c.broken = true
		}
	}()
	c.stale = false
	c.sent++
	refused, err := c.envelope(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := begin(ctx); err != nil {
		c.reset()
		return nil, err
	}
	final, err := c.data(ctx, e.Data)
	if err != nil {
		return nil, err
	}
	return &Receipt{Server: c.server.address(), Response: response(final), Refused: refused}, nil
}

func response(r Reply) string {
	if r.Enhanced == "" {
		return r.Text
	}
	return r.Enhanced + " " + r.Text
}

// envelope sends MAIL and RCPT. It returns the recipients that were refused, if one was not.
func (c *smtpConn) envelope(ctx context.Context, e *Envelope) ([]Refusal, error) {
	command, err := c.mailCommand(e)
	if err != nil {
		return nil, c.failed(PhaseSender, Fail, Reply{}, err)
	}
	commands := append(make([]string, 0, 1+len(e.To)), command)
	for _, to := range e.To {
		commands = append(commands, "RCPT TO:<"+to+">")
	}
	replies, err := c.exchange(commands)
	for i, r := range replies { // in their order, up to that which broke the connection
		if r.Code == 421 || i == 0 && r.Code/100 != 2 {
			return nil, c.refused(phaseOf(i), r)
		}
	}
	if err != nil {
		return nil, c.lost(ctx, phaseOf(len(replies)), Retry, err)
	}
	return c.accepted(e.To, replies[1:])
}

func phaseOf(command int) Phase {
	if command == 0 {
		return PhaseSender
	}
	return PhaseRecipients
}

// mailCommand returns MAIL with the parameters that the message needs.
func (c *smtpConn) mailCommand(e *Envelope) (string, error) {
	command := "MAIL FROM:<" + e.From + ">"
	if c.ext.maxSize > 0 && int64(len(e.Data)) > c.ext.maxSize {
		return "", fmt.Errorf("the message has %d bytes, the server takes %d", len(e.Data), c.ext.maxSize)
	}
	if c.ext.size {
		command += fmt.Sprintf(" SIZE=%d", len(e.Data))
	}
	if e.UTF8 || !ascii(e.Data) {
		if !c.ext.eightBit {
			return "", errors.New("the message has bytes over 127, and the server has no 8BITMIME")
		}
		command += " BODY=8BITMIME"
	}
	if e.UTF8 {
		if !c.ext.utf8 {
			return "", errors.New("an address or a header is not ASCII, and the server has no SMTPUTF8")
		}
		command += " SMTPUTF8"
	}
	return command, nil
}

func ascii(data []byte) bool {
	for _, b := range data {
		if b >= 0x80 {
			return false
		}
	}
	return true
}

// exchange sends commands and reads an answer to each. With an error, it returns the answers
// before it.
func (c *smtpConn) exchange(commands []string) ([]Reply, error) {
	replies := make([]Reply, 0, len(commands))
	at := 1
	if c.ext.pipelining {
		at = maxPipelined
	}
	for len(commands) > 0 {
		batch := commands[:min(at, len(commands))]
		commands = commands[len(batch):]
		if err := c.write(batch...); err != nil {
			return replies, c.first(replies, err)
		}
		for range batch {
			r, err := c.read(c.timeout)
			if err == nil && (r.Code/100 == 3 || r.Code/100 == 1 || r.Code > 599) {
				err = nonsense(r)
			}
			if err != nil {
				return replies, c.first(replies, err)
			}
			replies = append(replies, r)
			if r.Code == 421 {
				c.stale = len(replies) == 1
				return replies, nil
			}
		}
		if replies[0].Code/100 != 2 {
			return replies, nil // without a sender there are no recipients
		}
	}
	return replies, nil
}

// first notes that a connection was lost before the first answer.
func (c *smtpConn) first(replies []Reply, err error) error {
	c.stale = len(replies) == 0
	return err
}

// accepted judges the answers to RCPT.
func (c *smtpConn) accepted(to []string, replies []Reply) ([]Refusal, error) {
	var refused []Refusal
	fate, cause := Fail, Reply{}
	for i, r := range replies {
		if r.Code/100 == 2 {
			continue
		}
		refused = append(refused, Refusal{Address: to[i], Reply: r})
		if cause.Code == 0 || r.Temporary() && fate == Fail {
			cause = r
		}
		if r.Temporary() {
			fate = Retry
		}
	}
	if len(refused) < len(to) {
		return refused, nil
	}
	c.reset()
	e := c.failed(PhaseRecipients, fate, cause, nil)
	e.Refused = refused
	return nil, e
}

// data sends the message and returns the answer that accepted it.
func (c *smtpConn) data(ctx context.Context, data []byte) (Reply, error) {
	if err := c.write("DATA"); err != nil {
		return Reply{}, c.lost(ctx, PhaseData, Retry, err)
	}
	r, err := c.read(c.timeout)
	switch {
	case err != nil:
		return r, c.lost(ctx, PhaseData, Retry, err)
	case r.Code/100 == 4 || r.Code/100 == 5:
		return r, c.refused(PhaseData, r)
	case r.Code != 354:
		return r, c.lost(ctx, PhaseData, Retry, nonsense(r))
	}
	limit := c.timeout + time.Duration(len(data)/bytesPerSecond)*time.Second
	if err := c.body(data, limit); err != nil {
		return r, c.interrupted(ctx, err, limit)
	}
	return c.final(ctx)
}

// body writes the message, dots doubled, and the final dot. Without an error it was written as a
// whole; with one, the final dot was not, since it is in what is written last.
func (c *smtpConn) body(data []byte, limit time.Duration) error {
	c.guard.step(limit)
	if c.client.Text.R.Buffered() > 0 {
		return errUnasked
	}
	w := c.client.Text.DotWriter()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}

// interrupted returns the error of a message whose final dot was not written: what the server
// answered in the middle of it, if it did.
func (c *smtpConn) interrupted(ctx context.Context, err error, limit time.Duration) error {
	c.broken = true
	if ctx.Err() == nil && !errors.Is(err, errUnasked) {
		if r, err := c.read(quitLimit); err == nil && (r.Code/100 == 4 || r.Code/100 == 5) {
			return c.refused(PhaseData, r)
		}
	}
	return c.failed(PhaseData, Retry, Reply{}, c.cause(ctx, err, limit))
}

// final reads the answer to the final dot. Without one, the message may have been accepted.
func (c *smtpConn) final(ctx context.Context) (Reply, error) {
	limit := 10 * c.timeout
	r, err := c.read(limit)
	switch {
	case err != nil:
		c.broken = true
		return r, c.failed(PhaseFinal, Unknown, Reply{}, c.cause(ctx, err, limit))
	case r.Code/100 == 2:
		return r, nil
	case r.Code/100 == 4 || r.Code/100 == 5:
		return r, c.refused(PhaseFinal, r)
	}
	return r, c.lost(ctx, PhaseFinal, Unknown, nonsense(r))
}

var errUnasked = errors.New("the server answered more than it was asked")

// write sends commands.
func (c *smtpConn) write(commands ...string) error {
	c.guard.step(c.timeout)
	if c.client.Text.R.Buffered() > 0 {
		return errUnasked
	}
	w := c.client.Text.W
	for _, command := range commands {
		w.WriteString(command) // errors are kept until Flush
		w.WriteString("\r\n")
	}
	return w.Flush()
}

// read reads one answer.
func (c *smtpConn) read(limit time.Duration) (Reply, error) {
	c.guard.step(limit)
	code, text, err := c.client.Text.ReadResponse(0)
	if err != nil {
		return Reply{}, err
	}
	return newReply(code, text), nil
}

// reset ends a transaction that got no further than its recipients.
func (c *smtpConn) reset() {
	if err := c.write("RSET"); err != nil {
		c.broken = true
		return
	}
	if r, err := c.read(c.timeout); err != nil || r.Code/100 != 2 {
		c.broken = true
	}
}

// refused is the error of an answer of 4xx or 5xx. After 421 the server closes the connection. At
// MAIL that concerns every message, as 530 does: the server wants AUTH.
func (c *smtpConn) refused(p Phase, r Reply) *Error {
	fate := Fail
	if r.Temporary() {
		fate = Retry
	}
	if p == PhaseSender && (r.Code == 530 || r.Code == 421) {
		fate = Hold
	}
	switch {
	case r.Code == 421:
		c.broken = true
	case p == PhaseData && !c.broken:
		c.reset()
	}
	return c.failed(p, fate, r, nil)
}

// lost is the error of a connection that broke.
func (c *smtpConn) lost(ctx context.Context, p Phase, fate Fate, err error) *Error {
	c.broken = true
	return c.failed(p, fate, Reply{}, c.cause(ctx, err, c.timeout))
}

func (c *smtpConn) failed(p Phase, fate Fate, r Reply, err error) *Error {
	e := &Error{Phase: p, Fate: fate, Server: c.server.address(), Reply: r, Err: err}
	e.Hint = hint(c.server.Server, e)
	return e
}

// checkEnvelope refuses what would be read as something else on its way: line breaks and
// parameters in an address, and lines that do not end in CRLF.
func checkEnvelope(e *Envelope) error {
	if len(e.To) == 0 {
		return errors.New("the message has no recipients")
	}
	if err := checkPath(e.From, e.UTF8); err != nil && e.From != "" {
		return fmt.Errorf("sender %q: %w", e.From, err)
	}
	for _, to := range e.To {
		if err := checkPath(to, e.UTF8); err != nil {
			return fmt.Errorf("recipient %q: %w", to, err)
		}
	}
	return checkLines(e.Data)
}

// maxPath is the length of a path in a command, beyond RFC 5321's 256 for what is not ASCII.
const maxPath = 512

func checkPath(address string, utf8 bool) error {
	if address == "" || len(address) > maxPath {
		return fmt.Errorf("an address has 1 to %d bytes", maxPath)
	}
	var quoted, escaped bool
	for _, b := range []byte(address) {
		switch {
		case b < ' ' || b == 0x7f:
			return errors.New("an address has no control characters")
		case b >= 0x80 && !utf8:
			return errors.New("the address is not ASCII, and the message does not say that it needs SMTPUTF8")
		case escaped:
			escaped = false
		case b == '\\' && quoted:
			escaped = true
		case b == '"':
			quoted = !quoted
		case !quoted && (b == ' ' || b == '<' || b == '>'):
			return fmt.Errorf("%q belongs into quotes", b)
		}
	}
	if quoted {
		return errors.New("a quote is not closed")
	}
	return nil
}

func checkLines(data []byte) error {
	if bytes.IndexByte(data, 0) >= 0 {
		return errors.New("the message has a NUL")
	}
	breaks := bytes.Count(data, []byte("\r\n"))
	if bytes.Count(data, []byte("\n")) != breaks || bytes.Count(data, []byte("\r")) != breaks {
		return errors.New("the message has CR or LF alone, which servers read in different ways")
	}
	return nil
}

package mail

import (
	"context"
	"fmt"
	"time"
)

// Transport sends messages. Its methods are safe for concurrent use. SMTP, File and Log have
// one; a program can have its own, for a provider with an API of its own.
type Transport interface {
	// Send sends one message to the recipients of e. It calls begin right before the step after
	// which the message may be delivered even if Send receives no answer (SMTP: DATA; HTTP: the
	// request), and stops with begin's error where that is not nil. The error is nil when the
	// message was accepted for at least one recipient; those who were refused are in the
	// receipt. Every other outcome is an *Error: with another error, or a panic, after begin has
	// returned nil, the message may have been accepted, and is Unknown.
	Send(ctx context.Context, e *Envelope, begin func(context.Context) error) (*Receipt, error)
	// Close ends kept connections.
	Close() error
}

// Envelope is what a transport sends: the message as bytes, and to whom.
type Envelope struct {
	From    string   // the address alone, as ASCII where UTF8 is false
	To      []string // likewise; each recipient once, those of Bcc too
	Data    []byte   // headers and body, lines ended by CRLF, signed
	UTF8    bool     // it needs SMTPUTF8 (RFC 6531)
	Message *Outgoing
}

// Receipt is what a server answered about a message that it accepted.
type Receipt struct {
	Server   string    // that accepted it
	Response string    // its answer, such as "2.0.0 Ok: queued as 4F2A"
	Refused  []Refusal // recipients that it did not accept
}

// Refusal is a recipient that a server did not accept.
type Refusal struct {
	Address string
	Reply   Reply
}

// Reply is a server's answer. The zero value is no answer.
type Reply struct {
	Code     int    // 550; 0: there was no answer
	Enhanced string // "5.1.1" (RFC 3463); "" is none
	Text     string // printable, at most 1,000 bytes
}

// Temporary reports whether the server may answer otherwise later: a code of 4xx.
func (r Reply) Temporary() bool { return r.Code/100 == 4 }

// String returns the answer as a server sends it, in one line.
func (r Reply) String() string {
	switch {
	case r.Code == 0:
		return "no answer"
	case r.Enhanced == "":
		return fmt.Sprintf("%d %s", r.Code, r.Text)
	}
	return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text)
}

// Phase is how far a transport came with a message.
type Phase string

// The phases of a transport. What fails before PhaseSender concerns the server and every message
// alike; later failures concern the message.
const (
	PhaseConnect    Phase = "connect"    // name, port, greeting, EHLO
	PhaseTLS        Phase = "tls"        // STARTTLS, certificate
	PhaseAuth       Phase = "auth"       // credentials
	PhaseSender     Phase = "sender"     // MAIL FROM
	PhaseRecipients Phase = "recipients" // RCPT TO: no recipient was accepted
	PhaseData       Phase = "data"       // DATA, up to the final dot
	PhaseFinal      Phase = "final"      // the answer to the final dot
)

// Fate is what an error says about a message.
type Fate int

// What becomes of a message that a transport could not send.
const (
	Undecided Fate = iota // Retry where begin was not called, and Unknown where it was
	Retry                 // it was not accepted, and may be later
	Fail                  // it was not accepted, and will not be
	Hold                  // the server or its configuration is at fault: no message can be sent
	Unknown               // it may have been accepted
)

// Error is why a message was not sent, or may not have been.
type Error struct {
	Phase   Phase
	Fate    Fate
	Server  string    // host and port
	Reply   Reply     // the zero value without an answer
	Refused []Refusal // in PhaseRecipients: all of them
	Err     error     // the cause without an answer; nil with one
	Hint    string    // what to do about it; "" where nothing can be said
	// After is, of Hold, for how long the server is left alone: before that, Send fails at once.
	After time.Duration
}

// Error returns the phase, the server, what happened and what to do.
func (e *Error) Error() string {
	what := e.Reply.String()
	if e.Err != nil {
		what = printable(e.Err.Error(), maxReplyText)
	}
	at := ""
	if e.Server != "" {
		at = " at " + e.Server
	}
	text := fmt.Sprintf("mail: %s%s: %s", e.Phase, at, what)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

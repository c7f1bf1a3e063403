package mailtest

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

// Options of a server. The zero value is a server with STARTTLS that accepts everything.
type Options struct {
	// TLS is what the server speaks: STARTTLS with TLSRequired, or one of the others.
	TLS mail.TLS
	// Certificate may change the server's certificate before the server's own authority signs
	// it: its names, or when it is valid.
	Certificate func(*x509.Certificate)
	// Users are names and passwords; for XOAUTH2, names and tokens. Without any, the server
	// takes mail from everyone.
	Users map[string]string
	// Mechanisms of AUTH; nil means PLAIN and LOGIN. CRAM-MD5 and XOAUTH2 can be given too.
	Mechanisms []string
	// MaxSize is the largest message in bytes; 0 means 64 MiB.
	MaxSize int64
	// NoUTF8 leaves out SMTPUTF8.
	NoUTF8 bool
	// Answer returns what the server answers at a step: nil to go on, Refuse, Drop, Hang or
	// Tarpit. It is called by one goroutine for each connection.
	Answer func(Step) error

	sasl map[string]mechanism // further mechanisms, in tests of this package's own
}

// Name is the name of a step.
type Name string

// The steps at which Answer is asked.
const (
	Connect   Name = "connect"   // before the greeting; with implicit TLS, before the handshake
	Hello     Name = "hello"     // EHLO: twice with STARTTLS
	Auth      Name = "auth"      // the credentials are right
	Sender    Name = "sender"    // MAIL
	Recipient Name = "recipient" // RCPT
	Data      Name = "data"      // the message was read, and is not kept yet
	Stored    Name = "stored"    // the message is kept; its answer is what the client waits for
)

// Step is where a dialogue is.
type Step struct {
	Name       Name
	Address    string // of sender, recipient or user
	Connection int    // counted from 1
	Message    int    // of the connection, counted from 1; 0 before the first
}

// answer is what a server does at a step instead of going on.
type answer struct {
	code           int
	enhanced, text string
	tarpit         time.Duration
	what           string
}

func (a *answer) Error() string { return "mailtest: " + a.what }

// What Answer returns beside Refuse and Tarpit.
var (
	// Drop closes the connection without an answer.
	Drop error = &answer{what: "the connection is dropped"}
	// Hang does not answer. It lasts until the client or the test closes the connection.
	Hang error = &answer{what: "there is no answer"}
)

// Refuse answers with a code, such as 550, an enhanced code, such as "5.1.1" or "", and a text.
func Refuse(code int, enhanced, text string) error {
	return &answer{code: code, enhanced: enhanced, text: text, what: fmt.Sprintf("refused with %d", code)}
}

// Tarpit sends a byte of an answer each time that every has passed, and never ends.
func Tarpit(every time.Duration) error {
	return &answer{tarpit: every, what: "the answer drips"}
}

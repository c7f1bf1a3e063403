package event

import (
	"log/slog"
	"time"
)

// Op is what happened to a row.
type Op string

// What happens to rows.
const (
	Create  Op = "create"
	Update  Op = "update"
	Delete  Op = "delete"
	Publish Op = "publish" // the row became published; the write that did it may be another event, which comes before
	Emit    Op = "emit"    // a program wrote the event, with a payload
)

// Event is something that happened, as a subscriber gets it.
type Event struct {
	// ID is the event's own: 26 characters, the same wherever and however often
	// the event is handled.
	ID string
	// Position is the event's place in the log. Positions grow in the order in which a
	// subscriber gets events, and have no gaps in the log as a whole.
	Position int64
	// Type is the name of the datatype, or that of an event that a program emitted, such as
	// purchase.paid.
	Type string
	Op   Op
	// Row is the id of the row, as text. Of an emitted event it is what the program gave.
	Row string
	// At is when the event was written: before the transaction's commit.
	At time.Time
	// Partial is set where the row is too large for the log, more than 4,000,000 bytes
	// as JSON: Before and After are nil then.
	Partial bool
}

// Options of a subscription. The zero value is sensible.
type Options struct {
	// FromStart has a new subscription begin with the oldest event of the log; without it it
	// begins with what happens from now on. A subscription that exists goes on where it
	// was.
	FromStart bool
	// Drop names datatypes and emitted events that the subscription has, since an earlier version of the program had
	// handlers for them, and should have no longer: their events that are not handled yet are
	// not handed out. One that neither has a handler nor is dropped keeps its events.
	Drop []string
	// MaxAttempts is how often an event is handed to a handler that fails, before it is
	// set aside in the table event_failures and the subscription goes on; 0 means
	// without end: the subscription waits at the event.
	MaxAttempts int
	// Backoff returns how long to wait after the n-th attempt (n from 1); nil means 1 s, 2
	// s, 4 s and so on, at most a minute.
	Backoff func(n int) time.Duration
	// Lease is how long another process waits before it takes over from one that
	// has died; 0 means 30 s. At least a second.
	Lease time.Duration
	// Logger receives failed attempts and events that are set aside; nil means none.
	Logger *slog.Logger
}

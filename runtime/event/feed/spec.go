// Package feed keeps the log of events in tables of a database: it writes events,
// gives them their positions, and reads them for subscriptions. Generated code calls
// it; programs name package event.
package feed

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is the log of a project. Generated code has one.
type Spec struct {
	Name string // of the log's table, and the topic of its announcements

	Append core.Statement // an event, without a position
	// Unsequenced reads the events without a position, the oldest first, and the last position.
	// SQLite has neither it nor Assign: there the id is the position.
	Unsequenced core.Statement
	Assign      core.Statement // positions to events that had none, if the last position is still the one before
	Last        core.Statement // the last position
	Read        core.Statement // the events behind a position, of some topics
	Prune       core.Statement // events that every subscription is past, and that are old

	Topics    core.Statement // that subscriptions read
	Least     core.Statement // the position that all subscriptions are past
	First     core.Statement // the position before the oldest event
	AddCursor core.Statement // unless it is there
	SetTopics core.Statement // unless they are others by now
	Remove    core.Statement // a cursor
	Claim     core.Statement // a cursor that no one has
	StillHeld core.Statement // the cursor, if no one has claimed it since; on SQLite
	Cursor    core.Statement // how far it has come
	Renew     core.Statement
	Advance   core.Statement
	Fail      core.Statement
	Release   core.Statement
	SetAside  core.Statement // an event, for a cursor
}

// log is the log in one database.
type log struct {
	spec *Spec
	db   *core.DB
}

// args are the arguments that every statement picks its own from.
func args(db *core.DB) []any {
	a := make([]any, protocol.ArgCount)
	if db.LocalClock() {
		a[protocol.ArgNow] = db.Clock()
	}
	return a
}

// span sets a span and the moment that it leads to.
func span(a []any, d time.Duration) {
	a[protocol.ArgSpan] = d.Microseconds()
	if now, ok := a[protocol.ArgNow].(time.Time); ok {
		a[protocol.ArgUntil] = now.Add(d)
	}
}

// Handler handles the events of one datatype.
type Handler func(ctx context.Context, e event.Event, before, after []byte) error

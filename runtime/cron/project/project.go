// Package project is what actions of jobs know about the project: its datatypes, and what their
// behaviors offer. Generated code makes it.
package project

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Project is the project's datatypes on an open database.
type Project struct {
	DB        *core.DB
	Datatypes []Datatype
}

// Datatype finds a datatype; nil if there is none.
func (p *Project) Datatype(name string) *Datatype {
	for i := range p.Datatypes {
		if p.Datatypes[i].Name == name {
			return &p.Datatypes[i]
		}
	}
	return nil
}

// Names returns the names of the datatypes that an action can be about.
func (p *Project) Names(can func(*Datatype) bool) []string {
	var out []string
	for i := range p.Datatypes {
		if can(&p.Datatypes[i]) {
			out = append(out, p.Datatypes[i].Name)
		}
	}
	return out
}

// Datatype is one datatype. Functions are nil where it does not have the behavior. Each works in
// the transaction of c, if it is of one.
type Datatype struct {
	Name string
	Rows *core.Spec
	// New and Patch return what Rows takes a new row and a change of a row as: a *N and a *P. Their
	// JSON has the names of the columns.
	New, Patch func() any

	// Publish publishes the rows that are due (publish:).
	Publish func(ctx context.Context, c *core.Conn) (int64, error)
	// Sweep deletes expired entries, and Invalidate those with one of the tags (cache:).
	Sweep      func(ctx context.Context, c *core.Conn) (int64, error)
	Invalidate func(ctx context.Context, c *core.Conn, tags []string) (int64, error)
	// Cache is the table of a cache (cache:).
	Cache func(c *core.Conn) backend.Backend
	// Cleanup deletes rows that are older than they are kept (retain:); olderThan is 0 for what
	// the definition says. Sessions is whether they are sessions.
	Cleanup  func(ctx context.Context, c *core.Conn, olderThan time.Duration) (int64, error)
	Sessions bool
	// Kinds are the kinds of jobs that can be enqueued, under "" the rows of a queue without
	// kinds (queue:).
	Kinds map[string]Kind
	// CheckMessage returns what would have Send refuse a message, and Send adds one (mail:).
	CheckMessage func(m Message) error
	Send         func(ctx context.Context, c *core.Conn, m Message) (id int64, err error)
	// Deliver adds a delivery with a body of its own to the request with a name (webhook:).
	Deliver func(ctx context.Context, c *core.Conn, request string, data store.JSON) (id int64, err error)
}

// Kind is a kind of jobs.
type Kind struct {
	// Check returns what is wrong with a payload.
	Check func(payload store.JSON) error
	// Enqueue adds a job.
	Enqueue func(ctx context.Context, c *core.Conn, payload store.JSON) (id any, err error)
}

// Message is a message of mail.
type Message struct {
	From           string
	To             []string
	Subject        string
	HTML, Plain    string
	IdempotencyKey string // "": none
}

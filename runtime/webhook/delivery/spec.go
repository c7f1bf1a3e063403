package delivery

import (
	"context"
	"iter"
	"time"

	"github.com/hegner123/modulagen/runtime/event/ops"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is what generated code says about the webhooks of a project: the datatypes whose
// events may fire them, and how the rows of its four tables are read and written.
type Spec struct {
	Topics []Topic // the datatypes with events

	RequestsName, LinksName string // their datatypes

	Requests func(ctx context.Context, c *core.Conn) iter.Seq2[*Request, error]               // that are active
	Request  func(ctx context.Context, c *core.Conn, id int64) (*Request, error)              // store.ErrNotFound without the row
	Named    func(ctx context.Context, c *core.Conn, name string) iter.Seq2[*Request, error]  // those with a name; nil where they have none
	Locked   func(ctx context.Context, c *core.Conn, id int64) (*Request, error)              // likewise, and keeps others from changing it
	Links    func(ctx context.Context, c *core.Conn) iter.Seq2[*Link, error]                  // all
	LinksOf  func(ctx context.Context, c *core.Conn, request int64) iter.Seq2[*Link, error]   // of a request
	Routes   func(ctx context.Context, c *core.Conn) iter.Seq2[*Route, error]                 // all
	Change   func(ctx context.Context, c *core.Conn, request int64, p RequestPatch) error     // a request
	Enqueue  func(ctx context.Context, c *core.Conn, list []*Delivery) error                  // to be delivered
	Fail     func(ctx context.Context, c *core.Conn, list []*Delivery) error                  // adds deliveries that have failed already, with their Error
	Log      func(ctx context.Context, c *core.Conn, list []*Attempt) error                   // what came of attempts
	Earlier  func(ctx context.Context, c *core.Conn, d *Delivery) (at time.Time, err error)   // when the unfinished delivery right before d, of the same row to the same request, is tried; store.ErrNotFound without one
	Wake     func(ctx context.Context, c *core.Conn, d *Delivery) error                       // lets the one right behind d, likewise, be claimed
	Matching func(ctx context.Context, c *core.Conn, q core.AnyQuery) iter.Seq2[int64, error] // the ids of deliveries

	RequestOf func(row any) *Request // of a row of the requests
	LinkOf    func(row any) *Link    // of a row of the links
}

// Topic is a datatype with events.
type Topic struct {
	Spec  *core.Spec
	Route string    // "": none
	Ops   *ops.Spec // which events a change is
}

// Request is a row of the datatype of requests: an endpoint, and what is sent to it.
type Request struct {
	ID             int64
	URL            string // a template
	Method         string
	Headers        store.JSON // an object of names and templates; nil: none
	BodyTemplate   string     // "": the envelope is sent
	Timeout        int64      // of an attempt, in seconds
	RetryCount     int64      // attempts after the first
	Active         bool
	Ordered        bool
	SigningKeys    store.JSON // see keys
	FailingSince   time.Time  // the first failure after the last success; zero: none
	DisabledReason string
}

// RequestPatch is what the runtime changes in a request.
type RequestPatch struct {
	Active         store.Opt[bool]
	SigningKeys    store.Opt[store.JSON]
	FailingSince   store.Opt[time.Time]
	DisabledReason store.Opt[string]
}

// Link is a row of the datatype of links: which event makes which request.
type Link struct {
	ID        int64
	Request   int64
	Route     int64 // 0: every route
	Event     string
	Condition store.JSON // nil: always
}

// Route is a row of the catalogue of routes.
type Route struct {
	ID   int64
	Slug string
}

// Delivery is a row of the queue.
type Delivery struct {
	ID       int64
	Request  int64
	Route    int64  // 0: the datatype has none
	EventID  string // the same in all attempts, and for all requests
	Type     string // "article.update"
	Row      string // the id of the row
	URL      string // as the template made it; "": the request's, which has nothing of the row
	Headers  store.JSON
	Body     string
	Attempts int64 // at most
	Error    string
}

// Attempt is a row of the log.
type Attempt struct {
	Request         int64
	Delivery        int64
	Route           int64
	EventID         string
	Op              string // "update"
	Row             string
	Number          int64 // from 1
	RequestBody     string
	Status          int64 // 0: there was no answer
	ResponseHeaders store.JSON
	ResponseBody    string
	Error           string
	Duration        int64     // in milliseconds, rounded up
	At              time.Time // when it began
}

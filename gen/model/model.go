// Package model is the vocabulary of the generator: datatypes, fields, indexes,
// operations and queries as plain data. It decides nothing; the stages do.
//
//	load      YAML       -> Project
//	behavior  Project    -> Project in which every behaviour is plain fields, indexes and operations
//	dialect   Project    -> SQL text for each database
//	sqlc      SQL text   -> analysed queries
//	golang    all of it  -> Go
package model

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Database names one of the three databases.
type Database string

// The databases, in the order in which everything lists them.
const (
	SQLite   Database = "sqlite"
	Postgres Database = "postgres"
	MySQL    Database = "mysql"
)

// Databases is every database, in order.
var Databases = []Database{SQLite, Postgres, MySQL}

// Pos is a place in a file that a person wrote.
type Pos struct {
	File   string
	Line   int // from 1; 0 when unknown
	Column int // from 1
}

// Project is everything that one run of the generator reads.
type Project struct {
	Config    Config
	Datatypes []*Datatype // sorted by name
	Queries   []*UserFile // the user's queries/*.sql, sorted by name

	Names []Name // everything that is printed or created under a name; see gen/names
}

// Config is modulagen.yaml.
type Config struct {
	Datatypes string // folder of the definitions, relative to the project; default "datatypes"
	Queries   string // folder of the user's queries; default "queries"
	Output    string // folder of the generated package; default "generated"
	Package   string // its Go name; default the last element of Output
}

// UserFile is one file of the user's own queries, as written.
type UserFile struct {
	Path      string     // relative to the project, with slashes
	Text      string     // its content
	Databases []Database // x.sql: all three; x.postgres.sql: one
}

// IDKind is how rows of a datatype are identified.
type IDKind string

// The kinds of id.
const (
	IDInteger IDKind = "integer" // given by the database, growing
	IDULID    IDKind = "ulid"    // given by the writer, 26 characters, sorts by time
)

// Datatype is one definition: a table, its row type and its accessor.
type Datatype struct {
	Pos         Pos
	Name        string // as written, and the table's name: "fetch_requests"
	Label       string // for people: "Fetch Requests"; never empty after load
	Description string
	Route       string // slug under which operators list it; may be empty
	ID          IDKind
	GoRow       string // "FetchRequest"
	GoAccessor  string // "FetchRequests", the field of DB and Tx
	GoPos       Pos    // of go_name, or of the name
	AddedFor    string // the datatype of which a behavior added it; "" for a person's own

	Fields  []*Field // without the id, in the order written; those that passes add come last
	Indexes []*Index // declared ones and the unique ones of fields; sorted as written

	Queue *QueueSection // the `queue:` section as written; the queue pass consumes it
	Cache *CacheSection // the `cache:` section as written, and what the cache pass adds to it
	// After the passes:
	Operations []*Operation
	Worker     *Worker   // what a worker of this datatype needs; nil without a queue
	Effects    []Effect  // what else happens with each write of its rows, in order
	Cascades   []Cascade // the references by which a delete of its rows reaches effects of others
	Names      []Name    // what its behaviors print beside what every datatype has
}

// Field is one column.
type Field struct {
	Pos         Pos
	Name        string // column name
	GoName      string // "BodyHTML"
	GoPos       Pos    // of go_name, or of the name
	Type        string // the name of its row in gen/fieldtype
	Label, Help string
	Required    bool // must be given and not empty
	Unique      bool
	Secret      bool // never shown in errors, logs or pages
	Veiled      bool // holds documents of which some have secrets in them: shown as if it were secret
	Added       bool // by a behaviour, not by the person
	NotNull     bool // Required, or with a default, or added so
	Wide        bool // text that leaves the row on MySQL, whose rows hold 65,535 bytes

	Default    *Default // nil without one
	Rules      check.Rules
	Options    []Option   // select
	GoType     string     // json: "example.com/shop/types.Price" or ""; see GoTypeImport
	JSONFields []*Field   // json with inline fields
	JSONGoName string     // the struct that the inline fields become
	EnumGoName string     // select: "ArticleStatus"
	Scale      int        // decimal: digits behind the point
	Reference  *Reference // reference
	References *Datatype  // the datatype that Reference names; set by load
}

// Option is one value of a select.
type Option struct {
	Value  string
	Label  string
	GoName string // "ArticleStatusDraft"
}

// Default is what a field holds when a writer does not say.
type Default struct {
	Now  bool   // the moment of writing; datetime and date only
	Text string // canonical text otherwise: "3", "true", "draft", "19.99", a JSON document, RFC 3339
}

// Reference points to another datatype's id.
type Reference struct {
	To       string // datatype name
	OnDelete string // "restrict" (default), "cascade", "set_null"
}

// Index is a plain or unique index.
type Index struct {
	Pos     Pos
	NamePos Pos    // of its name, or of the index
	Name    string // in the database: "article_status_created_at_idx", unique "article_slug_key"
	GoName  string // unique without Where: the By-name, "Slug" or "TenantIDAndSlug"
	Columns []IndexColumn
	Unique  bool
	Added   bool        // by a behavior or for a reference
	Where   []Condition // all must hold; empty: every row
}

// IndexColumn is one column of an index.
type IndexColumn struct {
	Field *Field
	Desc  bool
}

// Condition is one part of an index's `where`: field op value.
type Condition struct {
	Any    []Condition // if not empty, one of these must hold, and the rest is empty
	Field  *Field
	Op     string   // "=", "!=", "<", "<=", ">", ">=", "in", "null", "not_null"
	Values []string // canonical text, as in Default.Text
}

// QueueSection is `queue:` as written.
type QueueSection struct {
	Pos          Pos
	State        *Field // a select
	Ready        string // option values
	Running      string
	Done         string
	Dead         string
	Order        []IndexColumn // claim order
	RunAt        *Field        // datetime; nil: always due
	Attempts     *Field        // number; nil: added
	MaxAttempts  *Field        // number; nil: added, default 3
	Error        *Field        // text or textarea; nil: added
	StartedAt    *Field        // datetime; may be nil
	CompletedAt  *Field        // datetime; may be nil
	KindField    *Field        // text that holds the kind's name; nil without kinds
	PayloadField *Field        // json that holds the payload; nil without kinds
	Kinds        []*Kind       // in the order written
	Cancelled    string        // option value; "" where the select has none for it
	Ageing       time.Duration // waiting this long is worth one step of the first field of Order; 0: never
	Names        []QueueName   // the named queues, as written; empty: one without a name
	Retention    []Retention   // what is deleted after some time
	Policy       Policy        // of every row without kinds; with kinds, Timeout and Backoff of those without their own
}

// QueueName is one of several queues in one table.
type QueueName struct {
	Pos         Pos
	Name        string
	Concurrency int64 // handlers at once in one process; 0: as Options say
}

// Retention says how long rows in an end state are kept.
type Retention struct {
	State string // the select's option value
	After time.Duration
}

// Policy is how jobs are run: of one kind, or of a whole queue.
type Policy struct {
	Queue       string        // the named queue that a job goes to; "" is the first of Names
	Timeout     time.Duration // of one run of a handler; 0: none
	MaxAttempts int64         // 0: the default of the field
	Backoff     Backoff
	Rate        *Rate   // starts in a span of time, over all processes; nil: no limit
	Concurrency int64   // runs at once over all processes; 0: no limit
	Per         *Field  // Rate and Concurrency hold for each value of it; nil: for all together
	Unique      *Unique // nil: duplicates are welcome
}

// Backoff is how long a job waits after a failure. The zero value is the
// default: exponential with jitter.
type Backoff struct {
	Form   string          // "", "exponential", "squared" or "list"
	Delays []time.Duration // of a list, by attempt; the last one repeats
}

// Rate allows Max starts in every span of Every.
type Rate struct {
	Max   int64
	Every time.Duration
}

// Unique makes one job of several that are alike.
type Unique struct {
	By          []*Field      // what makes two alike: members of the payload, or fields of the row without kinds
	For         time.Duration // from enqueueing on; 0: while the job is unfinished
	OnDuplicate string        // "keep", "replace" or "debounce"
	Wait        time.Duration // debounce: each new one postpones the job by this
	AtMost      time.Duration // debounce: but not beyond this from the first; 0: ten times Wait
}

// Kind is one kind of job with a typed payload.
type Kind struct {
	Pos     Pos
	Name    string // "image_optimize"
	GoName  string // "ImageOptimize"
	GoPos   Pos    // of go_name, or of the name
	Fields  []*Field
	Policy  Policy
	Version int           // of the payload; 1 unless given
	Older   []*OldPayload // by version, ascending; those from which an upcaster leads to this one
}

// OldPayload is a payload's form in an earlier version.
type OldPayload struct {
	Pos     Pos
	Version int
	GoName  string // "ImageOptimizeV1"
	Fields  []*Field
}

// Worker is what generated code and the runtime need to work a queue: its
// section, and the fields that the behaviour added. Those that a definition may
// do without are nil.
type Worker struct {
	Section  *QueueSection
	Order    []IndexColumn // in which rows are claimed, before their id
	Epoch    *Field        // fence; grows with every claim
	Lease    *Field        // until when the claim holds
	Hold     *Field        // why a ready row is not to be claimed; empty: it is
	Errors   *Field        // the last failures, as JSON
	Result   *Field        // what the handler left, as JSON
	Progress *Field        // of the handler, 0 to 1
	Note     *Field        // of the handler, about its progress
	Trace    *Field        // the trace that enqueued the row

	Name        *Field // of named queues
	Gate        *Field // what a limit counts the row under
	Unique      *Field // no two rows that hold it have the same
	UniqueUntil *Field // until when Unique holds, whatever becomes of the row
	Yielded     *Field // another row took Unique while this one was unfinished
	Holds       *Index // of Unique; its condition says which rows hold theirs
	Version     *Field // of the payload
	Rank        *Field // the moment of enqueueing less the priority's worth of waiting
}

// OpKind is what an operation does. The set is closed.
type OpKind string

// The operations.
const (
	OpInsert OpKind = "insert"
	OpGet    OpKind = "get"    // by id, or by Key
	OpUpdate OpKind = "update" // every column, by id; the runtime narrows it to a patch
	OpUpsert OpKind = "upsert" // on Key
	OpDelete OpKind = "delete" // by id
	OpList   OpKind = "list"   // first page by id; the runtime adds filter, sort and cursor

	// Of a queue. Those that end a claim name its epoch, and change nothing once
	// another worker has the row.
	OpClaim    OpKind = "claim"    // take due rows
	OpLock     OpKind = "lock"     // MySQL: keep claimed rows from others, and see whose they are
	OpBeat     OpKind = "beat"     // renew the leases of claims
	OpComplete OpKind = "complete" // end claims: done
	OpFinish   OpKind = "finish"   // end a claim: done, with a result
	OpRetry    OpKind = "retry"    // end a claim: ready again, later
	OpSnooze   OpKind = "snooze"   // end a claim: ready again, later, without counting it
	OpRelease  OpKind = "release"  // give a claim back, as if it had not been
	OpBury     OpKind = "bury"     // end a claim: dead
	OpAbandon  OpKind = "abandon"  // end a claim: cancelled
	OpReport   OpKind = "report"   // write how far a handler has come
	OpRunning  OpKind = "running"  // the claims that there are
	OpExpire   OpKind = "expire"   // take a claim from a worker that is gone
	OpPromote  OpKind = "promote"  // let rows be claimed whose time has come
	OpNextDue  OpKind = "next_due" // when the next row's time comes
	OpStranger OpKind = "stranger" // rows that this program knows no handler for
	OpPark     OpKind = "park"     // keep such a row from being looked at again
	OpUnpark   OpKind = "unpark"   // let rows be claimed that this program knows
	OpCancel   OpKind = "cancel"   // end a row that is ready or running
	OpRevive   OpKind = "revive"   // make a row that has ended ready again
	OpPrune    OpKind = "prune"    // delete rows that ended some time ago
	OpGateUsed OpKind = "gate_used"
	OpGateHold OpKind = "gate_hold" // keep a gate's ready rows from being looked at
	OpGateOpen OpKind = "gate_open" // let some of them be claimed
	OpGateNext OpKind = "gate_next" // the next gate that holds rows
	OpTwin     OpKind = "twin"      // the row that has a unique key
	OpYield    OpKind = "yield"     // take its unique key from a row
	OpPriority OpKind = "priority"  // change a row's priority and its rank
)

// Operation is one thing that can be done to a datatype's rows.
type Operation struct {
	Name string // query name in SQL: "GetArticleBySlug"
	Kind OpKind
	Key  *Index // of get and upsert; nil: the id

	Retention *Retention // of prune
}

// Query is an operation or a user's query, lowered to one database's SQL.
type Query struct {
	Name    string
	Command string // sqlc's: ":one", ":many", ":exec", ":execrows", ":execlastid"
	Text    string // without the name comment, without the final semicolon, placeholders positional
	Pos     Pos    // the user's file and line; of an operation, the definition that caused it

	// Args gives, for each placeholder, the index of the argument that the caller
	// passes; nil means in order.
	Args []int

	// What the lowering meant; nil for a user's queries. Analysis must agree.
	Params  []*Field // nil entries are parameters without a column, such as a limit
	Columns []*Field // the result; the id is IDField
}

// IDField gives the field that stands for a datatype's id.
func (d *Datatype) IDField() *Field {
	f := &Field{Name: "id", GoName: "ID", Type: "id", Label: "ID", NotNull: true}
	if d.ID == IDULID {
		f.Type = "ulid"
	}
	return f
}

// Keys gives the unique keys by which one row can be named: unique indexes
// over all rows, in order.
func (d *Datatype) Keys() []*Index {
	var keys []*Index
	for _, x := range d.Indexes {
		if x.Unique && len(x.Where) == 0 {
			keys = append(keys, x)
		}
	}
	return keys
}

// Columns gives every column of the datatype, the id first.
func (d *Datatype) Columns() []*Field {
	return append([]*Field{d.IDField()}, d.Fields...)
}

// Hidden tells whether a field's values stay out of what is printed.
func (f *Field) Hidden() bool { return f.Secret || f.Veiled }

// SecretMethods are the methods of generated types that have hidden fields.
var SecretMethods = []string{"Format", "LogValue", "MarshalJSON", "MarshalStored"}

// Storage gives the row of the field's type as it is stored: a reference has
// the type of the id that it points to.
func (f *Field) Storage() fieldtype.Type {
	name := f.Type
	if f.References != nil {
		name = f.References.IDField().Type
	}
	return fieldtype.MustLookup(name)
}

// ColumnTypes gives the field's column type in each database.
func (f *Field) ColumnTypes() fieldtype.Columns {
	return f.Storage().Columns(fieldtype.Size{Max: f.Rules.Max.Int(), Scale: f.Scale, Wide: f.Wide})
}

// WhenColumn names the generated column that stands for a unique index's
// condition on MySQL, which has no partial indexes.
func (x *Index) WhenColumn() string { return ShortName(x.Name + "_when") }

// ShortName keeps a name for the database within PostgreSQL's 63 bytes: a
// longer one keeps its start and ends in a hash of the whole.
func ShortName(name string) string {
	const limit = 63
	if len(name) <= limit {
		return name
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s_%08x", name[:limit-9], h.Sum32())
}

package queue

import (
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/model"
)

// Of returns the queue of a datatype, or nil.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// LimitTable is the table that all queues of a project share: a row for each queue
// that was paused, and for each key that a limit counts by.
type LimitTable struct {
	Name                        string
	ID, Key, Paused, Used, Seen *model.Field
}

// Section is `queue:` as written.
type Section struct {
	Pos          model.Pos
	State        *model.Field // a select
	Ready        string       // option values
	Running      string
	Done         string
	Dead         string
	Order        []model.IndexColumn // claim order
	RunAt        *model.Field        // datetime; nil: always due
	Attempts     *model.Field        // number; nil: added
	MaxAttempts  *model.Field        // number; nil: added, default 3
	Error        *model.Field        // text or textarea; nil: added
	StartedAt    *model.Field        // datetime; may be nil
	CompletedAt  *model.Field        // datetime; may be nil
	ClaimedBy    *model.Field        // text; may be nil
	KindField    *model.Field        // text that holds the kind's name; nil without kinds
	PayloadField *model.Field        // json that holds the payload; nil without kinds
	Kinds        []*Kind             // in the order written
	Cancelled    string              // option value; "" where the select has none for it
	Unknown      string              // likewise: without it, no job of the queue can be marked by BeginOnce
	Ageing       time.Duration       // waiting this long is worth one step of the first field of Order; 0: never
	Names        []Named             // the named queues, as written; empty: one without a name
	Retention    []Retention         // what is deleted after some time
	Policy       Policy              // of every row without kinds; with kinds, Timeout and Backoff of those without their own

	DoneAt *model.Field // when a job ended well, for a behavior that works the rows; nil: nothing but CompletedAt

	Worker *Worker // what the pass adds; nil before
	Worked *Worked // the behavior that handles the rows; nil: the program does

	Limits *LimitTable // of the project; Tables sets it
}

// holding returns the states in which a row holds its unique key: unfinished, or perhaps
// done. A row that may have done its work keeps duplicates out until a person has decided.
func (s *Section) holding() []string {
	states := []string{s.Ready, s.Running}
	if s.Unknown != "" {
		states = append(states, s.Unknown)
	}
	return states
}

// Worked is what a behavior that handles the rows of a queue has printed: programs then
// have no handler for them in Workers, but a field that says whether and how to work.
type Worked struct {
	Field  string          // of Workers: nil in it means that the queue is not worked
	Type   jen.Code        // of that field
	Runner func() jen.Code // makes the engine.Runner, from the DB db and that field of the Workers w
}

// Named is one of several queues in one table.
type Named struct {
	Pos         model.Pos
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
	Rate        *Rate        // starts in a span of time, over all processes; nil: no limit
	Concurrency int64        // runs at once over all processes; 0: no limit
	Per         *model.Field // Rate and Concurrency hold for each value of it; nil: for all together
	Unique      *Unique      // nil: duplicates are welcome
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
	By          []*model.Field // what makes two alike: members of the payload, or fields of the row without kinds
	For         time.Duration  // from enqueueing on; 0: while the job is unfinished
	OnDuplicate string         // "keep", "replace" or "debounce"
	Wait        time.Duration  // debounce: each new one postpones the job by this
	AtMost      time.Duration  // debounce: but not beyond this from the first; 0: ten times Wait
}

// Kind is one kind of job with a typed payload.
type Kind struct {
	Pos     model.Pos
	Name    string    // "image_optimize"
	GoName  string    // "ImageOptimize"
	GoPos   model.Pos // of go_name, or of the name
	Fields  []*model.Field
	Policy  Policy
	Version int           // of the payload; 1 unless given
	Older   []*OldPayload // by version, ascending; those from which an upcaster leads to this one
}

// OldPayload is a payload's form in an earlier version.
type OldPayload struct {
	Pos     model.Pos
	Version int
	GoName  string // "ImageOptimizeV1"
	Fields  []*model.Field
}

// Worker is what generated code and the runtime need to work a queue: its
// section, and the fields that the behavior added. Those that a definition may
// do without are nil.
type Worker struct {
	Section  *Section
	Order    []model.IndexColumn // in which rows are claimed, before their id
	Epoch    *model.Field        // fence; grows with every claim
	Lease    *model.Field        // until when the claim holds
	Hold     *model.Field        // why a ready row is not to be claimed; empty: it is
	Errors   *model.Field        // the last failures, as JSON
	Result   *model.Field        // what the handler left, as JSON
	Progress *model.Field        // of the handler, 0 to 1
	Note     *model.Field        // of the handler, about its progress
	Trace    *model.Field        // the trace that enqueued the row
	Begun    *model.Field        // the epoch of the last claim that began what must not happen twice

	Name        *model.Field // of named queues
	Limit       *model.Field // what a limit counts the row under
	Unique      *model.Field // no two rows that hold it have the same
	UniqueUntil *model.Field // until when Unique holds, whatever becomes of the row
	Yielded     *model.Field // another row took Unique while this one was unfinished
	Holds       *model.Index // of Unique; its condition says which rows hold theirs
	Version     *model.Field // of the payload
	Rank        *model.Field // the moment of enqueueing less the priority's worth of waiting
}

// The operations of a queue. Those that end a claim name its epoch, and change nothing
// once another worker has the row.
const (
	OpClaim          model.OpKind = "claim"           // take due rows
	OpLock           model.OpKind = "lock"            // MySQL: keep claimed rows from others, and see whose they are
	OpHeartbeat      model.OpKind = "heartbeat"       // renew the leases of claims
	OpComplete       model.OpKind = "complete"        // end claims: done
	OpFinish         model.OpKind = "finish"          // end a claim: done, with a result
	OpRetry          model.OpKind = "retry"           // end a claim: ready again, later
	OpSnooze         model.OpKind = "snooze"          // end a claim: ready again, later, without counting it
	OpRelease        model.OpKind = "release"         // release a claim, as if it had not been made
	OpDeadLetter     model.OpKind = "dead_letter"     // end a claim: failed for good
	OpCancelRunning  model.OpKind = "cancel_running"  // end a claim: cancelled
	OpBeginOnce      model.OpKind = "begin_once"      // mark claims: what follows must not happen twice
	OpSetUnknown     model.OpKind = "set_unknown"     // end a claim: it may have done its work
	OpReport         model.OpKind = "report"          // write how far a handler has come
	OpRunning        model.OpKind = "running"         // the claims that there are
	OpExpire         model.OpKind = "expire"          // take a claim from a worker that is gone
	OpPromote        model.OpKind = "promote"         // let rows be claimed whose time has come
	OpSetHold        model.OpKind = "set_hold"        // MySQL: set the hold of rows that were found and locked
	OpNextDue        model.OpKind = "next_due"        // when the next row's time comes
	OpUnknownKind    model.OpKind = "unknown_kind"    // rows of kinds that this program has no handler for
	OpPark           model.OpKind = "park"            // keep such a row from being looked at again
	OpUnpark         model.OpKind = "unpark"          // let rows be claimed that this program knows
	OpCancel         model.OpKind = "cancel"          // end a row that is ready or running
	OpRetryEnded     model.OpKind = "retry_ended"     // make a row that has ended ready again
	OpPrune          model.OpKind = "prune"           // delete rows that ended some time ago
	OpDeleteEnded    model.OpKind = "delete_ended"    // MySQL: delete rows that were found and locked
	OpPaused         model.OpKind = "paused"          // whether a queue is paused
	OpSetPaused      model.OpKind = "set_paused"      // pause it, or resume it
	OpAddLimit       model.OpKind = "add_limit"       // add the row of a queue or of a limit
	OpLockLimit      model.OpKind = "lock_limit"      // lock a limit, and read its starts
	OpSetLimit       model.OpKind = "set_limit"       // write its starts
	OpPruneLimits    model.OpKind = "prune_limits"    // delete limits that are not used any more
	OpDeleteLimits   model.OpKind = "delete_limits"   // MySQL: delete limits that were found and locked
	OpLimitRunning   model.OpKind = "limit_running"   // how many run under a limit
	OpHoldLimited    model.OpKind = "hold_limited"    // hold the ready rows under a limit that is reached
	OpReleaseLimited model.OpKind = "release_limited" // let some of them be claimed
	OpNextLimited    model.OpKind = "next_limited"    // the next limit under which rows are held
	OpKeyHolder      model.OpKind = "key_holder"      // the row that holds a unique key
	OpReleaseKey     model.OpKind = "release_key"     // take its unique key from a row
	OpPriority       model.OpKind = "priority"        // change a row's priority and its rank
)

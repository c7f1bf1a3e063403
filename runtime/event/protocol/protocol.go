// Package protocol is what the generator and package feed agree on: which argument has
// which position, and the limits of what the log's columns hold. Programs have no use for
// it.
package protocol

// The positions of the arguments that the runtime passes to every statement of the log.
// A statement uses those that its placeholders name. A database with a clock of its own
// takes spans, and a moment only from a test's clock; SQLite, which has none, takes
// instants.
const (
	ArgID         = iota // of a row of the log
	ArgEvent             // the event's id
	ArgTopic             // the datatype's name, or that of an emitted event
	ArgOp                // what happened
	ArgRow               // the id of the row that it happened to
	ArgBefore            // that row before, as JSON
	ArgAfter             // and after
	ArgNow               // the moment of the call, or null: the database's
	ArgSpan              // of a lease, or of what is kept, in microseconds
	ArgUntil             // that moment plus the span
	ArgName              // of a cursor
	ArgTopics            // that a cursor reads, a comma behind each
	ArgTopicsWere        // before a change of them
	ArgPosition          // of an event, or how far a cursor has come
	ArgFrom              // the last position, before more are assigned
	ArgEpoch             // of the claim of a cursor
	ArgError             // what a handler failed with
	ArgAttempts          // how often it has failed in a row
	ArgList              // topics, a list
	ArgLimit             // rows at most
	ArgCount             // how many there are
)

// The limits of what the log holds, in characters.
const (
	MaxRow    = 4_000_000 // of a row as JSON, whose bytes are counted
	MaxName   = 100       // of a cursor's name
	MaxTopic  = 100       // of a topic: the names of a datatype and of its event, 48 each, and a dot
	MaxTopics = 25_000    // of the topics of a cursor
	MaxError  = 4_000     // of an error
)

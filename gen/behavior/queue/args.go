package queue

// The arguments that the runtime passes to every statement of a queue, by
// index; a statement uses those that its placeholders name. A database with a
// clock of its own takes spans, and a moment only from a test's clock; SQLite,
// which has none, takes instants. Package runtime/queue has the same list.
const (
	argID       = iota // the row's id
	argEpoch           // the claim's epoch
	argSpan            // lease or delay, in microseconds
	argNow             // the moment of the call, or null: the database's
	argUntil           // that moment plus the span
	argError           // text of the failure
	argErrors          // the last failures
	argHold            // why the row is to wait
	argLimit           // rows at most
	argName            // of the named queue
	argResult          // of the handler
	argProgress        // of the handler
	argNote            // of the handler
	argLease           // the lease that was seen
	argGate            // what a limit counts by
	argKey             // a unique key
	argIDs             // of many claims
	argEpochs          // of the same claims
	argPriority        // the new one
)

// Package protocol is what the generator and package queue agree on: which argument
// has which position, and what the queue's columns hold. Programs have no use for it.
package protocol

// The positions of the arguments that the runtime passes to every statement of a
// queue. A statement uses those that its placeholders name. A database with a clock
// of its own takes spans, and a moment only from a test's clock; SQLite, which has
// none, takes instants.
const (
	ArgID       = iota // the row's id
	ArgEpoch           // the claim's epoch
	ArgSpan            // lease or delay, in microseconds
	ArgNow             // the moment of the call, or null: the database's
	ArgUntil           // that moment plus the span
	ArgError           // text of the failure
	ArgErrors          // the last failures
	ArgHold            // why the row is to wait
	ArgLimit           // rows at most
	ArgName            // of the named queue
	ArgResult          // of the handler
	ArgProgress        // of the handler
	ArgNote            // of the handler
	ArgLease           // the lease that was seen
	ArgLimitKey        // what a limit counts by
	ArgKey             // a unique key
	ArgIDs             // of many claims
	ArgEpochs          // of the same claims
	ArgPriority        // the new one
	ArgQueues          // the named queues that a worker claims from, a list
	ArgPaused          // whether a queue is paused
	ArgUsed            // the starts under a limit
	ArgSeen            // when a limit was last looked at, in microseconds since 1970
	ArgClaimant        // which process this is
	ArgCount           // how many there are
)

// Why a ready row is not to be claimed; "" where it is.
const (
	HoldTime  = "time"  // it is not due
	HoldLimit = "limit" // its limit is reached
	HoldKind  = "kind"  // its kind is of another program
)

// MaxClaimant is how many characters the name of a process has at most.
const MaxClaimant = 100

// MostWaiting bounds what a priority is worth, in microseconds of waiting: far beyond
// any time, and two of them can be added.
const MostWaiting = 1 << 61

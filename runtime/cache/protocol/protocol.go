// Package protocol is what the generator and package table agree on: which argument
// has which position, and what the format of an entry says. Programs have no use for it.
package protocol

// The positions of the arguments that the runtime passes to every statement of a
// cache. A statement uses those that its placeholders name. A database with a clock
// of its own takes spans, and a moment only from a test's clock; SQLite, which has
// none, takes instants.
const (
	ArgKey    = iota // an entry's key
	ArgID            // of an entry or of a change
	ArgValue         // encoded
	ArgFormat        // how
	ArgNumber        // of a counter
	ArgSize          // bytes of key and value
	ArgTags          // for people
	ArgToken         // of the write
	ArgLease         // of a load; 0: none
	ArgNow           // the moment of the call, or null: the database's
	ArgLife          // microseconds until the entry is gone; null: never
	ArgFresh         // until it is stale; null: not before it is gone
	ArgHold          // until a lease ends; null: there is none
	ArgGoneAt        // these three as instants
	ArgStaleAt
	ArgHeldAt
	ArgTag    // one tag
	ArgFrom   // of a range: the first
	ArgTo     // and the first behind it
	ArgLimit  // rows at most
	ArgKeys   // of many entries
	ArgHits   // to be added
	ArgOrigin // the process that writes
	ArgHashes // of keys
	ArgCount  // how many there are
)

// Formats of entries whose value the cache does not decode.
const (
	FormatLease = "lease" // a load is running, and there is no value yet
	FormatNone  = "none"  // it is known that there is nothing
	FormatInt   = "int"   // a counter
)

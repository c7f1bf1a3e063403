package cache

// The arguments that the runtime passes to the statements of a cache, by index;
// a statement uses those that its placeholders name. A database with a clock of
// its own takes spans, and a moment only from a test's clock; SQLite, which has
// none, takes instants. Package runtime/cache has the same list.
const (
	cacheKey    = iota // an entry's key
	cacheID            // of an entry or of a change
	cacheValue         // encoded
	cacheFormat        // how
	cacheNumber        // of a counter
	cacheSize          // bytes of key and value
	cacheTags          // for people
	cacheToken         // of the write
	cacheLease         // of a load; 0: none
	cacheNow           // the moment of the call, or null: the database's
	cacheLife          // microseconds until the entry is gone; null: never
	cacheFresh         // until it is stale; null: not before it is gone
	cacheHold          // until a lease ends; null: there is none
	cacheGoneAt        // these three as instants
	cacheStaleAt
	cacheHeldAt
	cacheTag    // one tag
	cacheFrom   // of a range: the first
	cacheTo     // and the first behind it
	cacheLimit  // rows at most
	cacheKeys   // of many entries
	cacheHits   // to be added
	cacheOrigin // the process that writes
	cacheHashes // of keys
)

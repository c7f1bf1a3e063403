package language

// MaxSources is how many datatypes a cache may depend on.
const MaxSources = 100

// Cache is a datatype's cache section.
var Cache = &Mapping{
	Name: "cache",
	Help: "Rows are values kept under a key until they expire.",
	Keys: []Key{
		{Name: "key", Help: "the unique text field that holds the key; key unless given", Value: name},
		{Name: "value", Help: "the bytes or json field that holds the encoded value; value unless given", Value: name},
		{Name: "expires_at", Help: "the datetime at which an entry is gone; expires_at unless given", Value: name},
		{Name: "created_at", Help: "when the value was written; created_at unless given", Value: name},
		{Name: "hit_count", Help: "the number field that counts uses; hit_count unless given", Value: name},
		{Name: "tags", Help: "a text field that shows the tags to people; tags unless given", Value: name},
		{Name: "max_entries", Help: "entries at most; beyond, those that were used least recently are removed", Value: &Value{Form: Int, Min: 1}},
		{Name: "max_bytes", Help: "bytes of keys and values at most; beyond, entries that were used least recently are removed", Value: &Value{Form: Int, Min: 1}},
		{Name: "max_age", Help: "how long an entry may live, whatever its writer says, such as 30d", Value: duration},
		{Name: "depends_on", Help: "datatypes: a write of a row removes, in the same transaction, the entries tagged with its datatype or with the row", Value: &Value{Form: List, Min: 1, Max: MaxSources, Of: name, Unique: true}},
	},
}

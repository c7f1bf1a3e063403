package cache

import (
	"github.com/hegner123/modulagen/gen/language"
)

// MaxSources is how many datatypes a cache may depend on.
const MaxSources = 100

// grammar is a datatype's cache section.
var grammar = &language.Mapping{
	Name: "cache",
	Help: "Rows are values kept under a key until they expire.",
	Keys: []language.Key{
		{Name: "key", Help: "the unique text field that holds the key; key unless given", Value: language.NameValue},
		{Name: "value", Help: "the bytes or json field that holds the encoded value; value unless given", Value: language.NameValue},
		{Name: "expires_at", Help: "the datetime at which an entry is gone; expires_at unless given", Value: language.NameValue},
		{Name: "created_at", Help: "when the value was written; created_at unless given", Value: language.NameValue},
		{Name: "hit_count", Help: "the number field that counts uses; hit_count unless given", Value: language.NameValue},
		{Name: "tags", Help: "a text field that shows the tags to people; tags unless given", Value: language.NameValue},
		{Name: "max_entries", Help: "entries at most; beyond, those that were used least recently are removed", Value: &language.Value{Form: language.Int, Min: 1}},
		{Name: "max_bytes", Help: "bytes of keys and values at most; beyond, entries that were used least recently are removed", Value: &language.Value{Form: language.Int, Min: 1}},
		{Name: "max_age", Help: "how long an entry may live, whatever its writer says, such as 30d", Value: language.DurationValue},
		{Name: "depends_on", Help: "datatypes: a write of a row removes, in the same transaction, the entries tagged with its datatype or with the row", Value: &language.Value{Form: language.List, Min: 1, Max: MaxSources, Of: language.NameValue, Unique: true}},
	},
}

// Package near finds what someone meant who wrote a word that is not known: the
// known word with the fewest letters to change, or what another system's word
// is called here. Every stage that reports an unknown name asks it.
package near

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/internal/near"
)

// meant are words of other systems, and what they are called here.
var meant = map[string]string{
	"string": "text", "str": "text", "varchar": "text", "char": "text", "line": "text",
	"longtext": "textarea", "multiline": "textarea", "html": "richtext", "markdown": "richtext",
	"int": "number", "integer": "number", "int64": "number", "bigint": "number", "int32": "number",
	"double": "float", "real": "float", "float64": "float", "float32": "float", "numeric": "decimal", "money": "decimal",
	"bool": "boolean", "timestamp": "datetime", "timestamptz": "datetime", "time": "datetime",
	"object": "json", "jsonb": "json", "map": "json", "array": "json", "list": "json",
	"enum": "select", "choice": "select", "mail": "email", "uri": "url", "link": "url",
	"blob": "bytes", "binary": "bytes", "bytea": "bytes", "file": "bytes", "media": "reference",
	"relation": "reference", "belongs_to": "reference", "foreign_key": "reference", "_id": "reference", "ref": "reference",
	"maximum": "max", "max_length": "max", "maxlength": "max", "minimum": "min", "min_length": "min",
	"regex": "pattern", "regexp": "pattern", "values": "options", "choices": "options", "enum_values": "options",
	"description": "help", "comment": "help", "title": "label", "table": "name", "columns": "fields",
	"precision": "scale", "references": "to", "target": "to", "index": "indexes", "indices": "indexes",
	"uuid": "ulid", "bigserial": "integer", "serial": "integer", "autoincrement": "integer",
	"set null": "set_null", "setnull": "set_null", "nullify": "set_null", "no action": "restrict", "delete": "cascade",
	"when": "where", "condition": "where", "eq": "equals", "ne": "not", "neq": "not", "min_items": "item_count",
}

// Word returns the known word that someone who wrote the given one most
// likely meant, "" when none is near.
func Word(word string, known []string) string {
	lower := strings.ToLower(strings.TrimSpace(word))
	folded := strings.NewReplacer("-", "_", " ", "_").Replace(lower)
	for _, k := range known {
		if k == lower || k == folded {
			return k
		}
	}
	if m, ok := meant[lower]; ok && slices.Contains(known, m) {
		return m
	}
	best, least := "", 1+min(3, max(1, len(lower)/3))
	for _, k := range known {
		if d := near.Distance(folded, k, least); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return best
	}
	least = 2 // a slip in a word of another system
	for w, m := range meant {
		if d := near.Distance(lower, w, least); d < least && len(w) > 3 && slices.Contains(known, m) && (best == "" || m < best) {
			best = m
		}
	}
	return best
}

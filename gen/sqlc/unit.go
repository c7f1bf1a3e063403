package sqlc

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc/protocol"
)

// Version is the version of sqlc that modulagen-sqlc links.
const Version = protocol.SQLCVersion

// format is the version of what is kept in the cache; raise it when the meaning
// of an entry changes.
const format = "5"

// unit is what is analysed, and kept in the cache, together: the queries of one
// table, or one query of the user's, for one database.
type unit struct {
	database model.Database
	schema   []string // DDL of the tables that the queries name, a table each
	queries  []model.Query
	user     *rewritten // the user's query; nil for a generated unit
}

// key is the unit's name in the cache.
func (u *unit) key() string {
	h := newHash()
	h.add(string(u.database))
	h.add(u.schema...)
	for _, q := range u.queries {
		h.add(q.Name, q.Command, q.Text)
	}
	return h.key()
}

// hashing makes a key out of texts.
type hashing struct{ hash.Hash }

// newHash begins with what every key depends on.
func newHash() hashing {
	h := hashing{sha256.New()}
	h.add(protocol.SQLCVersion, protocol.EngineVersion, format)
	return h
}

func (h hashing) add(parts ...string) {
	for _, s := range parts {
		io.WriteString(h, s)
		h.Write([]byte{0})
	}
}

func (h hashing) key() string { return hex.EncodeToString(h.Sum(nil)[:16]) }

// tables returns the CREATE TABLE statements of a schema and leaves out the rest:
// sqlc looks at no index, and a constraint added later may name a table that is
// not there.
func (u *unit) tables() []string {
	var out []string
	for _, ddl := range u.schema {
		for _, s := range strings.SplitAfter(ddl, ";\n") {
			if strings.Contains(s, "CREATE TABLE") {
				out = append(out, u.visible(s))
			}
		}
	}
	return out
}

// visible leaves out the columns that MySQL computes for partial unique indexes:
// no query reads them, and SELECT * must give the same on every database.
func (u *unit) visible(table string) string {
	if u.database != model.MySQL {
		return table
	}
	var b strings.Builder
	for line := range strings.Lines(table) {
		if !strings.Contains(line, " GENERATED ALWAYS AS (") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// schemas finds, for a query, the DDL of the tables that its text names. It
// takes any word that is a table's name for that table: one too many costs
// little, one too few is an error.
type schemas struct {
	ddl map[string]string // table name -> DDL
}

func newSchemas(tables []Table) schemas {
	s := schemas{ddl: make(map[string]string, len(tables))}
	for _, t := range tables {
		s.ddl[t.Datatype.Name] = t.DDL
	}
	return s
}

// of returns the DDL of the tables named in the texts, each once, in the order of
// their first mention.
func (s schemas) of(texts ...string) []string {
	var out []string
	seen := map[string]bool{}
	for _, text := range texts {
		for word := range words(text) {
			if seen[word] {
				continue
			}
			if ddl, ok := s.ddl[word]; ok {
				seen[word] = true
				out = append(out, ddl)
			}
		}
	}
	return out
}

// words yields the words of a text, in lower case.
func words(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start := -1
		for i := 0; i <= len(text); i++ {
			if i < len(text) && wordByte(text[i]) {
				if start < 0 {
					start = i
				}
				continue
			}
			if start >= 0 && !yield(strings.ToLower(text[start:i])) {
				return
			}
			start = -1
		}
	}
}

func wordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

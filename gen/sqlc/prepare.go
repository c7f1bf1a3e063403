package sqlc

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc/protocol"
)

// prepare has the units' queries prepared on an in-memory SQLite that has their
// tables, and returns what it refused. Units of other databases are passed over.
func (p program) prepare(ctx context.Context, units []*unit) ([]problem, error) {
	type place struct {
		unit  *unit
		query int
	}
	var ask protocol.Preparation
	var places []place
	seen := map[string]bool{}
	for _, u := range units {
		if u.database != model.SQLite {
			continue
		}
		for _, ddl := range u.schema {
			if !seen[ddl] {
				seen[ddl] = true
				ask.DDL = append(ask.DDL, ddl)
			}
		}
		for i, q := range u.queries {
			ask.Texts = append(ask.Texts, q.Text)
			places = append(places, place{u, i})
		}
	}
	if len(places) == 0 {
		return nil, nil
	}
	var refused []protocol.Refusal
	if err := p.call(ctx, protocol.Prepare, ask, &refused); err != nil {
		return nil, err
	}
	var out []problem
	for _, r := range refused {
		if r.Text < 0 || r.Text >= len(places) {
			return nil, fmt.Errorf("gen/sqlc: %s answers about query %d of %d", p.path, r.Text, len(places))
		}
		out = append(out, engineProblem(places[r.Text].unit, places[r.Text].query, r.Message))
	}
	return out, nil
}

// engineWord finds the word that SQLite complains of: near "FORM": syntax error.
var engineWord = regexp.MustCompile(`near "([^"]+)"|(?:no such (?:column|table|function)|ambiguous column name|wrong number of arguments to function): ?"?([^\s"()]+)`)

// engineProblem turns the engine's error into a problem. The engine gives a
// word and no place: where the word stands once in the text, that is the place.
func engineProblem(u *unit, query int, message string) problem {
	p := problem{unit: u, query: query, message: message}
	m := engineWord.FindStringSubmatch(p.message)
	if m == nil {
		return p
	}
	word := m[1] + m[2]
	at := onlyWord(u.queries[query].Text, word)
	if at < 0 {
		return p
	}
	before := u.queries[query].Text[:at]
	p.line = 1 + strings.Count(before, "\n")
	p.column = at - strings.LastIndexByte(before, '\n')
	return p
}

// onlyWord returns the offset of a word that stands exactly once in a text as a
// whole word, or -1.
func onlyWord(text, word string) int {
	found := -1
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return found
		}
		i += from
		from = i + 1
		end := i + len(word)
		if i > 0 && wordByte(text[i-1]) && wordByte(word[0]) || end < len(text) && wordByte(text[end]) && wordByte(word[len(word)-1]) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
}

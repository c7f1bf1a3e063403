package sqlc

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	_ "modernc.org/sqlite" // the engine that queries are prepared on

	"github.com/hegner123/modulagen/gen/model"
)

// prepare prepares the units' queries on an in-memory SQLite that has their
// tables, and gives what it refused. Units of other databases are passed over.
func prepare(ctx context.Context, units []*unit) ([]problem, error) {
	var ours []*unit
	for _, u := range units {
		if u.database == model.SQLite {
			ours = append(ours, u)
		}
	}
	if len(ours) == 0 {
		return nil, nil
	}
	// Without _dqs=0 SQLite takes an unknown "name" for a string.
	db, err := sql.Open("sqlite", "file::memory:?_dqs=0")
	if err != nil {
		return nil, fmt.Errorf("gen/sqlc: %w", err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("gen/sqlc: %w", err)
	}
	defer conn.Close()
	if err := createTables(ctx, conn, ours); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		return nil, err
	}
	var out []problem
	for _, u := range ours {
		for i, q := range u.queries {
			stmt, err := conn.PrepareContext(ctx, q.Text)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				out = append(out, engineProblem(u, i, err))
				continue
			}
			stmt.Close()
		}
	}
	return out, nil
}

func createTables(ctx context.Context, conn *sql.Conn, units []*unit) error {
	seen := map[string]bool{}
	for _, u := range units {
		for _, ddl := range u.schema {
			if seen[ddl] {
				continue
			}
			seen[ddl] = true
			if _, err := conn.ExecContext(ctx, ddl); err != nil {
				return fmt.Errorf("gen/sqlc: internal error: sqlite refuses a generated table: %w\n%s", err, ddl)
			}
		}
	}
	return nil
}

var (
	// "SQL logic error: near "FORM": syntax error (1)"
	engineNoise = regexp.MustCompile(`^SQL logic error: |\s*\(\d+\)$`)
	engineWord  = regexp.MustCompile(`near "([^"]+)"|(?:no such (?:column|table|function)|ambiguous column name|wrong number of arguments to function): ?"?([^\s"()]+)`)
)

// engineProblem turns the engine's error into a problem. The engine gives a
// word and no place: where the word stands once in the text, that is the place.
func engineProblem(u *unit, query int, err error) problem {
	p := problem{unit: u, query: query, message: engineNoise.ReplaceAllString(err.Error(), "")}
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

// onlyWord gives the offset of a word that stands exactly once in a text as a
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

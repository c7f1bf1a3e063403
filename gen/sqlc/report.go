package sqlc

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// report sorts problems into mistakes of the user and defects of our own.
func report(problems []problem, mistakes *mistake.List) error {
	said := map[*written]map[model.Database]problem{}
	var order []*written
	for _, p := range problems {
		r := p.unit.user
		if r == nil {
			return defect(p)
		}
		if said[r.query] == nil {
			said[r.query] = map[model.Database]problem{}
			order = append(order, r.query)
		}
		said[r.query][p.unit.database] = p
	}
	for _, w := range order {
		userMistake(w, said[w])
	}
	return nil
}

// userMistake reports what is wrong in one query once, in the words of the
// database that says it best: PostgreSQL, then MySQL, then SQLite.
func userMistake(w *written, said map[model.Database]problem) {
	for _, db := range []model.Database{model.Postgres, model.MySQL, model.SQLite} {
		p, ok := said[db]
		if !ok {
			continue
		}
		where := ""
		if len(said) < len(w.file.Databases) {
			where = string(db) + ": "
		}
		message := strings.TrimSuffix(p.message, ".")
		hint := ""
		if strings.Contains(message, "ambiguous") {
			hint = "write the table before it, as in a.slug"
		}
		w.file.mistake(p.unit.user.origin(p.line, p.column), hint, "%s%s", where, message)
		return
	}
}

// defect is a generated query that an engine refuses.
func defect(p problem) error {
	u := p.unit
	q := u.queries[p.query]
	return fmt.Errorf("gen/sqlc: internal error: %s refuses the query %s that %s:%d leads to: %s\n%s",
		u.database, q.Name, q.Pos.File, q.Pos.Line, p.message, q.Text)
}

package sqlc

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
)

// agree compares what sqlc found in a generated query with what the lowering
// meant. A difference is a defect of this program: the Go would be printed for
// another query than the one that runs.
func agree(db model.Database, q model.Query, a *Analysed) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("gen/sqlc: internal error: the query %s that %s:%d leads to is not what was meant on %s: %s\n%s",
			q.Name, q.Pos.File, q.Pos.Line, db, fmt.Sprintf(format, args...), q.Text)
	}
	if strip(a.Text) != strip(q.Text) {
		return fail("sqlc read %q", a.Text)
	}
	if len(a.Columns) != len(q.Columns) {
		return fail("%d columns, want %d", len(a.Columns), len(q.Columns))
	}
	for i, f := range q.Columns {
		if f == nil {
			continue
		}
		if c := a.Columns[i]; c.Original != f.Name && c.Name != f.Name {
			return fail("column %d is %s, want %s", i+1, c.Name, f.Name)
		}
	}
	if len(a.Params) != len(q.Params) {
		return fail("%d parameters, want %d", len(a.Params), len(q.Params))
	}
	for i, f := range q.Params {
		if c := a.Params[i].Column; f != nil && c.Original != "" && c.Original != f.Name {
			return fail("parameter %d is %s, want %s", i+1, c.Original, f.Name)
		}
	}
	return nil
}

// strip is a statement without white space, quotes of names and its end, which
// sqlc may write otherwise.
func strip(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\n', '\r', ';', '`', '"':
			return -1
		}
		return r
	}, text)
}

// collisions reports a query whose Go would take the name of something that the
// definitions generate, or another query does. rows are the row types that queries
// before this one have named, and share.
func (v *versions) collisions(taken names.Taken, rows map[string]bool) {
	r := v.first()
	what := "the query " + v.name
	wanted := []model.Name{
		{Space: model.Members("Queries"), Text: v.name, What: what},
		{Space: model.SpaceGo, Text: v.name + "Params", What: what},
		{Space: model.SpaceGo, Text: goname.Unexported(v.name) + "Statement", What: what},
	}
	row, named := r.query.rowName(), r.query.row.name != ""
	if !named || !rows[row] {
		rows[row] = rows[row] || named
		wanted = append(wanted, model.Name{Space: model.SpaceGo, Text: row, What: what})
	}
	for _, n := range wanted {
		if other, ok := taken.Take(n); !ok {
			r.query.file.mistake(r.query.at, "give it another name", "the query %s needs the Go name %s, which %s has", v.name, n.Text, other.What)
			return
		}
	}
}

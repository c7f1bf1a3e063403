package evolution_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// live is a database with rows, and the versions that it has been through.
type live struct {
	testing.TB
	server  *server
	history *history
	db      *core.DB
	dsn     string
	round   int
}

// start makes a database of a version, with rows.
func (s *server) start(t testing.TB, v *version) *live {
	t.Helper()
	l := &live{TB: t, server: s, history: begin(t, v), dsn: s.fresh(t)}
	l.db = open(t, l.dsn, v.schema())
	fill(t, l.db, v, "A")
	return l
}

// change is one change of definitions, on one database.
type change struct {
	*live
	before, after *version
	steps         []*migrate.Migration
}

// migrated makes a database of one version and migrates it to another one.
func (s *server) migrated(t testing.TB, before, after *version) {
	t.Helper()
	s.start(t, before).to(after)
}

// to migrates the database to another version and compares everything. Rows that do not fit must
// have the migration refused, with nothing changed, and are then removed.
func (l *live) to(after *version) {
	l.Helper()
	before := l.history.last()
	steps, wrong := l.history.add(l, after)
	if len(wrong) > 0 {
		l.Fatalf("the change has mistakes: %v", wrong)
	}
	l.round++
	c := &change{l, before, after, steps}
	mark := spend(l, l.db.Conn(), before)
	rows := read(l, l.db.Conn(), before)
	e := expect(before, after, rows)
	if len(e.misfits) > 0 {
		rows = c.refused(rows, e)
		e = expect(before, after, rows)
	}
	if err := l.history.run(l.db); err != nil {
		l.Fatal(err)
	}
	c.compare(e)
	l.sameAsFresh(after)
	c.write(mark)
}

// refused runs the migration with rows that do not fit, and removes them.
func (c *change) refused(rows contents, e *expectation) contents {
	c.Helper()
	was := structure(c, c.db.Conn())
	first, err := c.steps[0].Script("migrations", c.server.kind)
	if err != nil {
		c.Fatal(err)
	}
	err = refusals(c.Context(), c.db.Conn(), &first.Steps[0])
	var refused *refusedError
	if !errors.As(err, &refused) {
		c.Fatalf("rows that do not fit (%v) are not looked for: %v", e.misfits, err)
	}
	if err := c.history.run(c.db); err == nil || !strings.Contains(err.Error(), refused.all[0].because) {
		c.Fatalf("rows that do not fit (%v) were not refused: %v", e.misfits, err)
	}
	for table, ids := range e.misfits {
		for id := range ids {
			if !refused.names(table, id) {
				c.Errorf("row %s of %s does not fit, and is not named in %v", id, table, refused)
			}
		}
	}
	for _, r := range refused.all {
		for _, id := range r.ids {
			if !e.misfits[r.table][id] && !strings.Contains(r.because, "the same") {
				c.Errorf("row %s of %s fits, and is refused: %s", id, r.table, r.because)
			}
		}
	}
	if d := differ(structure(c, c.db.Conn()), was); len(d) > 0 {
		c.Errorf("a refused migration changed the tables:\n%s", strings.Join(d, "\n"))
	}
	equalRows(c, read(c, c.db.Conn(), c.before), rows)
	seen := map[string]bool{}
	for table, ids := range e.misfits {
		remove(c, c.db.Conn(), c.before, rows, table, ids, seen)
	}
	return read(c, c.db.Conn(), c.before)
}

func (e *refusedError) names(table, id string) bool {
	return slices.ContainsFunc(e.all, func(r refusal) bool { return r.table == table && slices.Contains(r.ids, id) })
}

// compare compares the rows with what they should be, value by value.
func (c *change) compare(e *expectation) {
	c.Helper()
	found := read(c, c.db.Conn(), c.after)
	for _, d := range c.after.Datatypes {
		old := oldTable(c.before, c.after, d)
		for _, f := range d.Fields {
			if old == nil {
				continue
			}
			if was := oldField(old, d, f); was != nil && was.Type == "json" && f.Type != "json" {
				for _, r := range found[d.Name] { // as each database writes a document
					if v := r[f.Name]; v != nil {
						r[f.Name] = some(compact(*v))
					}
				}
			}
		}
	}
	equalRows(c, found, e.rows)
}

func equalRows(t testing.TB, found, want contents) {
	t.Helper()
	for table, rows := range want {
		if len(found[table]) != len(rows) {
			t.Errorf("%s has %d rows, and should have %d", table, len(found[table]), len(rows))
		}
		for _, w := range rows {
			f := found.row(table, w.id())
			for column, v := range w {
				if v == moment && isMoment(f[column]) || same(f[column], v) {
					continue
				}
				t.Errorf("%s.%s of row %s is %s, and should be %s", table, column, w.id(), show(f[column]), show(v))
			}
		}
	}
	for table, rows := range found {
		if len(want[table]) == 0 && len(rows) > 0 {
			t.Errorf("%s has %d rows, and should have none", table, len(rows))
		}
	}
}

// sameAsFresh compares the tables with those of a new database, and has core compare them.
func (l *live) sameAsFresh(v *version) {
	l.Helper()
	var fresh []string
	with(l, l.server.another(l), v.schema(), func(c *core.Conn) { fresh = structure(l, c) })
	if d := differ(structure(l, l.db.Conn()), fresh); len(d) > 0 {
		l.Errorf("the tables are not those of a new database:\n%s", strings.Join(d, "\n"))
	}
	with(l, l.dsn, v.schema(), func(*core.Conn) {})
}

// write adds rows to each table. Ids of rows that were deleted are not used again.
func (c *change) write(marks map[string]int64) {
	c.Helper()
	for _, d := range dialect.InOrder(c.after.Datatypes) {
		if c.Failed() {
			return
		}
		n := insert(c, c.db, c.after, d, fmt.Sprint(c.round))
		old := oldTable(c.before, c.after, d)
		if n == 0 || d.ID == model.IDULID || old == nil {
			continue
		}
		ids := texts(c, c.db.Conn(), "SELECT "+asText(c.db.Conn().Dialect(), "id")+" AS shown FROM "+c.db.Conn().Dialect().Quote(d.Name)+" ORDER BY id")
		if id := number(c, ids[len(ids)-n]); id <= marks[old.Name] {
			c.Errorf("%s: a new row has the id %d, and %d was used before", d.Name, id, marks[old.Name])
		}
	}
}

func number(t testing.TB, text string) int64 {
	t.Helper()
	n := int64(0)
	for _, c := range text {
		n = n*10 + int64(c-'0')
	}
	return n
}

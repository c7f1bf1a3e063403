package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// The last migration of a column that is kept under its old name drops one of two columns that hold the same. Where that of
// the new name may be NULL until then, MySQL would write the table again to change that. So it is the
// one that is dropped where it can be, and the other one, which has been NOT NULL all along, takes its name.

// takesOver reports whether the column of the old name takes the place of the new one. Its indexes then take the
// names of theirs.
func (p *planner) takesOver(t *Table, k kept) (indexes []move, ok bool) {
	old, copied, now := p.columnOf(p.before[t], k.old), p.columnOf(p.before[t], k.now), p.columnOf(p.now[t], k.now)
	same := old.NotNull && now.NotNull && old.Type == now.Type && copied.Type == now.Type
	if !same || !p.keptToTheEnd(t, k) || p.constrained(t, k) {
		return nil, false
	}
	for _, x := range t.Now.Indexes {
		if !namesField(x, k.now) {
			continue
		}
		key := p.indexKey(t.Now, x)
		was := func(o *model.Index) bool { return o.Name == x.Name && p.indexKey(t.Before, o) == key }
		other := slices.IndexFunc(t.Before.Indexes, func(o *model.Index) bool { return p.keyUnder(t, o, []kept{k}) == key })
		if other < 0 || !slices.ContainsFunc(t.Before.Indexes, was) {
			return nil, false
		}
		indexes = append(indexes, move{t.Before.Indexes[other].Name, x.Name})
	}
	return indexes, true
}

// constrained reports whether a check, a foreign key, or the column of an index's condition names one of two columns: MySQL
// renames none of them with the column.
func (p *planner) constrained(t *Table, k kept) bool {
	either := func(name string) bool { return name == k.old || name == k.now }
	for _, layout := range []dialect.Layout{p.before[t], p.now[t]} {
		for _, c := range layout.Checks {
			if either(c.Column) {
				return true
			}
		}
		for _, f := range layout.ForeignKeys {
			if either(f.Column) {
				return true
			}
		}
	}
	return slices.ContainsFunc(slices.Concat(t.Before.Indexes, t.Now.Indexes), func(x *model.Index) bool {
		return len(x.Where) > 0 && (namesField(x, k.old) || namesField(x, k.now))
	})
}

// namesField reports whether an index has a field as a column or in its condition.
func namesField(x *model.Index, name string) bool {
	var inConditions func(all []model.Condition) bool
	inConditions = func(all []model.Condition) bool {
		return slices.ContainsFunc(all, func(c model.Condition) bool { return c.Field != nil && c.Field.Name == name || inConditions(c.Any) })
	}
	return inConditions(x.Where) || slices.ContainsFunc(x.Columns, func(c model.IndexColumn) bool { return c.Field.Name == name })
}

// takenOver returns the kept column of the table whose new column is dropped, and that of the old name takes its place.
func (p *planner) takenOver(t *Table, is func(k kept) bool) (k kept, indexes []move, ok bool) {
	for _, k := range t.Kept {
		if !is(k) {
			continue
		}
		if indexes, ok := p.takesOver(t, k); ok {
			return k, indexes, true
		}
	}
	return kept{}, nil, false
}

// mysqlTakeOver drops the column of the new name and renames the other one, in one statement: a process that is killed
// leaves one of the two states, which the column of the old name tells apart.
func (p *planner) mysqlTakeOver(t *Table, k kept, indexes []move) {
	table := t.Now.Name
	for _, m := range indexes { // the other index refuses duplicates meanwhile
		p.ddl(script.Safe, fmt.Sprintf("%s: drop the index %s, which %s takes the place of", table, m.to, m.from),
			p.alter(table, "DROP INDEX %s", p.Quote(m.to)), []string{inPlace}, gone("index", table, m.to))
	}
	s := p.ddl(script.Destroys, fmt.Sprintf("%s: drop the column of the old name, which holds the same; its values stay under the new one", t.column(k.old)),
		p.alter(table, "DROP COLUMN %s, RENAME COLUMN %s TO %s", p.Quote(k.now), p.Quote(k.old), p.Quote(k.now)),
		[]string{instant, inPlace, copying}, gone("column", table, k.old))
	s.Locked, s.Note = table, lockedNote
	p.first(s, p.dropTriggers(t, k))
	for _, m := range indexes {
		p.ddl(script.Safe, fmt.Sprintf("%s: rename the index %s to %s", table, m.from, m.to), p.alter(table, "RENAME INDEX %s TO %s", p.Quote(m.from), p.Quote(m.to)),
			[]string{instant, inPlace}, gone("index", table, m.from), there("index", table, m.to))
	}
	old, now := p.columnOf(p.before[t], k.old), p.columnOf(p.now[t], k.now)
	if strings.TrimPrefix(old.DDL, p.Quote(k.old)) != strings.TrimPrefix(now.DDL, p.Quote(k.now)) {
		p.mysqlModify(t, old, now)
	}
}

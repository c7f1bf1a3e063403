package cache

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/cache/protocol"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// cached lowers the operations of one cache.
type cached struct {
	l statement.Writer
	d *model.Datatype
	c *Section
}

// Lower writes the queries of a cache's operations.
func (Behavior) Lower(w statement.Writer, d *model.Datatype, op *model.Operation) []model.Query {
	t := cached{w, d, Of(d)}
	lower := map[model.OpKind]func(*model.Operation) []model.Query{
		OpCacheGet:            t.find,
		OpCacheGetMany:        t.findMany,
		OpCachePut:            t.put,
		OpCachePutInPlace:     t.putInPlace,
		OpCacheAdd:            t.add,
		OpCacheVacate:         t.vacate,
		OpCacheCount:          t.count,
		OpCacheRemove:         t.remove,
		OpCacheTouch:          t.touch,
		OpCacheReseal:         t.reseal,
		OpCacheRecordHits:     t.recordHits,
		OpCacheTake:           t.take,
		OpCacheRenewLease:     t.renewLease,
		OpCacheFill:           t.fill,
		OpCacheReleaseLease:   t.releaseLease,
		OpCacheTag:            t.tag,
		OpCacheUntag:          t.untag,
		OpCacheDropTag:        t.dropTag,
		OpCacheDropTags:       t.dropTags,
		OpCacheHasTag:         t.has(t.ofTag),
		OpCacheHasTags:        t.has(t.ofTags),
		OpCacheHasKeys:        t.has(t.ofKeys),
		OpCacheDropKeys:       t.dropKeys,
		OpCacheDropOld:        t.dropOld,
		OpCacheDropUnused:     t.dropUnused,
		OpCacheDropAll:        t.dropAll,
		OpCacheDrop:           t.drop,
		OpCacheLast:           t.last,
		OpCacheSize:           t.size,
		OpCacheAppendChange:   t.appendChange,
		OpCacheReadChanges:    t.readChanges,
		OpCacheMissingChanges: t.missingChanges,
		OpCacheLastChange:     t.lastChange,
		OpCachePruneChanges:   t.pruneChanges,
	}[op.Kind]
	if lower == nil {
		panic(fmt.Sprintf("cache: there is no operation %q", op.Kind))
	}
	return lower(op)
}

func (t cached) table() string              { return t.l.Quote(t.d.Name) }
func (t cached) name(f *model.Field) string { return t.l.Quote(f.Name) }
func (t cached) tags() string               { return t.l.Quote(t.c.TagTable.Name) }
func (t cached) changes() string            { return t.l.Quote(t.c.ChangeTable.Name) }
func (t cached) tagField(i int) string      { return t.l.Quote(t.c.TagTable.Fields[i].Name) }
func (t cached) changeField(i int) string   { return t.l.Quote(t.c.ChangeTable.Fields[i].Name) }
func (t cached) byKey(s *statement.Statement) string {
	return t.name(t.c.Key) + " = " + s.Arg(protocol.ArgKey, t.c.Key)
}

func (t cached) byLease(s *statement.Statement) string {
	return t.name(t.c.Lease) + " = " + s.Arg(protocol.ArgLease, t.c.Lease)
}

func (t cached) moment(s *statement.Statement, f *model.Field) string {
	return s.Moment(protocol.ArgNow, f)
}

func (t cached) after(s *statement.Statement, span, instant int, f *model.Field) string {
	return s.After(protocol.ArgNow, span, instant, f)
}

// found are the columns of an entry that a reader needs.
func (t cached) found() []*model.Field {
	return []*model.Field{t.d.IDField(), t.c.Value, t.c.Format, t.c.Number, t.c.ExpiresAt, t.c.FreshUntil}
}

// find reads an entry, and, where the database has a clock, what that says.
func (t cached) find(*model.Operation) []model.Query {
	s, columns := t.read(t.found())
	s.Add("\nFROM %s\nWHERE %s", t.table(), t.byKey(s))
	return statement.One(s.Query(":one", columns))
}

// findMany reads several entries.
func (t cached) findMany(*model.Operation) []model.Query {
	s, columns := t.read(append([]*model.Field{t.c.Key}, t.found()...))
	s.Add("\nFROM %s\nWHERE %s %s", t.table(), t.name(t.c.Key), t.listed(s, "text", t.c.Key))
	return statement.One(s.Query(":many", columns))
}

// listed is the condition that a column is in the list of keys.
func (t cached) listed(s *statement.Statement, postgresType string, f *model.Field) string {
	return s.Listed(protocol.ArgKeys, postgresType, f)
}

func (t cached) read(columns []*model.Field) (*statement.Statement, []*model.Field) {
	s := t.l.Statement()
	s.Add("SELECT %s", t.l.Dialect.Columns(statement.Names(columns)))
	switch t.l.Dialect {
	case sqltext.Postgres:
		s.Add(", %s AS clock", t.moment(s, nil))
		columns = append(slices.Clone(columns), nil)
	case sqltext.MySQL: // sqlc takes the name of a bare COALESCE for a column's
		s.Add(", TIMESTAMPADD(MICROSECOND, 0, %s) AS clock", t.moment(s, nil))
		columns = append(slices.Clone(columns), nil)
	}
	return s, columns
}

// columns are those that a write of an entry names: fields of the user's own too,
// which take their defaults.
func (t cached) columns() []*model.Field {
	c := t.c
	out := []*model.Field{
		c.Key, c.Value, c.ExpiresAt, c.HitCount, c.Format, c.Number, c.Size, c.UsedAt, c.FreshUntil, c.Token, c.Lease, c.LeasedUntil,
	}
	for _, f := range t.d.Fields {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// lasting reports whether a field is another behavior's, which keeps it as it was when
// the row was added.
func (t cached) lasting(f *model.Field) bool {
	return f.Kept && !f.Touched && !slices.Contains(t.c.Kept(), f)
}

// written is what a write puts into a column.
func (t cached) written(s *statement.Statement, f *model.Field) string {
	c := t.c
	switch f {
	case c.ExpiresAt:
		return t.after(s, protocol.ArgLife, protocol.ArgGoneAt, f)
	case c.HitCount:
		return "0"
	case c.UsedAt, c.CreatedAt:
		return t.moment(s, f)
	case c.FreshUntil:
		return t.after(s, protocol.ArgFresh, protocol.ArgStaleAt, f)
	case c.LeasedUntil:
		return t.after(s, protocol.ArgHold, protocol.ArgHeldAt, f)
	}
	for index, of := range map[int]*model.Field{
		protocol.ArgKey: c.Key, protocol.ArgValue: c.Value, protocol.ArgFormat: c.Format, protocol.ArgNumber: c.Number, protocol.ArgSize: c.Size,
		protocol.ArgToken: c.Token, protocol.ArgLease: c.Lease, protocol.ArgTags: c.Tags,
	} {
		if f == of {
			return s.Arg(index, f)
		}
	}
	return t.unsaid(s, f)
}

// unsaid is what a field holds that the cache does not know.
func (t cached) unsaid(s *statement.Statement, f *model.Field) string {
	switch {
	case f.Default == nil:
		return "NULL"
	case f.Default.Call != nil:
		panic("cache: " + f.Name + " is computed by generated code, and the cache writes rows without it")
	case f.Default.Now && f.Storage().Kind == check.Date:
		return s.Day(protocol.ArgNow)
	case f.Default.Now:
		return t.moment(s, f)
	}
	return t.l.Literal(f, f.Default.Text)
}

func (t cached) insert(s *statement.Statement, verb string) {
	var columns, values []string
	for _, f := range t.columns() {
		columns, values = append(columns, f.Name), append(values, t.written(s, f))
	}
	s.Add("%s INTO %s (%s)\nVALUES (%s)", verb, t.table(), t.l.Dialect.Columns(columns), strings.Join(values, ", "))
}

// put replaces all of an entry but what tells how it was used.
func (t cached) put(*model.Operation) []model.Query {
	s := t.l.Statement()
	var set []string
	t.insert(s, "INSERT")
	for _, f := range t.columns() {
		if f != t.c.Key && f != t.c.HitCount && f != t.c.UsedAt && !t.lasting(f) {
			set = append(set, t.name(f)+" = "+t.given(f))
		}
	}
	s.Add("%s %s", t.onConflict(), strings.Join(set, ", "))
	return statement.One(s.Query(":execrows", nil))
}

// putInPlace is put for an entry that is there and keeps its end: it names no indexed
// column, which SQLite would write although nothing of it changes.
func (t cached) putInPlace(*model.Operation) []model.Query {
	if t.l.Dialect != sqltext.SQLite {
		return nil
	}
	s := t.l.Statement()
	s.Add("UPDATE %s\nSET ", t.table())
	first := true
	for _, f := range t.columns() {
		if f == t.c.Key || f == t.c.HitCount || f == t.c.UsedAt || f == t.c.ExpiresAt || t.lasting(f) {
			continue
		}
		if !first {
			s.Add(", ")
		}
		first = false
		s.Add("%s = %s", t.name(f), t.written(s, f))
	}
	s.Add("\nWHERE %s AND %s = %s", t.byKey(s), t.name(t.c.ExpiresAt), s.Arg(protocol.ArgGoneAt, t.c.ExpiresAt))
	return statement.One(s.Query(":execrows", nil))
}

func (t cached) onConflict() string {
	if t.l.Dialect == sqltext.MySQL {
		return "\nON DUPLICATE KEY UPDATE"
	}
	return fmt.Sprintf("\nON CONFLICT (%s) DO UPDATE SET", t.name(t.c.Key))
}

// given is the value that an insert brought, where a row has the key.
func (t cached) given(f *model.Field) string {
	if t.l.Dialect == sqltext.MySQL {
		return "VALUES(" + t.name(f) + ")"
	}
	return "excluded." + t.name(f)
}

// add leaves an entry that is there as it is.
func (t cached) add(*model.Operation) []model.Query {
	s := t.l.Statement()
	insert, end := t.l.InsertNew(t.c.Key)
	t.insert(s, insert)
	s.Add("%s", end)
	return statement.One(s.Query(":execrows", nil))
}

// vacate removes what a new entry may take the place of without being asked.
func (t cached) vacate(*model.Operation) []model.Query {
	s := t.l.Statement()
	s.Add("DELETE FROM %s\nWHERE %s", t.table(), t.byKey(s))
	s.Add(" AND (%s IN ('%s', '%s')", t.name(t.c.Format), protocol.FormatLease, protocol.FormatNone)
	s.Add(" OR %s <= %s)", t.name(t.c.ExpiresAt), t.moment(s, t.c.ExpiresAt))
	return statement.One(s.Query(":execrows", nil))
}

// count adds to a counter, or makes it. The caller vacates before and looks
// after it whether the entry is a counter at all.
func (t cached) count(*model.Operation) []model.Query {
	s := t.l.Statement()
	t.insert(s, "INSERT")
	number := t.name(t.c.Number)
	s.Add("%s %s = %s.%s + %s", t.onConflict(), number, t.table(), number, t.given(t.c.Number))
	for _, f := range t.d.Fields {
		if f.Touched {
			s.Add(", %s = %s", t.name(f), t.given(f))
		}
	}
	return statement.One(s.Query(":execrows", nil))
}

func (t cached) remove(*model.Operation) []model.Query {
	s := t.l.Statement()
	s.Add("DELETE FROM %s\nWHERE %s", t.table(), t.byKey(s))
	return statement.One(s.Query(":execrows", nil))
}

func (t cached) update() *statement.Statement {
	s := t.l.Statement()
	s.Add("UPDATE %s\nSET ", t.table())
	return s
}

func (t cached) touch(*model.Operation) []model.Query {
	s := t.update()
	s.Add("%s = %s", t.name(t.c.ExpiresAt), t.after(s, protocol.ArgLife, protocol.ArgGoneAt, t.c.ExpiresAt))
	s.Add(", %s = %s", t.name(t.c.FreshUntil), t.after(s, protocol.ArgFresh, protocol.ArgStaleAt, t.c.FreshUntil))
	s.Add("\nWHERE %s AND %s <> '%s'", t.byKey(s), t.name(t.c.Format), protocol.FormatLease)
	s.Add(" AND (%s IS NULL OR %s > %s)", t.name(t.c.ExpiresAt), t.name(t.c.ExpiresAt), t.moment(s, t.c.ExpiresAt))
	return statement.One(s.Query(":execrows", nil))
}

// reseal puts the value of an entry, which stays the same, in another form.
func (t cached) reseal(*model.Operation) []model.Query {
	s := t.update()
	s.Add("%s = %s\nWHERE %s", t.name(t.c.Value), s.Arg(protocol.ArgValue, t.c.Value), t.byKey(s))
	return statement.One(s.Query(":execrows", nil))
}

// recordHits writes hits that were counted in memory.
func (t cached) recordHits(*model.Operation) []model.Query {
	s := t.update()
	hits := t.name(t.c.HitCount)
	s.Add("%s = %s + %s", hits, hits, s.Arg(protocol.ArgHits, nil))
	s.Add(", %s = %s", t.name(t.c.UsedAt), t.moment(s, t.c.UsedAt))
	s.Add("\nWHERE %s", t.byKey(s))
	return statement.One(s.Query(":execrows", nil))
}

// held sets until when a lease holds. An entry that is nothing but a lease goes
// with it.
func (t cached) held(s *statement.Statement) {
	s.Add("%s = %s", t.name(t.c.LeasedUntil), t.after(s, protocol.ArgHold, protocol.ArgHeldAt, t.c.LeasedUntil))
	s.Add(", %s = CASE WHEN %s = '%s' THEN %s ELSE %s END", t.name(t.c.ExpiresAt), t.name(t.c.Format), protocol.FormatLease,
		t.after(s, protocol.ArgHold, protocol.ArgHeldAt, t.c.ExpiresAt), t.name(t.c.ExpiresAt))
}

// take leases an entry whose last lease has ended.
func (t cached) take(*model.Operation) []model.Query {
	s := t.update()
	s.Add("%s = %s, ", t.name(t.c.Lease), s.Arg(protocol.ArgLease, t.c.Lease))
	t.held(s)
	s.Add("\nWHERE %s", t.byKey(s))
	s.Add(" AND (%s IS NULL OR %s <= %s)", t.name(t.c.LeasedUntil), t.name(t.c.LeasedUntil), t.moment(s, t.c.LeasedUntil))
	return statement.One(s.Query(":execrows", nil))
}

func (t cached) renewLease(*model.Operation) []model.Query {
	s := t.update()
	t.held(s)
	s.Add("\nWHERE %s AND %s", t.byKey(s), t.byLease(s))
	return statement.One(s.Query(":execrows", nil))
}

// releaseLease ends a lease at once. Its token stays: the tags that it brought count
// until the next one.
func (t cached) releaseLease(op *model.Operation) []model.Query {
	s := t.update()
	s.Add("%s = %s", t.name(t.c.LeasedUntil), t.moment(s, t.c.LeasedUntil))
	s.Add(", %s = CASE WHEN %s = '%s' THEN %s ELSE %s END", t.name(t.c.ExpiresAt), t.name(t.c.Format), protocol.FormatLease,
		t.moment(s, t.c.ExpiresAt), t.name(t.c.ExpiresAt))
	s.Add("\nWHERE %s AND %s", t.byKey(s), t.byLease(s))
	return statement.One(s.Query(":execrows", nil))
}

// fill writes what was loaded, unless the entry was removed, written or leased
// to another meanwhile.
func (t cached) fill(*model.Operation) []model.Query {
	s := t.update()
	c := t.c
	s.Add("%s = %s", t.name(c.Value), s.Arg(protocol.ArgValue, c.Value))
	s.Add(", %s = %s", t.name(c.ExpiresAt), t.after(s, protocol.ArgLife, protocol.ArgGoneAt, c.ExpiresAt))
	s.Add(", %s = %s", t.name(c.Format), s.Arg(protocol.ArgFormat, c.Format))
	s.Add(", %s = %s", t.name(c.Number), s.Arg(protocol.ArgNumber, c.Number))
	s.Add(", %s = %s", t.name(c.Size), s.Arg(protocol.ArgSize, c.Size))
	s.Add(", %s = %s", t.name(c.FreshUntil), t.after(s, protocol.ArgFresh, protocol.ArgStaleAt, c.FreshUntil))
	s.Add(", %s = %s", t.name(c.Token), s.Arg(protocol.ArgToken, c.Token))
	if c.CreatedAt != nil {
		s.Add(", %s = %s", t.name(c.CreatedAt), t.moment(s, c.CreatedAt))
	}
	if c.Tags != nil {
		s.Add(", %s = %s", t.name(c.Tags), s.Arg(protocol.ArgTags, c.Tags))
	}
	for _, f := range t.d.Fields {
		if f.Touched {
			s.Add(", %s = %s", t.name(f), t.moment(s, f))
		}
	}
	s.Add(", %s = 0, %s = NULL", t.name(c.Lease), t.name(c.LeasedUntil))
	s.Add("\nWHERE %s AND %s", t.byKey(s), t.byLease(s))
	return statement.One(s.Query(":execrows", nil))
}

// tag adds a tag to the entry with a key.
func (t cached) tag(*model.Operation) []model.Query {
	s := t.l.Statement()
	tag, token := s.Arg(protocol.ArgTag, nil), s.Arg(protocol.ArgToken, nil)
	if t.l.Dialect == sqltext.Postgres {
		tag, token = tag+"::text", token+"::bigint"
	}
	s.Add("INSERT INTO %s (%s, %s, %s)\nSELECT %s, id, %s FROM %s\nWHERE %s", t.tags(), t.tagField(0), t.tagField(1), t.tagField(2),
		tag, token, t.table(), t.byKey(s))
	return statement.One(s.Query(":execrows", nil))
}

// untag removes the tags of an entry that count no more: those of values before
// the last one, and of loads that failed.
func (t cached) untag(*model.Operation) []model.Query {
	s := t.l.Statement()
	of := func(column string) string {
		return fmt.Sprintf("(SELECT e.%s FROM %s AS e WHERE e.%s)", column, t.table(), t.byKey(s))
	}
	s.Add("DELETE FROM %s\nWHERE %s = %s", t.tags(), t.tagField(1), of("id"))
	s.Add("\n  AND %s <> %s", t.tagField(2), of(t.name(t.c.Token)))
	s.Add("\n  AND %s <> %s", t.tagField(2), of(t.name(t.c.Lease)))
	return statement.One(s.Query(":execrows", nil))
}

func (t cached) last(*model.Operation) []model.Query {
	s := t.l.Statement()
	s.Add("SELECT id\nFROM %s\nORDER BY id DESC\nLIMIT 1", t.table())
	return statement.One(s.Query(":one", []*model.Field{t.d.IDField()}))
}

// size reads the whole table; it is asked for seldom.
func (t cached) size(*model.Operation) []model.Query {
	whole := [...]string{sqltext.SQLite: "INTEGER", sqltext.Postgres: "bigint", sqltext.MySQL: "SIGNED"}[t.l.Dialect]
	s := t.l.Statement()
	s.Add("SELECT count(*) AS entries, CAST(COALESCE(sum(%s), 0) AS %s) AS bytes\nFROM %s", t.name(t.c.Size), whole, t.table())
	return statement.One(s.Query(":one", []*model.Field{nil, nil}))
}

func (t cached) appendChange(*model.Operation) []model.Query {
	s := t.l.Statement()
	fields := t.c.ChangeTable.Fields
	s.Add("INSERT INTO %s (%s)\nVALUES (%s, %s, %s)", t.changes(), t.l.Dialect.Columns(statement.Names(fields)),
		s.Arg(protocol.ArgOrigin, fields[0]), s.Arg(protocol.ArgHashes, fields[1]), t.moment(s, fields[2]))
	return statement.One(s.Query(":execrows", nil))
}

func (t cached) readChanges(*model.Operation) []model.Query {
	s := t.l.Statement()
	id := t.c.ChangeTable.IDField()
	s.Add("SELECT id, %s, %s\nFROM %s\nWHERE id > %s", t.changeField(0), t.changeField(1), t.changes(), s.Arg(protocol.ArgID, id))
	s.Add("\nORDER BY id\nLIMIT %s", s.Arg(protocol.ArgLimit, nil))
	return statement.One(s.Query(":many", []*model.Field{id, t.c.ChangeTable.Fields[0], t.c.ChangeTable.Fields[1]}))
}

// missingChanges reads changes by their ids.
func (t cached) missingChanges(*model.Operation) []model.Query {
	s := t.l.Statement()
	id := t.c.ChangeTable.IDField()
	s.Add("SELECT id, %s, %s\nFROM %s\nWHERE id %s", t.changeField(0), t.changeField(1), t.changes(), t.listed(s, "bigint", id))
	return statement.One(s.Query(":many", []*model.Field{id, t.c.ChangeTable.Fields[0], t.c.ChangeTable.Fields[1]}))
}

func (t cached) lastChange(*model.Operation) []model.Query {
	s := t.l.Statement()
	s.Add("SELECT id\nFROM %s\nORDER BY id DESC\nLIMIT 1", t.changes())
	return statement.One(s.Query(":one", []*model.Field{t.c.ChangeTable.IDField()}))
}

func (t cached) pruneChanges(*model.Operation) []model.Query {
	s := t.l.Statement()
	at := t.c.ChangeTable.Fields[2]
	old := func(column string) string {
		return column + " < " + t.after(s, protocol.ArgLife, protocol.ArgGoneAt, at)
	}
	if t.l.Dialect == sqltext.MySQL {
		s.Add("DELETE FROM %s\nWHERE %s\nORDER BY id\nLIMIT %s", t.changes(), old(t.l.Quote(at.Name)), s.Arg(protocol.ArgLimit, nil))
		return statement.One(s.Query(":execrows", nil))
	}
	s.Add("DELETE FROM %s\nWHERE id IN (SELECT g.id FROM %s AS g WHERE %s ORDER BY g.id LIMIT %s)",
		t.changes(), t.changes(), old("g."+t.l.Quote(at.Name)), s.Arg(protocol.ArgLimit, nil))
	return statement.One(s.Query(":execrows", nil))
}

package dialect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// The arguments that the runtime passes to the statements of a cache, by index;
// a statement uses those that its placeholders name. A database with a clock of
// its own takes spans, and a moment only from a test's clock; SQLite, which has
// none, takes instants. Package runtime/cache has the same list.
const (
	cacheKey    = iota // an entry's key
	cacheID            // of an entry or of a change
	cacheValue         // encoded
	cacheFormat        // how
	cacheNumber        // of a counter
	cacheSize          // bytes of key and value
	cacheTags          // for people
	cacheToken         // of the write
	cacheLease         // of a load; 0: none
	cacheNow           // the moment of the call, or null: the database's
	cacheLife          // microseconds until the entry is gone; null: never
	cacheFresh         // until it is stale; null: not before it is gone
	cacheHold          // until a lease ends; null: there is none
	cacheGoneAt        // these three as instants
	cacheStaleAt
	cacheHeldAt
	cacheTag    // one tag
	cacheFrom   // of a range: the first
	cacheTo     // and the first behind it
	cacheLimit  // rows at most
	cacheKeys   // of many entries
	cacheHits   // to be added
	cacheOrigin // the process that writes
	cacheHashes // of keys
)

// Formats of entries that hold no value; package runtime/cache has them too.
const formatLease, formatNone, formatInt = "lease", "none", "int"

// cached lowers the operations of one cache.
type cached struct {
	l *lowering
	d *model.Datatype
	c *model.CacheSection
}

func (t cached) operation(op *model.Operation) []model.Query {
	lower := map[model.OpKind]func(*model.Operation) []model.Query{
		model.OpCacheGet:        t.find,
		model.OpCacheGetMany:    t.findMany,
		model.OpCachePut:        t.put,
		model.OpCacheRenew:      t.renew,
		model.OpCacheAdd:        t.add,
		model.OpCacheVacate:     t.vacate,
		model.OpCacheCount:      t.count,
		model.OpCacheRemove:     t.remove,
		model.OpCacheTouch:      t.touch,
		model.OpCacheReseal:     t.reseal,
		model.OpCacheUse:        t.use,
		model.OpCacheTake:       t.take,
		model.OpCacheBeat:       t.beat,
		model.OpCacheFill:       t.fill,
		model.OpCacheYield:      t.yield,
		model.OpCacheTag:        t.tag,
		model.OpCacheUntag:      t.untag,
		model.OpCacheDropTag:    t.dropTag,
		model.OpCacheDropTags:   t.dropTags,
		model.OpCacheDropKeys:   t.dropKeys,
		model.OpCacheDropOld:    t.dropOld,
		model.OpCacheDropUnused: t.dropUnused,
		model.OpCacheDropAll:    t.dropAll,
		model.OpCacheDrop:       t.drop,
		model.OpCacheLast:       t.last,
		model.OpCacheSize:       t.size,
		model.OpCacheTell:       t.tell,
		model.OpCacheHear:       t.hear,
		model.OpCacheMissing:    t.missing,
		model.OpCacheHeard:      t.heard,
		model.OpCacheHush:       t.hush,
	}[op.Kind]
	if lower == nil {
		panic(fmt.Sprintf("dialect: operation %q is not in the closed set", op.Kind))
	}
	return lower(op)
}

func (t cached) table() string              { return t.l.q(t.d.Name) }
func (t cached) name(f *model.Field) string { return t.l.q(f.Name) }
func (t cached) tags() string               { return t.l.q(t.c.TagTable.Name) }
func (t cached) changes() string            { return t.l.q(t.c.ChangeTable.Name) }
func (t cached) tagField(i int) string      { return t.l.q(t.c.TagTable.Fields[i].Name) }
func (t cached) changeField(i int) string   { return t.l.q(t.c.ChangeTable.Fields[i].Name) }
func (t cached) byKey(s *statement) string  { return t.name(t.c.Key) + " = " + s.arg(cacheKey, t.c.Key) }

func (t cached) byLease(s *statement) string {
	return t.name(t.c.Lease) + " = " + s.arg(cacheLease, t.c.Lease)
}

func (t cached) moment(s *statement, f *model.Field) string { return s.moment(cacheNow, f) }

func (t cached) after(s *statement, span, instant int, f *model.Field) string {
	return s.after(cacheNow, span, instant, f)
}

// found are the columns of an entry that a reader needs.
func (t cached) found() []*model.Field {
	return []*model.Field{t.d.IDField(), t.c.Value, t.c.Format, t.c.Number, t.c.ExpiresAt, t.c.FreshUntil}
}

// find reads an entry, and, where the database has a clock, what that says.
func (t cached) find(*model.Operation) []model.Query {
	s, columns := t.read(t.found())
	s.add("\nFROM %s\nWHERE %s", t.table(), t.byKey(s))
	return one(s.query(":one", columns))
}

// findMany reads several entries. MySQL takes no list: the runtime widens its
// one placeholder.
func (t cached) findMany(*model.Operation) []model.Query {
	s, columns := t.read(append([]*model.Field{t.c.Key}, t.found()...))
	s.add("\nFROM %s\nWHERE %s ", t.table(), t.name(t.c.Key))
	switch t.l.d {
	case sqltext.SQLite:
		s.add("IN (SELECT value FROM json_each(%s))", s.arg(cacheKeys, nil))
	case sqltext.Postgres:
		s.add("= ANY(%s::text[])", s.arg(cacheKeys, nil))
	case sqltext.MySQL:
		s.add("IN (%s)", s.arg(cacheKeys, t.c.Key))
	}
	return one(s.query(":many", columns))
}

func (t cached) read(columns []*model.Field) (*statement, []*model.Field) {
	s := t.l.statement()
	s.add("SELECT %s", t.l.d.Columns(names(columns)))
	switch t.l.d {
	case sqltext.Postgres:
		s.add(", %s AS clock", t.moment(s, nil))
		columns = append(slices.Clone(columns), nil)
	case sqltext.MySQL: // sqlc takes the name of a bare COALESCE for a column's
		s.add(", TIMESTAMPADD(MICROSECOND, 0, %s) AS clock", t.moment(s, nil))
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

// written is what a write puts into a column.
func (t cached) written(s *statement, f *model.Field) string {
	c := t.c
	switch f {
	case c.ExpiresAt:
		return t.after(s, cacheLife, cacheGoneAt, f)
	case c.HitCount:
		return "0"
	case c.UsedAt, c.CreatedAt:
		return t.moment(s, f)
	case c.FreshUntil:
		return t.after(s, cacheFresh, cacheStaleAt, f)
	case c.LeasedUntil:
		return t.after(s, cacheHold, cacheHeldAt, f)
	}
	for index, of := range map[int]*model.Field{
		cacheKey: c.Key, cacheValue: c.Value, cacheFormat: c.Format, cacheNumber: c.Number, cacheSize: c.Size,
		cacheToken: c.Token, cacheLease: c.Lease, cacheTags: c.Tags,
	} {
		if f == of {
			return s.arg(index, f)
		}
	}
	return t.unsaid(s, f)
}

// unsaid is what a field holds that the cache does not know.
func (t cached) unsaid(s *statement, f *model.Field) string {
	switch {
	case f.Default == nil:
		return "NULL"
	case f.Default.Now:
		return t.moment(s, f)
	}
	return t.l.literal(f, f.Default.Text)
}

func (t cached) insert(s *statement, verb string) {
	var columns, values []string
	for _, f := range t.columns() {
		columns, values = append(columns, f.Name), append(values, t.written(s, f))
	}
	s.add("%s INTO %s (%s)\nVALUES (%s)", verb, t.table(), t.l.d.Columns(columns), strings.Join(values, ", "))
}

// put replaces all of an entry but what tells how it was used.
func (t cached) put(*model.Operation) []model.Query {
	s := t.l.statement()
	var set []string
	t.insert(s, "INSERT")
	for _, f := range t.columns() {
		if f != t.c.Key && f != t.c.HitCount && f != t.c.UsedAt {
			set = append(set, t.name(f)+" = "+t.given(f))
		}
	}
	s.add("%s %s", t.onConflict(), strings.Join(set, ", "))
	return one(s.query(":execrows", nil))
}

// renew is put for an entry that is there and keeps its end: it names no indexed
// column, which SQLite would write although nothing of it changes.
func (t cached) renew(*model.Operation) []model.Query {
	if t.l.d != sqltext.SQLite {
		return nil
	}
	s := t.l.statement()
	s.add("UPDATE %s\nSET ", t.table())
	first := true
	for _, f := range t.columns() {
		if f == t.c.Key || f == t.c.HitCount || f == t.c.UsedAt || f == t.c.ExpiresAt {
			continue
		}
		if !first {
			s.add(", ")
		}
		first = false
		s.add("%s = %s", t.name(f), t.written(s, f))
	}
	s.add("\nWHERE %s AND %s = %s", t.byKey(s), t.name(t.c.ExpiresAt), s.arg(cacheGoneAt, t.c.ExpiresAt))
	return one(s.query(":execrows", nil))
}

func (t cached) onConflict() string {
	if t.l.d == sqltext.MySQL {
		return "\nON DUPLICATE KEY UPDATE"
	}
	return fmt.Sprintf("\nON CONFLICT (%s) DO UPDATE SET", t.name(t.c.Key))
}

// given is the value that an insert brought, where a row has the key.
func (t cached) given(f *model.Field) string {
	if t.l.d == sqltext.MySQL {
		return "VALUES(" + t.name(f) + ")"
	}
	return "excluded." + t.name(f)
}

// add leaves an entry that is there as it is.
func (t cached) add(*model.Operation) []model.Query {
	s := t.l.statement()
	if t.l.d == sqltext.MySQL {
		t.insert(s, "INSERT IGNORE")
	} else {
		t.insert(s, "INSERT")
		s.add("\nON CONFLICT (%s) DO NOTHING", t.name(t.c.Key))
	}
	return one(s.query(":execrows", nil))
}

// vacate removes what a new entry may take the place of without being asked.
func (t cached) vacate(*model.Operation) []model.Query {
	s := t.l.statement()
	s.add("DELETE FROM %s\nWHERE %s", t.table(), t.byKey(s))
	s.add(" AND (%s IN ('%s', '%s')", t.name(t.c.Format), formatLease, formatNone)
	s.add(" OR %s <= %s)", t.name(t.c.ExpiresAt), t.moment(s, t.c.ExpiresAt))
	return one(s.query(":execrows", nil))
}

// count adds to a counter, or makes it. The caller vacates before and looks
// after it whether the entry is a counter at all.
func (t cached) count(*model.Operation) []model.Query {
	s := t.l.statement()
	t.insert(s, "INSERT")
	number := t.name(t.c.Number)
	s.add("%s %s = %s.%s + %s", t.onConflict(), number, t.table(), number, t.given(t.c.Number))
	return one(s.query(":execrows", nil))
}

func (t cached) remove(*model.Operation) []model.Query {
	s := t.l.statement()
	s.add("DELETE FROM %s\nWHERE %s", t.table(), t.byKey(s))
	return one(s.query(":execrows", nil))
}

func (t cached) update() *statement {
	s := t.l.statement()
	s.add("UPDATE %s\nSET ", t.table())
	return s
}

func (t cached) touch(*model.Operation) []model.Query {
	s := t.update()
	s.add("%s = %s", t.name(t.c.ExpiresAt), t.after(s, cacheLife, cacheGoneAt, t.c.ExpiresAt))
	s.add(", %s = %s", t.name(t.c.FreshUntil), t.after(s, cacheFresh, cacheStaleAt, t.c.FreshUntil))
	s.add("\nWHERE %s AND %s <> '%s'", t.byKey(s), t.name(t.c.Format), formatLease)
	s.add(" AND (%s IS NULL OR %s > %s)", t.name(t.c.ExpiresAt), t.name(t.c.ExpiresAt), t.moment(s, t.c.ExpiresAt))
	return one(s.query(":execrows", nil))
}

// reseal puts the value of an entry, which stays the same, in another form.
func (t cached) reseal(*model.Operation) []model.Query {
	s := t.update()
	s.add("%s = %s\nWHERE %s", t.name(t.c.Value), s.arg(cacheValue, t.c.Value), t.byKey(s))
	return one(s.query(":execrows", nil))
}

// use writes hits that were counted in memory.
func (t cached) use(*model.Operation) []model.Query {
	s := t.update()
	hits := t.name(t.c.HitCount)
	s.add("%s = %s + %s", hits, hits, s.arg(cacheHits, nil))
	s.add(", %s = %s", t.name(t.c.UsedAt), t.moment(s, t.c.UsedAt))
	s.add("\nWHERE %s", t.byKey(s))
	return one(s.query(":execrows", nil))
}

// held sets until when a lease holds. An entry that is nothing but a lease goes
// with it.
func (t cached) held(s *statement) {
	s.add("%s = %s", t.name(t.c.LeasedUntil), t.after(s, cacheHold, cacheHeldAt, t.c.LeasedUntil))
	s.add(", %s = CASE WHEN %s = '%s' THEN %s ELSE %s END", t.name(t.c.ExpiresAt), t.name(t.c.Format), formatLease,
		t.after(s, cacheHold, cacheHeldAt, t.c.ExpiresAt), t.name(t.c.ExpiresAt))
}

// take leases an entry whose last lease is over.
func (t cached) take(*model.Operation) []model.Query {
	s := t.update()
	s.add("%s = %s, ", t.name(t.c.Lease), s.arg(cacheLease, t.c.Lease))
	t.held(s)
	s.add("\nWHERE %s", t.byKey(s))
	s.add(" AND (%s IS NULL OR %s <= %s)", t.name(t.c.LeasedUntil), t.name(t.c.LeasedUntil), t.moment(s, t.c.LeasedUntil))
	return one(s.query(":execrows", nil))
}

func (t cached) beat(*model.Operation) []model.Query {
	s := t.update()
	t.held(s)
	s.add("\nWHERE %s AND %s", t.byKey(s), t.byLease(s))
	return one(s.query(":execrows", nil))
}

// yield ends a lease at once. Its token stays: the tags that it brought count
// until the next one.
func (t cached) yield(op *model.Operation) []model.Query {
	s := t.update()
	s.add("%s = %s", t.name(t.c.LeasedUntil), t.moment(s, t.c.LeasedUntil))
	s.add(", %s = CASE WHEN %s = '%s' THEN %s ELSE %s END", t.name(t.c.ExpiresAt), t.name(t.c.Format), formatLease,
		t.moment(s, t.c.ExpiresAt), t.name(t.c.ExpiresAt))
	s.add("\nWHERE %s AND %s", t.byKey(s), t.byLease(s))
	return one(s.query(":execrows", nil))
}

// fill writes what was loaded, unless the entry was removed, written or leased
// to another meanwhile.
func (t cached) fill(*model.Operation) []model.Query {
	s := t.update()
	c := t.c
	s.add("%s = %s", t.name(c.Value), s.arg(cacheValue, c.Value))
	s.add(", %s = %s", t.name(c.ExpiresAt), t.after(s, cacheLife, cacheGoneAt, c.ExpiresAt))
	s.add(", %s = %s", t.name(c.Format), s.arg(cacheFormat, c.Format))
	s.add(", %s = %s", t.name(c.Number), s.arg(cacheNumber, c.Number))
	s.add(", %s = %s", t.name(c.Size), s.arg(cacheSize, c.Size))
	s.add(", %s = %s", t.name(c.FreshUntil), t.after(s, cacheFresh, cacheStaleAt, c.FreshUntil))
	s.add(", %s = %s", t.name(c.Token), s.arg(cacheToken, c.Token))
	if c.CreatedAt != nil {
		s.add(", %s = %s", t.name(c.CreatedAt), t.moment(s, c.CreatedAt))
	}
	if c.Tags != nil {
		s.add(", %s = %s", t.name(c.Tags), s.arg(cacheTags, c.Tags))
	}
	s.add(", %s = 0, %s = NULL", t.name(c.Lease), t.name(c.LeasedUntil))
	s.add("\nWHERE %s AND %s", t.byKey(s), t.byLease(s))
	return one(s.query(":execrows", nil))
}

// tag gives the entry with a key a tag.
func (t cached) tag(*model.Operation) []model.Query {
	s := t.l.statement()
	tag, token := s.arg(cacheTag, nil), s.arg(cacheToken, nil)
	if t.l.d == sqltext.Postgres {
		tag, token = tag+"::text", token+"::bigint"
	}
	s.add("INSERT INTO %s (%s, %s, %s)\nSELECT %s, id, %s FROM %s\nWHERE %s", t.tags(), t.tagField(0), t.tagField(1), t.tagField(2),
		tag, token, t.table(), t.byKey(s))
	return one(s.query(":execrows", nil))
}

// untag removes the tags of an entry that count no more: those of values before
// the last one, and of loads that failed.
func (t cached) untag(*model.Operation) []model.Query {
	s := t.l.statement()
	of := func(column string) string {
		return fmt.Sprintf("(SELECT e.%s FROM %s AS e WHERE e.%s)", column, t.table(), t.byKey(s))
	}
	s.add("DELETE FROM %s\nWHERE %s = %s", t.tags(), t.tagField(1), of("id"))
	s.add("\n  AND %s <> %s", t.tagField(2), of(t.name(t.c.Token)))
	s.add("\n  AND %s <> %s", t.tagField(2), of(t.name(t.c.Lease)))
	return one(s.query(":execrows", nil))
}

func (t cached) last(*model.Operation) []model.Query {
	s := t.l.statement()
	s.add("SELECT id\nFROM %s\nORDER BY id DESC\nLIMIT 1", t.table())
	return one(s.query(":one", []*model.Field{t.d.IDField()}))
}

// size reads the whole table; it is asked for seldom.
func (t cached) size(*model.Operation) []model.Query {
	whole := [...]string{sqltext.SQLite: "INTEGER", sqltext.Postgres: "bigint", sqltext.MySQL: "SIGNED"}[t.l.d]
	s := t.l.statement()
	s.add("SELECT count(*) AS entries, CAST(COALESCE(sum(%s), 0) AS %s) AS bytes\nFROM %s", t.name(t.c.Size), whole, t.table())
	return one(s.query(":one", []*model.Field{nil, nil}))
}

func (t cached) tell(*model.Operation) []model.Query {
	s := t.l.statement()
	fields := t.c.ChangeTable.Fields
	s.add("INSERT INTO %s (%s)\nVALUES (%s, %s, %s)", t.changes(), t.l.d.Columns(names(fields)),
		s.arg(cacheOrigin, fields[0]), s.arg(cacheHashes, fields[1]), t.moment(s, fields[2]))
	return one(s.query(":execrows", nil))
}

func (t cached) hear(*model.Operation) []model.Query {
	s := t.l.statement()
	id := t.c.ChangeTable.IDField()
	s.add("SELECT id, %s, %s\nFROM %s\nWHERE id > %s", t.changeField(0), t.changeField(1), t.changes(), s.arg(cacheID, id))
	s.add("\nORDER BY id\nLIMIT %s", s.arg(cacheLimit, nil))
	return one(s.query(":many", []*model.Field{id, t.c.ChangeTable.Fields[0], t.c.ChangeTable.Fields[1]}))
}

// missing reads changes by their ids. MySQL takes no list: the runtime widens its
// one placeholder.
func (t cached) missing(*model.Operation) []model.Query {
	s := t.l.statement()
	id := t.c.ChangeTable.IDField()
	s.add("SELECT id, %s, %s\nFROM %s\nWHERE id ", t.changeField(0), t.changeField(1), t.changes())
	switch t.l.d {
	case sqltext.SQLite:
		s.add("IN (SELECT value FROM json_each(%s))", s.arg(cacheKeys, nil))
	case sqltext.Postgres:
		s.add("= ANY(%s::bigint[])", s.arg(cacheKeys, nil))
	case sqltext.MySQL:
		s.add("IN (%s)", s.arg(cacheKeys, id))
	}
	return one(s.query(":many", []*model.Field{id, t.c.ChangeTable.Fields[0], t.c.ChangeTable.Fields[1]}))
}

func (t cached) heard(*model.Operation) []model.Query {
	s := t.l.statement()
	s.add("SELECT id\nFROM %s\nORDER BY id DESC\nLIMIT 1", t.changes())
	return one(s.query(":one", []*model.Field{t.c.ChangeTable.IDField()}))
}

func (t cached) hush(*model.Operation) []model.Query {
	s := t.l.statement()
	at := t.c.ChangeTable.Fields[2]
	old := func(column string) string { return column + " < " + t.after(s, cacheLife, cacheGoneAt, at) }
	if t.l.d == sqltext.MySQL {
		s.add("DELETE FROM %s\nWHERE %s\nORDER BY id\nLIMIT %s", t.changes(), old(t.l.q(at.Name)), s.arg(cacheLimit, nil))
		return one(s.query(":execrows", nil))
	}
	s.add("DELETE FROM %s\nWHERE id IN (SELECT g.id FROM %s AS g WHERE %s ORDER BY g.id LIMIT %s)",
		t.changes(), t.changes(), old("g."+t.l.q(at.Name)), s.arg(cacheLimit, nil))
	return one(s.query(":execrows", nil))
}

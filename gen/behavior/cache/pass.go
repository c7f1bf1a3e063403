package cache

import (
	"slices"
	"strconv"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Tables adds to each cache the two tables beside it: its entries' tags, and what
// other processes must forget.
func (Behavior) Tables(p *model.Project) {
	for _, d := range slices.Clone(p.Datatypes) {
		if c := Of(d); c != nil {
			c.TagTable, c.ChangeTable = tagTable(d), changeTable(d)
			behavior.AddDatatype(p, c.TagTable, d)
			behavior.AddDatatype(p, c.ChangeTable, d)
		}
	}
}

func beside(d *model.Datatype, suffix, label, description string) *model.Datatype {
	name := d.Name + suffix
	return &model.Datatype{
		Name: name, Label: d.Label + " " + label, Description: description, ID: model.IDInteger,
		GoRow: goname.Row(name), GoAccessor: goname.Exported(name),
	}
}

// maxTag is the longest tag that is kept as it is, in characters.
const maxTag = 255

func tagTable(d *model.Datatype) *model.Datatype {
	t := beside(d, "_tags", "Tags", "A tag of an entry of "+d.Name+". The cache keeps it.")
	tag := behavior.Line("tag", "Tag", maxTag)
	entry := &model.Field{
		Name: "entry_id", GoName: "EntryID", Type: "reference", Label: "Entry", Required: true, NotNull: true,
		Rules: check.Rules{Kind: check.Int}, Reference: &model.Reference{To: d.Name, OnDelete: "cascade"}, References: d,
	}
	token := behavior.Number("token", "Token", "0")
	token.Help = "of the write that gave it; counts while the entry has the same"
	t.Fields = []*model.Field{tag, entry, token}
	t.Indexes = []*model.Index{{Name: model.ShortName(t.Name + "_tag_idx"), Columns: []model.IndexColumn{{Field: tag}, {Field: entry}}}}
	return t
}

func changeTable(d *model.Datatype) *model.Datatype {
	t := beside(d, "_changes", "Changes", "What processes that keep entries of "+d.Name+" in memory must forget. The cache keeps it.")
	origin := behavior.Number("origin", "Origin", "0")
	origin.Help = "the process that wrote it"
	hashes := &model.Field{
		Name: "hashes", GoName: "Hashes", Type: "bytes", Label: "Hashes", NotNull: true,
		Help: "of the keys, 8 bytes each; empty means every key", Rules: check.Rules{Kind: check.Bytes, Max: check.AtInt(1 << 20)},
		Default: &model.Default{},
	}
	at := behavior.Moment("created_at", "Created at")
	t.Fields = []*model.Field{origin, hashes, at}
	t.Indexes = []*model.Index{{Name: model.ShortName(t.Name + "_created_at_idx"), Columns: []model.IndexColumn{{Field: at}}}}
	return t
}

// Apply makes a datatype a cache. What the section does not name and a cache needs
// is added under the prefix cache_.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	c := Of(d)
	add := func(f *model.Field, help string) *model.Field {
		f.Help, f.Kept = help, true
		return behavior.AddField(d, f)
	}
	if c.ExpiresAt == nil {
		c.ExpiresAt = add(behavior.Instant("cache_expires_at", "Expires at"), "empty means never")
	}
	if c.HitCount == nil {
		c.HitCount = add(behavior.Number("cache_hits", "Hits", "0"), "uses, as far as they were flushed")
	}
	c.Format = add(behavior.Line("cache_format", "Format", 100), "how the value is encoded; lease: it is being made, none: there is nothing")
	c.Number = add(behavior.Number("cache_number", "Number", "0"), "the value, where the format is int")
	c.Size = add(behavior.Number("cache_size", "Size", "0"), "bytes of key and value")
	c.UsedAt = add(behavior.Moment("cache_used_at", "Used at"), "last use, as far as it was flushed")
	c.FreshUntil = add(behavior.Instant("cache_fresh_until", "Fresh until"), "from then on the value is stale; empty: as long as the entry lives")
	c.Token = add(behavior.Number("cache_token", "Token", "0"), "of the write that made the value")
	c.Lease = add(behavior.Number("cache_lease", "Lease", "0"), "of the load that makes the next value; 0: none")
	c.LeasedUntil = add(behavior.Instant("cache_leased_until", "Leased until"), "from then on another may load")
	if !behavior.Leads(d, c.ExpiresAt) {
		behavior.AddIndex(d, cacheIndex(d, c.ExpiresAt))
	}
	if c.MaxEntries > 0 || c.MaxBytes > 0 {
		behavior.AddIndex(d, cacheIndex(d, c.UsedAt))
	}
	d.Effects = append(d.Effects, ownRows(d, c, model.Creates|model.Updates, "ForgetWritten"), ownRows(d, c, model.Deletes, "ForgetDeleted"))
	for _, s := range c.DependsOn {
		s.Datatype.Effects = append(s.Datatype.Effects, forgets(d, s.Datatype))
	}
	for _, op := range cacheOperations {
		d.Operations = append(d.Operations, &model.Operation{Name: op.verb + d.GoRow, Kind: op.kind, Behavior: Name})
	}
	d.Names = append(d.Names,
		model.Name{
			Space: model.Members(d.GoRow + "Table"), Text: "CacheBackend", What: "the method of every cache",
			Pos: d.Pos, Owner: d, Added: true,
		},
		model.Name{
			Space: model.SpaceGo, Text: goname.Unexported(d.GoRow) + "Cache", What: "the code of the cache " + d.Name,
			Pos: d.GoPos, Owner: d, Hint: "give it another go_name",
		})
	return nil
}

// ownRows has memories forget entries whose rows the methods of the table write.
func ownRows(d *model.Datatype, c *Section, on model.Writes, function string) model.Effect {
	name := goname.Unexported(d.GoRow)
	return model.Effect{On: on, Rows: on&model.Deletes == 0, Run: &model.Call{
		Package: tablePath, Func: function, Args: []string{"&" + name + "Cache", "&" + name + "Spec", strconv.Quote(c.Key.Name)},
	}, Missed: "It writes entries of the cache " + d.Name + ", and memories go on to hold what they were."}
}

// forgets removes, with each write of a row, what the cache holds of it.
func forgets(cache, source *model.Datatype) model.Effect {
	return model.Effect{On: model.AllWrites, Run: &model.Call{
		Package: tablePath, Func: "Forgets",
		Args: []string{strconv.Quote(source.Name), "&" + goname.Unexported(cache.GoRow) + "Cache"},
	}, Missed: "It writes what " + cache.Name + " depends on, and removes none of its entries."}
}

func cacheIndex(d *model.Datatype, f *model.Field) *model.Index {
	return &model.Index{
		Name:    model.ShortName(d.Name + "_" + f.Name + "_idx"),
		Columns: []model.IndexColumn{{Field: f}},
	}
}

var cacheOperations = []struct {
	verb string
	kind model.OpKind
}{
	{"Find", OpCacheGet},
	{"FindMany", OpCacheGetMany},
	{"Put", OpCachePut},
	{"PutInPlace", OpCachePutInPlace},
	{"Add", OpCacheAdd},
	{"Vacate", OpCacheVacate},
	{"Count", OpCacheCount},
	{"Remove", OpCacheRemove},
	{"Touch", OpCacheTouch},
	{"Reseal", OpCacheReseal},
	{"RecordHits", OpCacheRecordHits},
	{"Take", OpCacheTake},
	{"RenewLease", OpCacheRenewLease},
	{"Fill", OpCacheFill},
	{"ReleaseLease", OpCacheReleaseLease},
	{"Tag", OpCacheTag},
	{"Untag", OpCacheUntag},
	{"DropTag", OpCacheDropTag},
	{"DropTags", OpCacheDropTags},
	{"DropKeys", OpCacheDropKeys},
	{"DropOld", OpCacheDropOld},
	{"DropUnused", OpCacheDropUnused},
	{"DropAll", OpCacheDropAll},
	{"Drop", OpCacheDrop},
	{"HasTag", OpCacheHasTag},
	{"HasTags", OpCacheHasTags},
	{"HasKeys", OpCacheHasKeys},
	{"Last", OpCacheLast},
	{"Size", OpCacheSize},
	{"AppendChange", OpCacheAppendChange},
	{"ReadChanges", OpCacheReadChanges},
	{"MissingChanges", OpCacheMissingChanges},
	{"LastChange", OpCacheLastChange},
	{"PruneChanges", OpCachePruneChanges},
}

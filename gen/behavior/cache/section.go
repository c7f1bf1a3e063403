package cache

import (
	"slices"
	"time"

	"github.com/hegner123/modulagen/gen/model"
)

// Of returns the cache of a datatype, or nil.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// Section is `cache:` as written. The fields from Format on and the two
// tables are what the cache pass adds.
type Section struct {
	Pos       model.Pos
	Key       *model.Field // text, unique
	Value     *model.Field // bytes or json
	ExpiresAt *model.Field // datetime; nil: added
	HitCount  *model.Field // number; nil: added
	CreatedAt *model.Field // datetime; may be nil
	Tags      *model.Field // text for people; may be nil

	MaxEntries int64         // 0: no bound
	MaxBytes   int64         // of keys and values; 0: no bound
	MaxAge     time.Duration // no entry lives longer; 0: no bound
	DependsOn  []Source

	Format      *model.Field // how the value is encoded
	Number      *model.Field // the value of a counter
	Size        *model.Field // bytes of key and value
	UsedAt      *model.Field // last use, as far as it was flushed
	FreshUntil  *model.Field // null: as long as the entry lives
	Token       *model.Field // of the write that made the value; tags of others do not count
	Lease       *model.Field // token of the load that runs; 0: none
	LeasedUntil *model.Field

	TagTable    *model.Datatype // which entries have which tags
	ChangeTable *model.Datatype // what other processes must forget
}

// Kept are the fields of an entry that the cache keeps itself.
func (c *Section) Kept() []*model.Field {
	all := []*model.Field{
		c.Key, c.Value, c.ExpiresAt, c.HitCount, c.CreatedAt, c.Tags,
		c.Format, c.Number, c.Size, c.UsedAt, c.FreshUntil, c.Token, c.Lease, c.LeasedUntil,
	}
	return slices.DeleteFunc(all, func(f *model.Field) bool { return f == nil })
}

// Source is a datatype that entries of a cache are made of.
type Source struct {
	Pos      model.Pos
	Name     string
	Datatype *model.Datatype // set by load
}

// Operations of a cache. Those that remove a bounded number of entries give the
// keys; MySQL finds and locks them first.
const (
	OpCacheGet            model.OpKind = "cache_get"             // an entry by its key
	OpCacheGetMany        model.OpKind = "cache_get_many"        // entries by their keys
	OpCachePut            model.OpKind = "cache_put"             // add or replace an entry
	OpCachePutInPlace     model.OpKind = "cache_put_in_place"    // replace the value of an entry that keeps its end
	OpCacheAdd            model.OpKind = "cache_add"             // add an entry unless there is one
	OpCacheVacate         model.OpKind = "cache_vacate"          // remove an entry that has expired or holds nothing
	OpCacheCount          model.OpKind = "cache_count"           // add to a counter
	OpCacheRemove         model.OpKind = "cache_remove"          // an entry by its key
	OpCacheTouch          model.OpKind = "cache_touch"           // let an entry expire at another time
	OpCacheReseal         model.OpKind = "cache_reseal"          // put the same value in another form
	OpCacheRecordHits     model.OpKind = "cache_record_hits"     // write hits and last use
	OpCacheTake           model.OpKind = "cache_take"            // lease an entry that is there
	OpCacheRenewLease     model.OpKind = "cache_renew_lease"     // renew a lease
	OpCacheFill           model.OpKind = "cache_fill"            // write the value that was loaded under a lease
	OpCacheReleaseLease   model.OpKind = "cache_release_lease"   // release a lease
	OpCacheTag            model.OpKind = "cache_tag"             // add a tag to an entry
	OpCacheUntag          model.OpKind = "cache_untag"           // remove the tags of earlier values
	OpCacheDropTag        model.OpKind = "cache_drop_tag"        // remove entries with a tag
	OpCacheDropTags       model.OpKind = "cache_drop_tags"       // remove entries with tags in a range
	OpCacheDropKeys       model.OpKind = "cache_drop_keys"       // remove entries with keys in a range
	OpCacheDropOld        model.OpKind = "cache_drop_old"        // remove entries that have expired
	OpCacheDropUnused     model.OpKind = "cache_drop_unused"     // remove the entries that were used least recently
	OpCacheDropAll        model.OpKind = "cache_drop_all"        // remove the first entries up to an id
	OpCacheDrop           model.OpKind = "cache_drop"            // MySQL: remove what was found
	OpCacheHasTag         model.OpKind = "cache_has_tag"         // PostgreSQL, MySQL: whether an entry has a tag
	OpCacheHasTags        model.OpKind = "cache_has_tags"        // PostgreSQL, MySQL: whether one has a tag in a range
	OpCacheHasKeys        model.OpKind = "cache_has_keys"        // PostgreSQL, MySQL: whether one has its key in a range
	OpCacheLast           model.OpKind = "cache_last"            // the greatest id
	OpCacheSize           model.OpKind = "cache_size"            // number and bytes of all entries
	OpCacheAppendChange   model.OpKind = "cache_append_change"   // append a change, which other processes read
	OpCacheReadChanges    model.OpKind = "cache_read_changes"    // read the changes of other processes
	OpCacheMissingChanges model.OpKind = "cache_missing_changes" // read changes that committed late, by their ids
	OpCacheLastChange     model.OpKind = "cache_last_change"     // the last change
	OpCachePruneChanges   model.OpKind = "cache_prune_changes"   // delete changes that every process has read
)

package model

import (
	"slices"
	"time"
)

// CacheSection is `cache:` as written. The fields from Format on and the two
// tables are what the cache pass adds.
type CacheSection struct {
	Pos       Pos
	Key       *Field // text, unique
	Value     *Field // bytes or json
	ExpiresAt *Field // datetime; nil: added
	HitCount  *Field // number; nil: added
	CreatedAt *Field // datetime; may be nil
	Tags      *Field // text for people; may be nil

	MaxEntries int64         // 0: no bound
	MaxBytes   int64         // of keys and values; 0: no bound
	MaxAge     time.Duration // no entry lives longer; 0: no bound
	DependsOn  []CacheSource

	Format      *Field // how the value is encoded
	Number      *Field // the value of a counter
	Size        *Field // bytes of key and value
	UsedAt      *Field // last use, as far as it was flushed
	FreshUntil  *Field // null: as long as the entry lives
	Token       *Field // of the write that made the value; tags of others do not count
	Lease       *Field // token of the load that runs; 0: none
	LeasedUntil *Field

	TagTable    *Datatype // which entries have which tags
	ChangeTable *Datatype // what other processes must forget
}

// Kept are the fields of an entry that the cache keeps itself.
func (c *CacheSection) Kept() []*Field {
	all := []*Field{
		c.Key, c.Value, c.ExpiresAt, c.HitCount, c.CreatedAt, c.Tags,
		c.Format, c.Number, c.Size, c.UsedAt, c.FreshUntil, c.Token, c.Lease, c.LeasedUntil,
	}
	return slices.DeleteFunc(all, func(f *Field) bool { return f == nil })
}

// CacheSource is a datatype that entries of a cache are made of.
type CacheSource struct {
	Pos      Pos
	Name     string
	Datatype *Datatype // set by load
}

// Operations of a cache. Those that remove a bounded number of entries give the
// keys; MySQL finds and locks them first.
const (
	OpCacheGet        OpKind = "cache_get"         // an entry by its key
	OpCacheGetMany    OpKind = "cache_get_many"    // entries by their keys
	OpCachePut        OpKind = "cache_put"         // add or replace an entry
	OpCacheRenew      OpKind = "cache_renew"       // replace the value of an entry that keeps its end
	OpCacheAdd        OpKind = "cache_add"         // add an entry unless there is one
	OpCacheVacate     OpKind = "cache_vacate"      // remove an entry that has expired or holds nothing
	OpCacheCount      OpKind = "cache_count"       // add to a counter
	OpCacheRemove     OpKind = "cache_remove"      // an entry by its key
	OpCacheTouch      OpKind = "cache_touch"       // let an entry expire at another time
	OpCacheReseal     OpKind = "cache_reseal"      // put the same value in another form
	OpCacheUse        OpKind = "cache_use"         // write hits and last use
	OpCacheTake       OpKind = "cache_take"        // lease an entry that is there
	OpCacheBeat       OpKind = "cache_beat"        // renew a lease
	OpCacheFill       OpKind = "cache_fill"        // write the value that was loaded under a lease
	OpCacheYield      OpKind = "cache_yield"       // give a lease back
	OpCacheTag        OpKind = "cache_tag"         // give an entry a tag
	OpCacheUntag      OpKind = "cache_untag"       // remove the tags of earlier values
	OpCacheDropTag    OpKind = "cache_drop_tag"    // remove entries with a tag
	OpCacheDropTags   OpKind = "cache_drop_tags"   // remove entries with tags in a range
	OpCacheDropKeys   OpKind = "cache_drop_keys"   // remove entries with keys in a range
	OpCacheDropOld    OpKind = "cache_drop_old"    // remove entries that have expired
	OpCacheDropUnused OpKind = "cache_drop_unused" // remove the entries that were used least recently
	OpCacheDropAll    OpKind = "cache_drop_all"    // remove the first entries up to an id
	OpCacheDrop       OpKind = "cache_drop"        // MySQL: remove what was found
	OpCacheLast       OpKind = "cache_last"        // the greatest id
	OpCacheSize       OpKind = "cache_size"        // number and bytes of all entries
	OpCacheTell       OpKind = "cache_tell"        // tell other processes what to forget
	OpCacheHear       OpKind = "cache_hear"        // read what others told
	OpCacheMissing    OpKind = "cache_missing"     // read what others told late, by its ids
	OpCacheHeard      OpKind = "cache_heard"       // the last that was told
	OpCacheHush       OpKind = "cache_hush"        // remove what everyone has heard
)

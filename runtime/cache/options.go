package cache

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// Forever is the time to live of an entry that does not expire.
const Forever = backend.Forever

// Options of a cache. The zero value is sensible.
type Options struct {
	// TTL is how long an entry lives when its writer says 0; 0: for ever.
	TTL time.Duration
	// Jitter shortens each time to live by a random share of up to so much, so
	// that what was written together does not expire together; 0 means 0.1,
	// below zero none.
	Jitter float64
	// Prefix stands before every key: several caches can share one table.
	Prefix string

	// Memory is how many bytes are kept in memory, by the size of the encoded
	// values; 0 means 32 MiB, below zero nothing is. Values from memory are
	// shared between their readers, who must not change what they point to.
	Memory int64
	// MemoryFor is how long an entry is kept in memory before it is read again,
	// whatever was read of it; 0 means a minute.
	MemoryFor time.Duration

	// RefreshAhead lets Fetch load again in the background when less than this
	// share of the time to live is left: 0.2 in the last fifth; 0: never.
	RefreshAhead float64
	// StaleFor is how long after its time to live a value may still be returned by
	// Fetch while a new one is loaded in the background; 0: not at all.
	StaleFor time.Duration
	// StaleIfError is how long after its time to live a value may be returned by
	// Fetch when the load fails; 0: not at all.
	StaleIfError time.Duration
	// NegativeTTL is how long it is remembered that a load gave ErrNone; 0: not
	// at all.
	NegativeTTL time.Duration
	// LoadTimeout is how long a load may take; 0 means 30 s.
	LoadTimeout time.Duration
	// Lease is how long other processes wait for a load of a process that has
	// died, 0 means 10 s, at least 100 ms. A load that lives renews it.
	Lease time.Duration
	// Timeout is how long a read may wait for the backend before it is a miss; 0
	// means 250 ms. It does not hold inside a transaction.
	Timeout time.Duration

	// MaxValue bounds the bytes of an encoded value, when it is written and when
	// it is read; 0: what the backend keeps.
	MaxValue int
	// Codec encodes values; nil means JSON.
	Codec Codec
	// Compress compresses values of so many bytes and more with zstd; 0: none.
	Compress int
	// Keys encrypt values with AES-GCM: the first new ones, any of them what was
	// written before. Keys and tags of entries, and counters, are not encrypted.
	Keys []Key

	// Logger gets failures of the backend, at most one line a second; nil means
	// silence.
	Logger *slog.Logger
}

const (
	defaultMemory = 32 << 20
	minLease      = 100 * time.Millisecond
	maxTags       = 100
	// farthest is the longest time to live: what is longer is for ever.
	farthest = 250 * 365 * 24 * time.Hour
)

func (o Options) withDefaults() (Options, error) {
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"TTL", o.TTL},
		{"MemoryFor", o.MemoryFor},
		{"StaleFor", o.StaleFor},
		{"StaleIfError", o.StaleIfError},
		{"NegativeTTL", o.NegativeTTL},
		{"LoadTimeout", o.LoadTimeout},
		{"Lease", o.Lease},
		{"Timeout", o.Timeout},
	} {
		if d.d < 0 {
			return o, invalidf("Options.%s is negative", d.name)
		}
	}
	if o.Lease != 0 && o.Lease < minLease {
		return o, invalidf("Options.Lease is %s; the shortest that can be renewed in time is %s", o.Lease, minLease)
	}
	if o.RefreshAhead < 0 || o.RefreshAhead >= 1 || o.Jitter >= 1 {
		return o, invalidf("Options.RefreshAhead and Jitter are shares below 1")
	}
	if o.MaxValue < 0 || o.Compress < 0 {
		return o, invalidf("Options.MaxValue or Compress is negative")
	}
	if o.Codec == nil {
		o.Codec = JSON()
	}
	switch name := o.Codec.Name(); {
	case !nameForm.MatchString(name), name == backend.FormatInt, name == backend.FormatLease, name == backend.FormatNone:
		return o, invalidf("the codec's name %q is not a-z and 0-9, or means something else", name)
	}
	o.Jitter = max(0, cmp.Or(o.Jitter, 0.1))
	o.Memory = cmp.Or(o.Memory, defaultMemory)
	o.MemoryFor = cmp.Or(o.MemoryFor, time.Minute)
	o.LoadTimeout = cmp.Or(o.LoadTimeout, 30*time.Second)
	o.Lease = cmp.Or(o.Lease, 10*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 250*time.Millisecond)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Option is of one write: Tags, With.
type Option func(*setting)

type setting struct {
	tags  []string
	patch any
	lives func(value any) time.Duration

	reload bool
}

// Tags are names under which an entry can be removed with others: any bytes but
// none, at most 100.
func Tags(tags ...string) Option {
	return func(s *setting) { s.tags = append(s.tags, tags...) }
}

// RowTag is the tag of what is made of one row: "post:7" for the post with the
// id 7. A write of the row through its datatype's methods removes the entries
// with the tag, where the cache's definition has the datatype in depends_on.
func RowTag(datatype string, id any) string { return backend.RowTag(datatype, id) }

// With writes fields of the user's own beside the value: patch is the patch of
// the cache's datatype, generated.PageCachePatch{ETag: store.Set(etag)}. A
// write without it sets them back to their defaults. A patch that sets a field
// which the cache keeps itself, such as the key or the value, is refused.
func With(patch any) Option {
	return func(s *setting) { s.patch = patch }
}

// Lives lets a value that Fetch has loaded say how long it lives: fn is given it
// and returns its time to live, in place of Fetch's. Other writes do not take it.
func Lives[V any](fn func(value V) time.Duration) Option {
	return func(s *setting) { s.lives = func(v any) time.Duration { return fn(v.(V)) } }
}

// Reload has Fetch load although there is a value, which the loaded one replaces.
// It does not wait for a load that is running already: what that returns may be
// from before the call. The rules of Fetch hold: what is invalidated meanwhile is
// not kept, and neither is it when the load fails. Other methods do not take it.
func Reload() Option {
	return func(s *setting) { s.reload = true }
}

func settingOf(opts []Option, limits backend.Limits) (setting, error) {
	var s setting
	for _, o := range opts {
		o(&s)
	}
	if s.patch != nil && limits.Patch != nil {
		if err := limits.Patch(s.patch); err != nil {
			return s, err
		}
	}
	if len(s.tags) == 0 {
		return s, nil
	}
	tags, err := storedTags(s.tags, limits.Tag)
	s.tags = tags
	return s, err
}

// storedTags returns each tag once, in its stored form.
func storedTags(tags []string, limit int) ([]string, error) {
	if len(tags) > maxTags {
		return nil, invalidf("%d tags at once; at most %d", len(tags), maxTags)
	}
	out := make([]string, 0, len(tags))
	seen := make(map[string]bool, len(tags))
	for _, tag := range tags {
		if tag == "" {
			return nil, invalidf("a tag is empty")
		}
		if tag = backend.StoredKey(tag, limit); !seen[tag] {
			seen[tag] = true
			out = append(out, tag)
		}
	}
	return out, nil
}

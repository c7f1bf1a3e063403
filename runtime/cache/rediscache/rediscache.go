// Package rediscache keeps a cache's entries in Redis, in place of a table of the
// database: for who outgrows that. Everything else stays as it is.
//
//	pages := cache.New[Page](rediscache.New(client, rediscache.Options{}), cache.Options{})
//
// What differs: entries are as durable as the server is configured to keep them; they
// take no part in transactions of a database, depends_on and fields of one's own
// do nothing; the server expires and evicts by itself (maxmemory), so that
// CleanupExpired and Evict have nothing to do; hits are not counted in entries.
// One server, or one with replicas: the scripts name keys that a cluster would
// keep apart.
package rediscache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Options of New. The zero value is sensible.
type Options struct {
	// Prefix stands before every name that is used in Redis; "" means "cache:".
	// Caches with the same prefix share entries.
	Prefix string
	// MaxValue bounds the bytes of an encoded value; 0 means 16 MiB.
	MaxValue int
}

const (
	keyMax   = 1024
	tagMax   = 255
	batch    = 500
	tagMark  = "\x01" // stands around each tag of an entry
	modePut  = "put"
	modeAdd  = "add"
	modeCnt  = "count"
	modeFill = "fill"
	modeHold = "lease"
)

// Source is a cache's place in Redis. Make one for each prefix and keep it.
type Source struct{ b *server }

// New uses a client, which stays the caller's to close.
func New(client redis.UniversalClient, opts Options) *Source {
	if opts.Prefix == "" {
		opts.Prefix = "cache:"
	}
	if opts.MaxValue == 0 {
		opts.MaxValue = 16 << 20
	}
	b := &server{client: client, opts: opts}
	b.invalidator = backend.NewInvalidator(func(context.Context, []backend.KeyHits) error { return nil })
	return &Source{b}
}

// CacheBackend lets package cache keep values in Redis.
func (s *Source) CacheBackend() backend.Backend { return s.b }

type server struct {
	client      redis.UniversalClient
	opts        Options
	invalidator *backend.Invalidator
}

func (b *server) Invalidator() *backend.Invalidator { return b.invalidator }
func (b *server) InTx() bool                        { return false }

func (b *server) Limits() backend.Limits {
	return backend.Limits{Name: "redis " + b.opts.Prefix, Key: keyMax, Tag: tagMax, Value: b.opts.MaxValue}
}

func (b *server) entry(key string) string { return b.opts.Prefix + "e:" + key }
func (b *server) tag() string             { return b.opts.Prefix + "t:" }
func (b *server) topic() string           { return b.opts.Prefix + "changes" }

// known gives errors of the client the store's sentinels.
func known(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return store.ErrNotFound
	case errors.Is(err, redis.ErrClosed):
		return core.Coded(store.ErrClosed, err)
	case strings.Contains(err.Error(), "NOTNUMBER"), strings.Contains(err.Error(), "increment or decrement would overflow"):
		return fmt.Errorf("%w: %w", backend.ErrNotNumber, err)
	}
	return fmt.Errorf("rediscache: %w", err)
}

// gone is what PTTL says of a key that is not there.
const gone = time.Duration(-2)

// read queues what finds an entry. How long a hash lives is read beside it.
func (b *server) read(ctx context.Context, p redis.Pipeliner, key string) func() (backend.Entry, error) {
	fields := p.HMGet(ctx, b.entry(key), "v", "f", "n", "s")
	life := p.PTTL(ctx, b.entry(key))
	clock := p.Time(ctx)
	return func() (backend.Entry, error) {
		values, err := fields.Result()
		if err != nil {
			return backend.Entry{}, known(err)
		}
		format, ok := values[1].(string)
		if !ok {
			return backend.Entry{}, store.ErrNotFound
		}
		e := backend.Entry{Format: format, Life: backend.Forever}
		value, _ := values[0].(string)
		e.Value = []byte(value)
		if n, ok := values[2].(string); ok {
			e.Number, _ = strconv.ParseInt(n, 10, 64)
		}
		e.Clock = clock.Val()
		switch left := life.Val(); {
		case left == gone:
			return backend.Entry{}, store.ErrNotFound // it ended between the two commands
		case left >= 0:
			e.Life = max(left, 1) // what the server has, in whole milliseconds, has not ended
		}
		e.Fresh = e.Life
		if stale, ok := values[3].(string); ok {
			at, _ := strconv.ParseInt(stale, 10, 64)
			e.Fresh = min(e.Life, time.UnixMilli(at).Sub(clock.Val()))
		}
		return e, nil
	}
}

func (b *server) Find(ctx context.Context, key string) (backend.Entry, error) {
	p := b.client.Pipeline()
	found := b.read(ctx, p, key)
	if _, err := p.Exec(ctx); err != nil {
		return backend.Entry{}, known(err)
	}
	return found()
}

func (b *server) FindMany(ctx context.Context, keys []string, each func(string, backend.Entry)) error {
	for part := range slices.Chunk(keys, batch) {
		p := b.client.Pipeline()
		found := make([]func() (backend.Entry, error), len(part))
		for i, key := range part {
			found[i] = b.read(ctx, p, key)
		}
		if _, err := p.Exec(ctx); err != nil {
			return known(err)
		}
		for i, key := range part {
			e, err := found[i]()
			if err == nil {
				each(key, e)
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// millis is a span as the scripts take it; empty: for ever.
func millis(d time.Duration) string {
	if d == backend.Forever {
		return ""
	}
	return strconv.FormatInt(max(1, d.Milliseconds()), 10)
}

func arguments(b *server, w *backend.Write, mode string) []any {
	fresh := ""
	if w.Fresh < w.Life {
		fresh = millis(w.Fresh)
	}
	marked := ""
	if len(w.Tags) > 0 {
		marked = tagMark + strings.Join(w.Tags, tagMark) + tagMark
	}
	args := []any{w.Value, w.Format, w.Number, millis(w.Life), fresh, marked, w.Token, b.tag(), mode, strconv.FormatInt(w.Token, 10)}
	for _, t := range w.Tags {
		args = append(args, t)
	}
	return args
}

func (b *server) run(ctx context.Context, w *backend.Write, mode string) (int64, error) {
	if w.Patch != nil {
		return 0, fmt.Errorf("rediscache: %w: entries in Redis have no fields of one's own", store.ErrInvalid)
	}
	n, err := write.Run(ctx, b.client, []string{b.entry(w.Key)}, arguments(b, w, mode)...).Int64()
	return n, known(err)
}

// changed notifies every process, once writes stand.
func (b *server) changed(ctx context.Context, writes []*backend.Write) {
	b.invalidator.Commit(writes)
	keys := make([]string, len(writes))
	for i, w := range writes {
		keys[i] = w.Key
	}
	b.publish(ctx, keys)
}

// publish publishes hashes of keys. It is no part of the change: where it fails,
// other processes go by age.
func (b *server) publish(ctx context.Context, keys []string) {
	message := binary.LittleEndian.AppendUint64(nil, uint64(b.invalidator.Origin))
	for _, key := range keys {
		message = binary.LittleEndian.AppendUint64(message, backend.Hash(key))
	}
	_ = b.client.Publish(context.WithoutCancel(ctx), b.topic(), message).Err()
}

func (b *server) Put(ctx context.Context, writes []*backend.Write) error {
	b.invalidator.Begin(writes)
	for _, w := range writes {
		if w.Patch != nil {
			return fmt.Errorf("rediscache: %w: entries in Redis have no fields of one's own", store.ErrInvalid)
		}
	}
	if err := write.Load(ctx, b.client).Err(); err != nil && len(writes) > 1 {
		return known(err)
	}
	if len(writes) == 1 {
		if _, err := b.run(ctx, writes[0], modePut); err != nil {
			return err
		}
		b.changed(ctx, writes)
		return nil
	}
	_, err := b.client.TxPipelined(ctx, func(p redis.Pipeliner) error { // all, or none
		for _, w := range writes {
			write.EvalSha(ctx, p, []string{b.entry(w.Key)}, arguments(b, w, modePut)...)
		}
		return nil
	})
	if err != nil {
		return known(err)
	}
	b.changed(ctx, writes)
	return nil
}

// single runs one write that may not be taken.
func (b *server) single(ctx context.Context, w *backend.Write, mode string) (int64, error) {
	writes := []*backend.Write{w}
	b.invalidator.Begin(writes)
	n, err := b.run(ctx, w, mode)
	if err == nil && (n > 0 || mode == modeCnt) {
		b.changed(ctx, writes)
	}
	return n, err
}

func (b *server) Add(ctx context.Context, w *backend.Write) (bool, error) {
	n, err := b.single(ctx, w, modeAdd)
	return n > 0, err
}

func (b *server) Count(ctx context.Context, w *backend.Write) (int64, error) {
	return b.single(ctx, w, modeCnt)
}

func (b *server) Fill(ctx context.Context, w *backend.Write) (bool, error) {
	n, err := b.single(ctx, w, modeFill)
	return n > 0, err
}

func (b *server) Lease(ctx context.Context, w *backend.Write, span time.Duration) (had, fresh bool, err error) {
	w.Format, w.Life, w.Fresh = backend.FormatLease, span, span
	n, err := b.run(ctx, w, modeHold)
	return n > 0, n == 2, err
}

func (b *server) RenewLease(ctx context.Context, key string, token int64, span time.Duration) (bool, error) {
	n, err := hold.Run(ctx, b.client, []string{b.entry(key)}, strconv.FormatInt(token, 10), millis(span)).Int64()
	return n > 0, known(err)
}

func (b *server) ReleaseLease(ctx context.Context, key string, token int64) error {
	return known(hold.Run(ctx, b.client, []string{b.entry(key)}, strconv.FormatInt(token, 10), "0").Err())
}

func (b *server) Touch(ctx context.Context, key string, life, fresh time.Duration, reseal backend.Reseal) (bool, error) {
	stale := ""
	if fresh < life {
		stale = millis(fresh)
	}
	for range touchTries {
		args := []any{millis(life), stale}
		if reseal != nil {
			e, err := b.Find(ctx, key)
			if errors.Is(err, store.ErrNotFound) || err == nil && e.Format == backend.FormatLease {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			value, err := reseal(&e)
			if err != nil {
				return false, err
			}
			args = append(args, e.Value, value)
		}
		n, err := touch.Run(ctx, b.client, []string{b.entry(key)}, args...).Int64()
		if err == nil && n == overtaken {
			continue // the value was replaced meanwhile
		}
		if err == nil && n > 0 {
			b.gone(ctx, []string{key})
		}
		return n > 0, known(err)
	}
	return false, fmt.Errorf("rediscache: touch %q: %w", key, store.ErrBusy)
}

const (
	overtaken  = -1 // what touch says when the value is not the one that was resealed
	touchTries = 20
)

// Now returns the server's moment.
func (b *server) Now(ctx context.Context) (time.Time, error) {
	now, err := b.client.Time(ctx).Result()
	return now, known(err)
}

// gone notifies every process that entries changed in another way than by a write.
func (b *server) gone(ctx context.Context, keys []string) {
	hashes := make([]uint64, len(keys))
	for i, key := range keys {
		hashes[i] = backend.Hash(key)
	}
	b.invalidator.Forget(hashes)
	b.publish(ctx, keys)
}

func (b *server) Remove(ctx context.Context, keys []string) error {
	_, err := b.remove(ctx, keys)
	return err
}

func (b *server) remove(ctx context.Context, keys []string) (int64, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = b.entry(key)
	}
	n, err := b.client.Unlink(ctx, names...).Result()
	if err != nil {
		return 0, known(err)
	}
	b.gone(ctx, keys)
	return n, nil
}

func (b *server) RemoveTags(ctx context.Context, tags []string) (total int64, err error) {
	for _, tag := range tags {
		for more := true; more; {
			result, err := untag.Run(ctx, b.client, []string{b.tag() + tag}, tagMark+tag+tagMark, batch).Slice()
			if err != nil {
				return total, known(err)
			}
			again, _ := result[0].(int64)
			names, _ := result[1].([]any)
			keys := make([]string, 0, len(names))
			for _, name := range names {
				if text, ok := name.(string); ok {
					keys = append(keys, strings.TrimPrefix(text, b.entry("")))
				}
			}
			if len(keys) > 0 {
				b.gone(ctx, keys)
			}
			total += int64(len(keys))
			more = again == 1
		}
	}
	return total, nil
}

// scan calls each with batches of the keys for which in is true.
func (b *server) scan(ctx context.Context, in func(key string) bool, each func(keys []string) error) error {
	cursor, prefix := uint64(0), b.entry("")
	pattern := escape(prefix) + "*"
	for {
		names, next, err := b.client.Scan(ctx, cursor, pattern, batch).Result()
		if err != nil {
			return known(err)
		}
		var keys []string
		for _, name := range names {
			if key := strings.TrimPrefix(name, prefix); in(key) {
				keys = append(keys, key)
			}
		}
		if len(keys) > 0 {
			if err := each(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// escape keeps a name from being read as a pattern.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(s)
}

func (b *server) RemoveRange(ctx context.Context, from, to string) (total int64, err error) {
	err = b.scan(ctx, func(key string) bool { return key >= from && key < to }, func(keys []string) error {
		n, err := b.remove(ctx, keys)
		total += n
		return err
	})
	return total, err
}

func (b *server) Clear(ctx context.Context) (total int64, err error) {
	err = b.scan(ctx, func(string) bool { return true }, func(keys []string) error {
		n, err := b.remove(ctx, keys)
		total += n
		return err
	})
	return total, err
}

// Expire has nothing to do: the server removes what has expired.
func (b *server) Expire(context.Context) (int64, error) { return 0, nil }

// Evict has nothing to do: the server's maxmemory bounds it.
func (b *server) Evict(context.Context) (int64, error) { return 0, nil }

func (b *server) Size(ctx context.Context) (entries, bytes int64, err error) {
	err = b.scan(ctx, func(string) bool { return true }, func(keys []string) error {
		p := b.client.Pipeline()
		sizes := make([]*redis.IntCmd, len(keys))
		for i, key := range keys {
			sizes[i] = p.HStrLen(ctx, b.entry(key), "v")
		}
		if _, err := p.Exec(ctx); err != nil {
			return known(err)
		}
		for i, key := range keys {
			bytes += int64(len(key)) + sizes[i].Val()
		}
		entries += int64(len(keys))
		return nil
	})
	return entries, bytes, err
}

func (b *server) RecordHits(context.Context, []backend.KeyHits) error { return nil }

// Follow receives what other processes publish. After a connection was lost,
// something may have been missed: memory is emptied.
func (b *server) Follow(ctx context.Context) error {
	sub := b.client.Subscribe(context.WithoutCancel(ctx), b.topic())
	if _, err := sub.Receive(ctx); err != nil {
		return known(errors.Join(err, sub.Close()))
	}
	messages := sub.ChannelWithSubscriptions()
	go func() {
		defer sub.Close()
		for m := range messages {
			switch m := m.(type) {
			case *redis.Subscription: // again, after a loss
				b.invalidator.ForgetAllRemote()
			case *redis.Message:
				b.receive([]byte(m.Payload))
			}
		}
	}()
	return nil
}

func (b *server) receive(message []byte) {
	if len(message) < 8 || int64(binary.LittleEndian.Uint64(message)) == b.invalidator.Origin {
		return
	}
	var hashes []uint64
	for m := message[8:]; len(m) >= 8; m = m[8:] {
		hashes = append(hashes, binary.LittleEndian.Uint64(m))
	}
	b.invalidator.ForgetRemote(hashes)
}

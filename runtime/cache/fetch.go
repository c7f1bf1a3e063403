package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// Load makes the value of a key. Its context ends when no one waits any more,
// or after Options.LoadTimeout. An error that is ErrNone says that there is
// nothing under the key.
type Load[V any] func(ctx context.Context) (V, error)

// Fetch returns the value under a key, and loads it when there is none: once,
// however many ask for it at the same time, in this process and in others on the
// same table. The value is kept for ttl, unless the entry was deleted, invalidated
// or written while the load ran. Callers who asked before that get the loaded value
// all the same; later ones do not wait for it, but for a load that begins anew.
//
// A load whose context has ended has no result, whatever it returns: it may have
// stopped half way.
//
// A load that fails is not kept: its error goes to everyone in this process who
// waited for it, or they get a value that is stale for no longer than
// Options.StaleIfError. Another process that waited loads for itself. When the
// backend fails, Fetch loads and keeps nothing.
//
// The load must not fetch its own key; where the context shows it, that is
// ErrRecursive.
func (c *Cache[V]) Fetch(ctx context.Context, key string, ttl time.Duration, load Load[V], opts ...Option) (V, error) {
	var none V
	k, hash, err := c.key(key)
	if err != nil {
		return none, err
	}
	s, err := settingOf(opts, c.limits)
	if err != nil {
		return none, err
	}
	if ttl < 0 {
		return none, errNegative(ttl)
	}
	p := &fetchCall[V]{c: c, key: k, hash: hash, ttl: ttl, load: load, set: s}
	if e := c.remembered(k, hash); e != nil && !s.reload {
		if e.none {
			return none, ErrNone
		}
		p.refreshAhead(ctx, time.Duration(e.fresh-c.invalidator.Clock()))
		return e.value, nil
	}
	if isLoading(ctx, c.common, k) {
		return none, ErrRecursive
	}
	if c.tx {
		return p.inTx(ctx)
	}
	if s.reload {
		return p.leased(ctx, reading[V]{}, Forever)
	}
	return c.flights.join(ctx, p)
}

// fetchCall is one call of Fetch.
type fetchCall[V any] struct {
	c    *Cache[V]
	key  string
	hash uint64
	ttl  time.Duration
	load Load[V]
	set  setting
	lost bool // the lease was lost while the load ran, and nothing was kept
}

// lives is the time to live of a value that was loaded.
func (p *fetchCall[V]) lives(v V) time.Duration {
	if p.set.lives == nil {
		return p.ttl
	}
	return p.set.lives(v)
}

// fetch finds the value, or loads it.
func (p *fetchCall[V]) fetch(ctx context.Context) (V, error) {
	p.c.follows(ctx) // memory or not: what another process invalidates detaches the flight
	f := p.c.read(ctx, p.key, p.hash)
	switch f.state {
	case isFresh:
		p.refreshAhead(ctx, f.fresh)
		return f.value, nil
	case isNone:
		return f.value, ErrNone
	case isBroken:
		return p.run(ctx, nil)
	case isStale:
		if -f.fresh <= p.c.opts.StaleFor {
			p.c.stats.stale.Add(1)
			p.refreshInBackground(ctx, f.fresh)
			return f.value, nil
		}
	}
	return p.leased(ctx, f, 0)
}

// inTx loads as part of the caller's transaction: no one else is kept from
// loading, and the transaction's end decides whether the value stays.
func (p *fetchCall[V]) inTx(ctx context.Context) (V, error) {
	f := p.c.read(ctx, p.key, p.hash)
	switch {
	case p.set.reload:
	case f.state == isFresh:
		return f.value, nil
	case f.state == isNone:
		return f.value, ErrNone
	}
	v, err := p.run(ctx, nil)
	if err != nil {
		return v, err
	}
	w, err := p.c.prepare(ctx, p.key, v, p.lives(v), p.set)
	if err == nil {
		err = p.c.b.Put(ctx, []*backend.Write{w})
	}
	return v, err
}

// refreshAhead loads again in the background when the value will soon be stale.
func (p *fetchCall[V]) refreshAhead(ctx context.Context, left time.Duration) {
	if share := p.c.opts.RefreshAhead; share > 0 && p.ttl > 0 && left < time.Duration(share*float64(p.ttl)) && !p.c.tx {
		p.refreshInBackground(ctx, left)
	}
}

// refreshInBackground loads in the background, unless that goes on already. left is what the
// value has left: another process that has loaded meanwhile gave it more.
func (p *fetchCall[V]) refreshInBackground(ctx context.Context, left time.Duration) {
	own := *p // which another goroutine goes on to use
	p.c.flights.alone(ctx, p.key, p.c.opts.LoadTimeout, func(ctx context.Context) {
		_, err := own.leased(ctx, reading[V]{}, max(left, time.Nanosecond))
		if err != nil && !errors.Is(err, ErrNone) {
			own.c.log(ctx, "a load in the background failed", "error", err)
		}
	})
}

// leased loads under a lease, or waits for the process that does. stale is what
// may be returned when the load fails. With left, a value that is fresh for no
// longer than that is loaded all the same.
func (p *fetchCall[V]) leased(ctx context.Context, stale reading[V], left time.Duration) (V, error) {
	c := p.c
	w := &backend.Write{Key: p.key, Tags: p.set.tags, Token: token()}
	start := time.Now()
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 25*time.Millisecond) {
		had, fresh, err := p.lease(ctx, w)
		if err != nil {
			if ctx.Err() == nil {
				c.failed(ctx, err)
			}
			return p.run(ctx, nil)
		}
		if !had && p.set.reload { // what another loads may be from before the question
			return p.run(ctx, nil)
		}
		if !had && left > 0 {
			return stale.value, nil // another process is at it
		}
		if had && (fresh || p.set.reload) {
			return p.fill(ctx, w.Token, stale)
		}
		f := c.read(ctx, p.key, p.hash) // someone may have loaded before the lease was had
		if f.state == isFresh && f.fresh > left || f.state == isNone {
			if had {
				p.release(ctx, w.Token)
			}
			if f.state == isNone {
				return f.value, ErrNone
			}
			return f.value, nil
		}
		if had {
			return p.fill(ctx, w.Token, stale)
		}
		// A holder renews its lease; one that holds for longer than that has a
		// clock that was set back, and is not waited for.
		if time.Since(start) > c.opts.LoadTimeout+c.opts.Lease || !sleep(ctx, pause/2+rand.N(pause)) {
			return p.run(ctx, nil)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// leasePatience is how many times as long as a read the taking of a lease may
// wait. It is a write, and the read before it went well: waiting for another
// writer is better than a second load.
const leasePatience = 10

func (p *fetchCall[V]) lease(ctx context.Context, w *backend.Write) (had, fresh bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leasePatience*p.c.opts.Timeout)
	defer cancel()
	return p.c.b.Lease(ctx, w, p.c.opts.Lease)
}

// release releases a lease, also when the caller's context has ended.
func (p *fetchCall[V]) release(ctx context.Context, token int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.c.opts.Lease)
	defer cancel()
	if err := p.c.b.ReleaseLease(ctx, p.key, token); err != nil {
		p.c.failed(ctx, err)
	}
}

// fill loads under a lease and writes what came of it.
func (p *fetchCall[V]) fill(ctx context.Context, token int64, stale reading[V]) (V, error) {
	c := p.c
	v, err := p.run(ctx, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
		defer cancel()
		if _, err := c.b.RenewLease(ctx, p.key, token, c.opts.Lease); err != nil {
			c.failed(ctx, err)
		}
	})
	w := &backend.Write{Key: p.key, Tags: p.set.tags, Token: token, Patch: p.set.patch}
	switch {
	case err == nil:
		if w, err = c.prepare(ctx, p.key, v, p.lives(v), p.set); err != nil {
			p.release(ctx, token)
			c.log(ctx, "a loaded value cannot be kept", "error", err)
			return v, nil
		}
		w.Token = token
	case errors.Is(err, ErrNone) && c.opts.NegativeTTL > 0:
		w.Life, w.Fresh = c.opts.NegativeTTL, c.opts.NegativeTTL
		until, uerr := c.until(ctx, w.Life)
		if uerr != nil {
			p.release(ctx, token)
			c.failed(ctx, uerr)
			return v, err
		}
		c.pack.packNone(w, until)
	default:
		p.release(ctx, token)
		if stale.state == isStale && -stale.fresh <= c.opts.StaleIfError && !errors.Is(err, ErrNone) {
			c.stats.stale.Add(1)
			return stale.value, nil
		}
		return v, err
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.Lease)
	defer cancel()
	filled, ferr := c.b.Fill(within, w)
	switch {
	case ferr != nil:
		c.failed(ctx, ferr)
		p.release(ctx, token)
	case !filled:
		c.stats.discarded.Add(1)
		p.lost = true
	}
	return v, err
}

// run calls the load, and renew now and then while it runs.
func (p *fetchCall[V]) run(ctx context.Context, renew func(context.Context)) (V, error) {
	c := p.c
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.LoadTimeout, ErrLoadTimeout)
	defer cancel()
	c.stats.loads.Add(1)
	start := time.Now()
	v, err := p.call(ctx, renew)
	c.stats.loadNanos.Add(int64(time.Since(start)))
	if err != nil && !errors.Is(err, ErrNone) {
		c.stats.loadErrors.Add(1)
	}
	return v, err
}

type result[V any] struct {
	value V
	err   error
}

// call runs the load in a goroutine of its own: one that panics, ends its
// goroutine or does not return harms no one but itself. What it returns when its
// context has ended is no result: it may have stopped half way.
func (p *fetchCall[V]) call(ctx context.Context, renew func(context.Context)) (V, error) {
	done := make(chan result[V], 1)
	go func() {
		r := result[V]{err: errors.New("cache: the load ended its goroutine without returning (runtime.Goexit)")}
		defer func() {
			if x := recover(); x != nil {
				r.err = &PanicError{Value: x, Stack: debug.Stack()}
			}
			done <- r
		}()
		v, err := p.load(context.WithValue(ctx, loadingKey{}, &loading{cache: p.c.common, key: p.key, outer: outerLoading(ctx)}))
		if ctx.Err() != nil && (err == nil || errors.Is(err, ErrNone)) {
			var none V
			v, err = none, context.Cause(ctx)
		}
		r = result[V]{v, err}
	}()
	var ticks <-chan time.Time
	if renew != nil {
		tick := time.NewTicker(p.c.opts.Lease / 3)
		defer tick.Stop()
		ticks = tick.C
	}
	for {
		select {
		case r := <-done:
			return r.value, r.err
		case <-ctx.Done():
			select { // both at once: the load may have been in time
			case r := <-done:
				return r.value, r.err
			default:
			}
			var none V
			return none, context.Cause(ctx)
		case <-ticks:
			renew(ctx)
		}
	}
}

// loading marks the context of a load, to find a load that fetches its own key.
type loading struct {
	cache any
	key   string
	outer *loading
}

type loadingKey struct{}

func outerLoading(ctx context.Context) *loading {
	l, _ := ctx.Value(loadingKey{}).(*loading)
	return l
}

func isLoading(ctx context.Context, cache any, key string) bool {
	for l := outerLoading(ctx); l != nil; l = l.outer {
		if l.cache == cache && l.key == key {
			return true
		}
	}
	return false
}

// Package replays remembers in a cache which webhooks a receiver has handled: in a table of a
// database, or in Redis, so that several processes and a restarted one know them too.
//
//	receiver, err := webhook.NewReceiver(handler, webhook.ReceiverOptions{Keys: keys, Replays: replays.New(db.CacheEntry, 0)})
//
// A cache that is full removes the entries that were not used for longest: its max_entries
// must be above what arrives within twice the tolerance of the receiver.
package replays

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/webhook"
)

// Replays is a webhook.ReplayChecker in a cache.
type Replays struct {
	cache *cache.Cache[string]
	lease time.Duration
}

// New returns a Replays in a cache, such as db.CacheEntry. A message that a process was handling
// when it died can be claimed again after lease, which must be longer than a handler can
// take; 0 means a minute.
func New(source cache.Source, lease time.Duration) *Replays {
	if lease <= 0 {
		lease = time.Minute
	}
	return &Replays{cache.New[string](source, cache.Options{Prefix: "webhook/", Jitter: -1, Memory: -1, Timeout: readTime}), lease}
}

// readTime is how long a read may wait.
const readTime = 5 * time.Second

// handled is the value of a message that was handled; of one that is being handled it is the
// claim's own.
const handled = "handled"

// Claim implements webhook.ReplayChecker.
func (r *Replays) Claim(ctx context.Context, sender, id string, until time.Time) (webhook.ReplayClaim, error) {
	key := sha256.Sum256([]byte(sender + "\x00" + id))
	c := &claim{r, hex.EncodeToString(key[:]), rand.Text(), until}
	added, err := r.cache.Add(ctx, c.key, c.own, r.lease)
	switch {
	case err != nil:
		return nil, err
	case added:
		return c, nil
	}
	if value, ok := r.cache.Get(ctx, c.key); ok && value == handled {
		return nil, webhook.ErrDuplicate
	}
	return nil, webhook.ErrInProgress // also when it was released in between: the sender tries again
}

// claim is a message that its holder alone handles.
type claim struct {
	r        *Replays
	key, own string
	until    time.Time
}

// Done implements webhook.ReplayClaim.
func (c *claim) Done(ctx context.Context) error {
	return c.r.cache.Set(ctx, c.key, handled, max(time.Until(c.until), time.Second))
}

// Release implements webhook.ReplayClaim. A claim that has expired and is another's by now stays.
func (c *claim) Release(ctx context.Context) error {
	if value, ok := c.r.cache.Get(ctx, c.key); !ok || value != c.own {
		return nil
	}
	return c.r.cache.Delete(ctx, c.key)
}

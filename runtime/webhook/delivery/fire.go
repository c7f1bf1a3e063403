package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Bounds of what is kept in memory before it is written.
const (
	batchRows  = 200
	batchBytes = 4 << 20
)

// Wanted returns what a datatype's effect is asked before a write: whether a webhook may fire.
func Wanted(s *Spec, topic string) func(ctx context.Context, c *core.Conn) (bool, error) {
	return func(ctx context.Context, c *core.Conn) (bool, error) {
		h, err := registryOf(c.DB(), s).hooks(ctx, c)
		return err == nil && len(h.byTopic[topic]) > 0, err
	}
}

// Fire returns what a datatype's effect runs: it writes the deliveries of each change to the
// queue, in the transaction of the write.
func Fire(s *Spec, topic string) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		if ctx.Value(noteKey{}) != nil {
			return nil
		}
		r := registryOf(c.DB(), s)
		h, err := r.hooks(ctx, c)
		if err != nil {
			return err
		}
		f := &firing{c: c, spec: s, topic: r.topics[topic], hooks: h.byTopic[topic], at: c.DB().Clock()}
		for _, ch := range changes {
			if err := f.change(ctx, ch); err != nil {
				return err
			}
		}
		return f.flush(ctx)
	}
}

// firing is the effect of one write.
type firing struct {
	c      *core.Conn
	spec   *Spec
	topic  *topic
	hooks  map[event.Op][]*hook
	at     time.Time
	queued []*Delivery // not written yet
	failed []*Delivery // likewise: those that cannot be sent
	bytes  int

	before, after condition.Row // of the change, as conditions read it
}

// change adds the deliveries of one change.
func (f *firing) change(ctx context.Context, ch core.Change) error {
	f.before, f.after = f.places(f.before, ch.Before), f.places(f.after, ch.After)
	for _, op := range f.topic.Ops.Of(ch) {
		list := f.hooks[op]
		if len(list) == 0 {
			continue
		}
		e := &occurrence{op: op, topic: f.topic, change: ch, at: f.at, id: core.NewULID()}
		for i, k := range list {
			if !f.matches(k) || f.sent(list[:i], k) {
				continue
			}
			if err := f.add(ctx, e.delivery(k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// places returns the places of a row's columns, nil of no row.
func (f *firing) places(buf condition.Row, row any) condition.Row {
	if row == nil {
		return nil
	}
	return f.topic.Spec.Fields(row, buf[:0])
}

// matches reports whether a hook is about the change. One that is broken is: its delivery
// says so.
func (f *firing) matches(k *hook) bool {
	return k.condition == nil || k.condition.Holds(f.before, f.after)
}

// sent reports whether the request is made already, because of an earlier hook.
func (f *firing) sent(earlier []*hook, k *hook) bool {
	for _, o := range earlier {
		if o.request == k.request && f.matches(o) {
			return true
		}
	}
	return false
}

func (f *firing) add(ctx context.Context, d *Delivery) error {
	if d.Error != "" {
		f.failed = append(f.failed, d)
	} else {
		f.queued = append(f.queued, d)
	}
	f.bytes += len(d.Body)
	if len(f.queued)+len(f.failed) < batchRows && f.bytes < batchBytes {
		return nil
	}
	return f.flush(ctx)
}

// flush writes what has been added.
func (f *firing) flush(ctx context.Context) error {
	err := f.write(ctx, f.spec.Enqueue, &f.queued)
	if err == nil {
		err = f.write(ctx, f.spec.Fail, &f.failed)
	}
	if err != nil {
		return fmt.Errorf("webhook: %s: %w", f.topic.Spec.Name, err)
	}
	f.bytes = 0
	return nil
}

// write writes a list. A delivery that the queue's own limits do not take fails instead: it
// must not undo the write that it is about. The store has sent none of the list then.
func (f *firing) write(ctx context.Context, add func(context.Context, *core.Conn, []*Delivery) error, list *[]*Delivery) error {
	for len(*list) > 0 {
		err := add(ctx, f.c, *list)
		if err == nil {
			*list = nil
			return nil
		}
		invalid, ok := errors.AsType[*store.ValidationError](err)
		if !ok || invalid.Cause != nil || invalid.Row >= len(*list) {
			return err
		}
		d := (*list)[invalid.Row]
		switch n := len(d.Error); {
		case n == 0:
			d.fail(err)
		case n < leastError:
			return err // it is not what the row or the request has
		default: // the queue has little room for errors
			d.Error = printable(d.Error, n/2)
		}
		*list = slices.Delete(*list, invalid.Row, invalid.Row+1)
		f.failed = append(f.failed, d)
	}
	return nil
}

// leastError is how short the error of a delivery may become.
const leastError = 10

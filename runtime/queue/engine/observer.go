package engine

import (
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
)

type logger = *slog.Logger

// observer reports what happens to jobs: to the log, to the telemetry, and to the
// readers of events.
type observer struct {
	name   string // of the queue
	logger logger
	events *broadcaster
	tele   *telemetry
}

func (o *observer) log(c *claim) logger {
	l := o.logger.With("queue", o.name, "id", c.ID, "attempt", c.Attempt)
	if c.Kind != "" {
		l = l.With("kind", c.Kind)
	}
	if c.Job != "" {
		l = l.With("job", c.Job)
	}
	return l
}

var eventOf = map[verb]queue.EventType{
	toDone: queue.Done, toRetry: queue.Retrying, toSnooze: queue.Snoozed, toRelease: queue.Released,
	toPark: queue.Parked, toDead: queue.Dead, toCancelled: queue.Cancelled, toUnknown: queue.BecameUnknown,
}

func (o *observer) emit(c *claim, t queue.EventType, end outcome) {
	took := time.Duration(0)
	if t != queue.Started {
		took = c.ran()
	}
	o.tele.count(c, t, took)
	if o.events.readers.Load() == 0 {
		return
	}
	at := time.Now()
	if t == queue.Started {
		at = c.began()
	}
	o.events.send(queue.Event[any]{
		Type: t, ID: c.ID, Kind: c.Kind, Queue: c.Queue, Attempt: int(c.Attempt),
		At: at, Took: took, Delay: end.delay, Err: end.err,
	})
}

// emitRow is like emit for a row that this process had not claimed.
func (o *observer) emitRow(c Claimed, t queue.EventType, end outcome) {
	o.tele.count(&claim{Claimed: c}, t, 0)
	if o.events.readers.Load() == 0 {
		return
	}
	o.events.send(queue.Event[any]{Type: t, ID: c.ID, Kind: c.Kind, Attempt: int(c.Attempt), At: time.Now(), Err: end.err})
}

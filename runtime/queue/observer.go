package queue

import (
	"log/slog"
	"time"
)

type logger = *slog.Logger

func (e *engine) log(c *claim) logger {
	l := e.opts.Logger.With("queue", e.shape.name, "id", c.ID, "attempt", c.Attempt)
	if c.Kind != "" {
		l = l.With("kind", c.Kind)
	}
	return l
}

var eventOf = map[verb]EventType{
	toDone: Done, toRetry: Retrying, toSnooze: Snoozed, toRelease: Released,
	toPark: Parked, toDead: Dead, toCancelled: Cancelled,
}

func (e *engine) emit(c *claim, t EventType, end outcome) {
	took := time.Duration(0)
	if t != Started {
		took = c.ran()
	}
	e.tele.count(c, t, took)
	if e.events.readers.Load() == 0 {
		return
	}
	at := time.Now()
	if t == Started {
		at = c.began()
	}
	e.events.send(Event[any]{
		Type: t, ID: c.ID, Kind: c.Kind, Queue: c.Queue, Attempt: int(c.Attempt),
		At: at, Took: took, Delay: end.delay, Err: end.err,
	})
}

// emitRow is emit for a row that this process had no claim on.
func (e *engine) emitRow(c Claimed, kind string, t EventType, end outcome) {
	e.tele.count(&claim{Claimed: c}, t, 0)
	if e.events.readers.Load() == 0 {
		return
	}
	e.events.send(Event[any]{Type: t, ID: c.ID, Kind: kind, Attempt: int(c.Attempt), At: time.Now(), Err: end.err})
}

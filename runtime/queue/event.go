package queue

import "time"

// EventType is the kind of an event.
type EventType string

// The events of a job.
const (
	Started   EventType = "started"
	Done      EventType = "done"
	Retrying  EventType = "retrying"  // failed; the next attempt comes after Delay
	Snoozed   EventType = "snoozed"   // postponed by its handler
	Released  EventType = "released"  // returned to the queue by a worker that stops
	Parked    EventType = "parked"    // held for a program that knows its kind
	Dead      EventType = "dead"      // failed for good
	Cancelled EventType = "cancelled" // by Cancel, or by its handler
	// BecameUnknown: the job may have done its work, and waits for a person. It comes after
	// Expired where the worker was lost.
	BecameUnknown EventType = "unknown"
	LeaseLost     EventType = "lease_lost" // this process's result is not written
	Expired       EventType = "expired"    // rescued from a worker that died
)

// Event is what a worker of this process did to a job, or noticed about it.
type Event[ID any] struct {
	Type    EventType
	ID      ID
	Kind    string // empty in a queue without kinds, and in Expired
	Queue   string // the named queue; empty without one
	Attempt int
	At      time.Time     // by this machine's clock
	Took    time.Duration // by the handler; 0 if it has not run
	Delay   time.Duration // until the next attempt, in Retrying and Snoozed
	Err     error         // nil in Started and Done
	Missed  int           // events before this one that the reader was too slow to receive
}

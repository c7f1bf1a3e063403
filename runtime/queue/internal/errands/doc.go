// Package errands tests how a queue's rows flow, on every database: named
// queues, pauses, timeouts and backoffs, limits, order, uniqueness, versions of
// payloads, holds and retention. Its definitions say of each kind of job what a
// kind can say; those in tomorrow are of a later program over the same table.
package errands

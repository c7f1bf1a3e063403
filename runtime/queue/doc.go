// Package queue runs the rows of a datatype that has a `queue:` section.
//
// A row is ready, running, done, dead, cancelled or, where the queue has a state for that,
// unknown:
//
//	ready --claim--> running --complete---> done
//	  ^                 |  \--dead-letter-> dead
//	  |--retry----------|   \--cancel-----> cancelled
//	  |--snooze---------|
//	  |--release--------|
//	  |--rescue---------|-- attempts used up --> dead
//	                    |-- after BeginOnce --> unknown
//
// A claim increments the row's epoch and sets a lease. The worker renews the leases
// of all its claims in one statement. Every later change names the epoch, so that a
// worker that was presumed dead cannot overwrite the result of its successor. A
// handler whose lease is lost has its context cancelled. The process decides that
// by its own monotonic clock, in a goroutine that runs no statement.
//
// A worker is presumed dead when its leases stop changing; clocks are not compared.
// A clock that jumps neither costs a live worker its jobs nor protects a dead one.
//
// A ready row that cannot be claimed yet has a hold: it waits for its time, for a
// limit, or for a program that knows its kind. The index that claims use excludes
// these rows, so that a claim is as fast with a million of them as with none.
//
// A handler can run more than once for one row: its process dies, or its lease is
// lost, after it has done the work and before the result is written. Write handlers
// so that a second run does no harm, or do their writes and the row's completion in
// one transaction with CompleteTx. For what can be neither repeated nor undone there is
// BeginOnce: a job whose worker is lost after it is unknown, and is not run again unless
// someone calls Retry.
//
// The package has what programs name: Job, Options, the errors that settle a job,
// and UntilSignal. Package engine, which generated code calls, runs the jobs.
package queue

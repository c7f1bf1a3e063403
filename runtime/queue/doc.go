// Package queue runs the rows of a datatype that has a `queue:` section.
//
// A row is ready, running, done, dead or cancelled:
//
//	ready --claim--> running --complete---> done
//	  ^                 |  \--bury--------> dead
//	  |--retry----------|   \--abandon----> cancelled
//	  |--snooze---------|
//	  |--release--------|
//	  |--expire---------|-- attempts used up --> dead
//
// A claim raises the row's epoch and sets a lease, which the worker renews for
// everything that it runs in one statement. Each later change names the epoch,
// so that a worker that was thought dead cannot overwrite the result of the one
// that took its place. A lease that was lost cancels the handler's context: the
// process judges that by its own monotonic clock, in a goroutine that runs no
// statement.
//
// Whether a worker is dead is decided by watching its leases change, not by
// comparing clocks: a clock that jumps makes no live worker lose its jobs, and
// keeps no dead one's.
//
// A ready row that is not to be claimed yet has a hold: it waits for its time,
// for a limit, or for a program that knows its kind. The index of claims has
// none of these, so that a claim is as quick with a million of them as without.
//
// A handler can run more than once for one row: when its process dies, or its
// lease is lost, after the work was done and before that was written. Write
// handlers so that running them twice does no harm, or do their writes and the
// row's completion in one transaction with CompleteTx.
//
// Generated code calls New, Run, Drain and what says so; people meet Job,
// Options, the errors that settle a job, and UntilSignal.
package queue

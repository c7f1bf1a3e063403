//go:build unix

// Command chaos proves the queue's promises under fire. `make chaos` runs it;
// `go test ./internal/chaos` runs it shortened.
//
// A supervisor starts several workers and enqueuers, each a process of its own,
// over one new database. Enqueuers write jobs in transactions, some of which
// they roll back on purpose; beside each job its transaction writes a row into
// `enqueued`, so that what was committed is known. A handler writes into `audit`
// what it did: for jobs of the kind inside in the transaction that completes the
// job, for those of the kind beside in one of its own. Some fail, snooze, give up
// or take longer than a lease. A trigger of the database writes every change of a
// job into `history`.
//
// All the while processes are killed with SIGKILL, stopped for up to four leases
// and continued, or asked to end. Then the killing ends, the queue drains,
// and the tables alone have to show (prove.go):
//
//   - every job of a committed transaction has ended, once;
//   - no job of another transaction exists, or ran;
//   - what was written inside a completing transaction is there exactly once for
//     each job that is done, and never for another;
//   - a job that ran again had lost its lease, or its run had failed, snoozed or
//     been given back;
//   - epochs only grow, and a job is dead only where it gave up or had no attempt
//     left.
//
// CHAOS_SEED replays the decisions: what each job does, which transactions are
// rolled back, whom the supervisor hits, how and after which pause. It cannot
// replay when the operating system and the database let each process run, and so
// not which job a signal hits.
//
//	CHAOS_DATABASE  sqlite, postgres, mysql, several with commas, or all (the default)
//	CHAOS_SECONDS   shared by the databases, draining not counted; 120
//	CHAOS_JOBS      shared by the databases; 100000
//	CHAOS_SEED      a number; without it each run has its own, and prints it
package main

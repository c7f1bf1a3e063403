//go:build unix

// Command chaos proves the queue's promises under fire. `make chaos` runs it;
// `go test ./internal/chaos` runs it shortened.
//
// A supervisor starts several workers and enqueuers, each a process of its own,
// over one new database. Enqueuers write jobs in transactions, some of which
// they roll back on purpose; beside each job its transaction writes a row into
// `enqueued`, so that what was committed is known. Jobs of the queue `job` have
// no limits; those of `task` are unique by a key, at most two at once for a key,
// or at most 20 in a second. A handler writes into `audit` what it did: for jobs
// of the kind inside in the transaction that completes the job, for the others in
// one of its own. Some fail, snooze, give up or take longer than a lease.
// Triggers of the database write every change of a job into `history`. Each
// process keeps a diary, a file that no fault reaches: which commits were
// acknowledged, which transactions ended with an error, which runs did.
//
// All the while processes are killed with SIGKILL, stopped for up to four leases
// and continued, or asked to end. Between each process and PostgreSQL or MariaDB
// stands a proxy (internal/netfault) that resets and half closes connections,
// refuses, delays and holds them, swallows what they carry, and cuts them in the
// middle of a COMMIT: before the server has it, or before the client has the
// answer. Under `make chaos` the server itself is killed with SIGKILL, too, and
// started again. On SQLite a process that is killed dies in the middle of its
// commits. Then the faults end, the queue drains, and the tables and diaries have
// to show (prove.go, limits.go), read with plain SQL through the databases' own
// drivers:
//
//   - every job of a committed transaction has ended, once;
//   - what was acknowledged is there; a transaction that ended with an error is
//     there as a whole or not at all, which the database may decide;
//   - no job of another transaction exists, or ran;
//   - what was written inside a completing transaction is there exactly once for
//     each job that is done, and never for another;
//   - a job that ran again had lost its lease, or its run had failed, snoozed or
//     been given back;
//   - epochs only grow, and a job is dead only where it gave up or had no attempt
//     left;
//   - a job that is unique was added when the one before it had ended, and at no
//     moment two of a key are unfinished;
//   - at no moment more jobs of a key are running than its limit allows;
//   - in no span of a second more claims were counted under the rate than it
//     allows, and none passed uncounted.
//
// What holds at every moment is sampled some fifty times a second, each time in
// one statement and so in one state of the database.
//
// After that, on each database, processes send mail (mail.go): 2,000 messages, to an
// SMTP server in the supervisor (mailsink.go), which notes the Message-ID of what it
// accepts at the moment at which it does. In the middle of the dialogue, at each of its
// steps, it has the process that it talks with killed, 20 times, or frozen for three
// leases, 4 times. Then each message was accepted once or its row is unknown, none is
// lost, and those whose process was killed between the server's acceptance and its answer
// are unknown (mailprove.go).
//
// Last, on each database, processes fire schedules (cron.go): jobs that are due each second, with every
// overlap, while processes are killed 20 times and frozen for one to three leases 8 times, and other jobs are
// paused, resumed, edited, deleted, made again and run by hand 150 times, by SQL and through the typed API.
// Then each instant of the jobs that nobody touched has exactly one run, no action began twice for one,
// jobs show as many runs as the history has and how the last one ended, and none is under way for ever
// (cronprove.go).
//
// CHAOS_SEED replays the decisions: what each job does, which transactions are
// rolled back, whom the supervisor hits, how and after which pause. It cannot
// replay when the operating system and the database let each process run, and so
// not which job a signal hits.
//
//	CHAOS_DATABASE  sqlite, postgres, mysql, several with commas, or all (the default)
//	CHAOS_PART      queue, mail, cron, or all (the default)
//	CHAOS_MESSAGES  of mail on each database; 2000
//	CHAOS_SECONDS   shared by the databases, draining not counted; 120
//	CHAOS_JOBS      shared by the databases; 100000, which outages may keep from being reached
//	CHAOS_SEED      a number; without it each run has its own, and prints it
package main

// Package scheduler fires the jobs of a datatype with a `cron:` section and works their runs.
// Generated code calls it; package cron has what programs name.
//
//	loop.go     the goroutine that waits for the next job, and the looks for jobs that are due
//	fire.go     the transaction that moves jobs to their next instants and adds runs
//	perform.go  the actions that are part of it
//	replace.go  runs that are replaced, and end before the next begins
//	decide.go   what is to become of one job: misfire, overlap
//	plan.go     the schedule of a job, with its zone, bounds and exclusions
//	calendar.go the days without an instant that jobs share
//	check.go    the effect on jobs: refuses what cannot run, and plans
//	report.go   the effect on runs: the job shows how its last run ended
//	groups.go   jobs that change in the same way are changed by one statement
//	worker.go   performs runs
//	ping.go     monitors outside are requested when runs have ended
//	registry.go the actions that this process knows
//	sync.go, declaration.go  jobs that modulagen.yaml declares
//	control.go  what programs ask of a job: RunNow, Pause, Resume, Next, Backfill
//
// No process leads. Each looks for the jobs that are due, about once a second, and in between
// keeps those that are due soon. When one is due, a transaction locks it, moves
// its next_run from the value that was read to the one after, and adds the run: whatever process
// comes second finds another next_run and does nothing. The runs have a unique index over job and
// instant besides.
package scheduler

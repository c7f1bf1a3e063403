// Package queue measures the queue engine beside its peers: River (on SQLite and
// on PostgreSQL), goqite, backlite, asynq on Redis, and the same work written by
// hand in batched SQL.
//
// Each side stands in a file of its own, set up as its authors advise for what
// is measured, and works jobs of one number, {"n": 17}, through its typed API
// where it has one. Ours is the generated package of definitions/bench_job.yaml.
// Every sample gets an empty database, every side of a case the same durability,
// and sides take turns. Every sample is checked: each job ran exactly once, and
// the table says that nothing is left.
//
// What is asked for stands in targets.go, how each figure is taken in the file
// of its case: burndown.go, working.go, enqueue.go, latency.go, idle.go,
// growth.go, snapshots.go. A worker in a process of its own is this program
// again (process.go).
package queue

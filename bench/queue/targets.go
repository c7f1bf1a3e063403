package queue

import "github.com/hegner123/modulagen/bench/measure"

// The names of the peers, as rows print them.
const (
	handName      = "by hand"
	riverName     = "river"         // as its own benchmark sets it up
	riverDefaults = "river default" // as its documentation starts it
	goqiteName    = "goqite"
	backliteName  = "backlite"
	asynqName     = "asynq"
	limitName     = "limit"
	withoutName   = "without them" // ours again, in easier circumstances
)

// The cases, as rows print them and BENCH_CASE selects them.
const (
	burnCase      = "burn-down"
	workingCase   = "insert while working"
	enqueueCase   = "enqueue, 16 goroutines, durable"
	latencyCase   = "latency"
	idleCase      = "idle"
	growthCase    = "burn-down, 2,000,000 other rows"
	snapshotsCase = "3 open transactions"
)

// asked is one ratio that is asked for. Ratios are "how much better ours is".
type asked struct {
	what, db, peer string
	ratio          float64
}

// targets is all that is asked for. A row that is not in it is a figure only.
var targets = []asked{
	{burnCase, "sqlite", riverName, 20},
	{burnCase, "sqlite", goqiteName, 6},
	{burnCase, "sqlite", backliteName, 6},
	{burnCase, "sqlite", handName, 0.5},
	{burnCase, "postgres", riverName, 3},
	{burnCase, "postgres", handName, 0.6},
	{"latency p95, 2 processes", "postgres", riverName, 5},
	{"latency p95, 2 processes", "postgres", riverDefaults, 5},
	{"latency p99, 2 processes", "postgres", limitName, 1},
	{"latency p99, 1 process", "sqlite", limitName, 1},
	{"latency p99, 2 processes", "sqlite", limitName, 1},
	{"idle statements", "postgres", limitName, 1},
	{growthCase, "sqlite", withoutName, 1 / 1.3},
	{growthCase, "postgres", withoutName, 1 / 1.3},
	{growthCase, "mysql", withoutName, 1 / 1.3},
}

// The limits that peers called "limit" stand for.
const (
	limitPostgresP99  = 15.0 // ms, commit to handler start
	limitSQLiteOneP99 = 5.0
	limitSQLiteTwoP99 = 25.0
	limitStatements   = 5.0 // a second
)

// target is the ratio that is asked for, or nil.
func target(what, db, peer string) *float64 {
	for _, t := range targets {
		if t.what == what && t.db == db && t.peer == peer {
			return measure.Target(t.ratio)
		}
	}
	return nil
}

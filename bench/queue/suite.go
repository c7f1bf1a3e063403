package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
)

const suite = "queue"

// sizes are how much of everything is measured.
type sizes struct {
	rounds      int           // of sides that are fast
	slowRounds  int           // of those that take many seconds
	jobs        int           // of a burn-down
	working     time.Duration // insert while working
	enqueueing  time.Duration // one at a time, of each sample
	pace        int           // jobs a second of the latency
	paced       time.Duration
	idle        time.Duration
	others      int // finished rows, and as many future ones, of the growth
	snapshots   time.Duration
	patience    time.Duration // with one sample
	warmUp      time.Duration // before latencies and idleness count
	seedRows    int           // rows that are cloned to others
	enqueueFrom int           // goroutines
}

func fullSizes() sizes {
	return sizes{
		rounds: 3, slowRounds: 2, jobs: 50_000, working: 15 * time.Second, enqueueing: 1500 * time.Millisecond,
		pace: 300, paced: 20 * time.Second, idle: 10 * time.Second, others: 1_000_000, snapshots: 60 * time.Second,
		patience: 3 * time.Minute, warmUp: time.Second, seedRows: 1000, enqueueFrom: 16,
	}
}

func quickSizes() sizes {
	s := fullSizes()
	s.rounds, s.slowRounds, s.jobs = 1, 1, 10_000
	s.working, s.enqueueing, s.paced, s.idle = 3*time.Second, 500*time.Millisecond, 4*time.Second, 3*time.Second
	s.others, s.snapshots = 100_000, 10*time.Second
	return s
}

// trial is one run of the suite.
type trial struct {
	sizes
	hosts   map[string]*host
	report  *measure.Report
	durable bool // every case, as BENCH_DURABLE asks

	asynqWorking float64 // jobs/s, once measured
	asynqLatency percentiles
}

// steps are the cases in the order in which they run.
var steps = []struct {
	name string
	run  func(t *trial, ctx context.Context) error
}{
	{burnCase, (*trial).burnDowns},
	{workingCase, (*trial).insertsWhileWorking},
	{enqueueCase, (*trial).enqueues},
	{latencyCase, (*trial).latencies},
	{idleCase, (*trial).idles},
	{growthCase, (*trial).growths},
	{snapshotsCase, (*trial).openTransactions},
}

// Run measures every case on every database that there is, or the cases whose
// name contains BENCH_CASE.
func Run(ctx context.Context, _ string, report *measure.Report) (err error) {
	t := &trial{sizes: fullSizes(), report: report, durable: os.Getenv("BENCH_DURABLE") != ""}
	if os.Getenv("BENCH_QUICK") != "" {
		t.sizes = quickSizes()
	}
	if n, err := strconv.Atoi(os.Getenv("BENCH_LONG")); err == nil && n > 0 {
		t.rounds, t.slowRounds = n, n
	}
	if t.hosts, err = openHosts(ctx, report.Note); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeHosts(t.hosts)) }()
	t.introduce()
	for _, step := range steps {
		if !strings.Contains(step.name, os.Getenv("BENCH_CASE")) {
			continue
		}
		start := time.Now()
		err = errors.Join(err, step.run(t, ctx))
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		report.Note("queue: %s took %s", step.name, time.Since(start).Round(time.Second))
	}
	return err
}

// goOn notes what failed on one database: the others can still be measured.
func (t *trial) goOn(ctx context.Context, failed error, what, db string, err error) error {
	if err == nil || ctx.Err() != nil {
		return failed
	}
	t.report.Note("queue: %s on %s FAILED: %v", what, db, err)
	return errors.Join(failed, fmt.Errorf("%s on %s: %w", what, db, err))
}

// introduce says what a reader of the figures has to know.
func (t *trial) introduce() {
	t.report.Note("queue: %s, %d processors; medians of %d samples in turns, of %d for River, goqite and backlite on SQLite; latencies and inserts while working once each, for long",
		runtime.Version(), runtime.NumCPU(), t.rounds, t.slowRounds)
	t.report.Note("queue: peers: %s", strings.Join(peerVersions(), ", "))
	for _, db := range []string{"sqlite", "postgres", "mysql", "redis"} {
		if h := t.hosts[db]; h != nil {
			t.report.Note("queue: %s, every side: %s; in the durable case: %s", db, h.durability(t.durable), h.durability(true))
		}
	}
	t.report.Note("queue: ours: Concurrency %d, all else as it is; by hand: batches of %d, 1 goroutine on SQLite, %d elsewhere", ourConcurrency, handBatch, handLoops)
	t.report.Note("queue: river: as its own benchmark, %d workers, fetch cooldown %s, poll %s; river default: %d workers, all else as it is; pools of %d and %d on PostgreSQL, one connection on SQLite",
		riverBench.workers, riverBench.cooldown, riverBench.poll, riverStart.workers, riverBench.pool, riverStart.pool)
	t.report.Note("queue: goqite: its runner, limit %d, poll 1ms; backlite: %d workers; asynq: concurrency %d, check every %s; these three delete finished jobs, the others keep them",
		goqiteLimit, backliteWorkers, asynqConcurrency, asynqCheck)
}

// peerVersions are the versions of the peers that this program was built with.
func peerVersions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return []string{"unknown"}
	}
	wanted := map[string]bool{
		"github.com/riverqueue/river": true, "maragu.dev/goqite": true, "github.com/mikestefanello/backlite": true,
		"github.com/hibiken/asynq": true, "github.com/jackc/pgx/v5": true, "modernc.org/sqlite": true, "github.com/go-sql-driver/mysql": true,
	}
	var out []string
	for _, m := range info.Deps {
		if wanted[m.Path] {
			out = append(out, m.Path+" "+m.Version)
		}
	}
	return out
}

// on opens a side on an empty database, calls fn within t.patience, and removes
// the database.
func (t *trial) on(ctx context.Context, o opener, durable bool, fn func(ctx context.Context, s side, at place) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	h := t.hosts[o.db]
	if err := h.set(ctx, durable); err != nil {
		return err
	}
	at, err := h.place(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.remove()) }()
	s, err := o.open(ctx, at)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", o.name, o.db, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := fn(ctx, s, at); err != nil {
		return fmt.Errorf("%s on %s: %w", o.name, o.db, err)
	}
	return nil
}

// rounds of a side: those that take long are measured less often.
func (t *trial) roundsOf(o opener) int {
	if o.db == "sqlite" && o.name != oursName && o.name != handName {
		return t.slowRounds
	}
	return t.rounds
}

// rotate takes the samples of several sides in turns and gives their medians.
func (t *trial) rotate(sides []opener, sample func(o opener) (float64, error)) ([]float64, error) {
	var rounds []int
	var samples []measure.Sample
	for _, o := range sides {
		rounds = append(rounds, t.roundsOf(o))
		samples = append(samples, func() (float64, error) { return sample(o) })
	}
	return measure.RotateEach(rounds, samples...)
}

// matches are the sides of one database in a case: ours first.
func (t *trial) matches(db string, peers ...string) []opener {
	sides := []opener{find(db, oursName)}
	for _, name := range peers {
		o, from := db, name
		if name == asynqName {
			o = "redis"
		}
		if t.hosts[o] != nil {
			sides = append(sides, find(o, from))
		}
	}
	return sides
}

// rates reports a figure of ours beside each peer's; more is better.
func (t *trial) rates(what, db string, sides []opener, figures []float64) {
	for i, o := range sides[1:] {
		t.report.Add(measure.CompareRates(suite, what, db, "jobs/s", o.name, figures[0], figures[i+1], target(what, db, o.name)))
	}
}

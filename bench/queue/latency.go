package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
)

// percentiles of a latency, in milliseconds.
type percentiles struct{ p50, p95, p99 float64 }

// latencies measures, at a steady pace, the time from the end of the call that
// enqueued and committed a job to the start of its handler. A handler that
// starts before the call has returned counts as 0. Every side is measured once,
// for long.
func (t *trial) latencies(ctx context.Context) (failed error) {
	t.report.Note("queue: latency: %d jobs/s for %s, each enqueued by a goroutine of its own at its time", t.pace, t.paced)
	for _, c := range []struct {
		db        string
		processes int
		limit     float64
		peers     []string
	}{
		{"postgres", 2, limitPostgresP99, []string{riverName, riverDefaults, asynqName}},
		{"sqlite", 1, limitSQLiteOneP99, []string{riverName}},
		{"sqlite", 2, limitSQLiteTwoP99, []string{riverName}},
		{"mysql", 2, 0, []string{asynqName}},
	} {
		if t.hosts[c.db] == nil {
			continue
		}
		err := t.latency(ctx, c.processes, c.limit, t.matches(c.db, c.peers...))
		failed = t.goOn(ctx, failed, latencyCase, c.db, err)
	}
	return failed
}

func (t *trial) latency(ctx context.Context, processes int, limit float64, sides []opener) error {
	found := make([]percentiles, len(sides))
	for i, o := range sides {
		p, err := t.latencyOf(ctx, o, processes)
		if err != nil {
			return err
		}
		found[i] = p
	}
	t.reportLatencies(sides[0].db, processes, limit, sides, found)
	return nil
}

func (t *trial) reportLatencies(db string, processes int, limit float64, sides []opener, found []percentiles) {
	where := "1 process"
	if processes > 1 {
		where = fmt.Sprintf("%d processes", processes)
	}
	for _, p := range []struct {
		name string
		of   func(percentiles) float64
	}{
		{"p50", func(p percentiles) float64 { return p.p50 }},
		{"p95", func(p percentiles) float64 { return p.p95 }},
		{"p99", func(p percentiles) float64 { return p.p99 }},
	} {
		what := fmt.Sprintf("latency %s, %s", p.name, where)
		for i, o := range sides[1:] {
			t.report.Add(measure.Compare(suite, what, db, "ms", o.name, p.of(found[0]), p.of(found[i+1]), target(what, db, o.name)))
		}
		if goal := target(what, db, limitName); goal != nil {
			t.report.Add(measure.Compare(suite, what, db, "ms", limitName, p.of(found[0]), limit, goal))
		}
	}
}

// latencyOf measures one side. What asynq does is the same beside each database.
func (t *trial) latencyOf(ctx context.Context, o opener, processes int) (p percentiles, err error) {
	if o.name == asynqName && t.asynqLatency != (percentiles{}) {
		return t.asynqLatency, nil
	}
	err = t.on(ctx, o, t.durable, func(ctx context.Context, s side, at place) error {
		warm, jobs := t.jobsIn(t.warmUp), t.jobsIn(t.paced)
		seen, end, err := t.startWorker(ctx, o, s, at, processes, warm+jobs)
		if err != nil {
			return err
		}
		committed, err := t.produce(ctx, s, warm+jobs)
		if err == nil {
			err = settled(ctx, s)
		}
		var started startsAnswer
		if err == nil {
			started, err = seen()
		}
		if err := errors.Join(err, end()); err != nil {
			return err
		}
		p, err = latency(committed, started, warm)
		return errors.Join(err, checkTable(ctx, s, warm+jobs))
	})
	if o.name == asynqName {
		t.asynqLatency = p
	}
	return p, err
}

func (t *trial) jobsIn(d time.Duration) int { return int(d.Seconds() * float64(t.pace)) }

// startWorker works here or in a process of its own.
func (t *trial) startWorker(ctx context.Context, o opener, s side, at place, processes, jobs int) (seen func() (startsAnswer, error), end func() error, err error) {
	if processes == 1 {
		here := newStarts(jobs)
		stop, err := s.Work(ctx, here.handle)
		return func() (startsAnswer, error) { return here.answer(), nil }, stop, err
	}
	p, err := startProcess(ctx, o, at, jobs)
	if err != nil {
		return nil, nil, err
	}
	return func() (a startsAnswer, err error) { return a, p.ask(askStarts, &a) }, p.stop, nil
}

// produce enqueues at the pace and gives the time after each call, in
// nanoseconds since 1970. A slow call delays none of those after it.
func (t *trial) produce(ctx context.Context, s side, jobs int) ([]int64, error) {
	committed := make([]int64, jobs)
	failed := make([]error, jobs)
	var running sync.WaitGroup
	interval := time.Second / time.Duration(t.pace)
	start := time.Now()
	for n := range jobs {
		time.Sleep(time.Until(start.Add(time.Duration(n) * interval)))
		running.Go(func() {
			failed[n] = s.Enqueue(ctx, n)
			committed[n] = time.Now().UnixNano()
		})
	}
	running.Wait()
	return committed, errors.Join(failed...)
}

// latency leaves the jobs of the warm-up out.
func latency(committed []int64, started startsAnswer, warm int) (percentiles, error) {
	if started.Twice != 0 {
		return percentiles{}, fmt.Errorf("%d starts of a job that had started, or that nobody enqueued", started.Twice)
	}
	var waits []float64
	for n, at := range started.At {
		if at == 0 {
			return percentiles{}, fmt.Errorf("job %d never started", n)
		}
		if n >= warm {
			waits = append(waits, max(0, float64(at-committed[n])/1e6))
		}
	}
	slices.Sort(waits)
	rank := func(part float64) float64 { return waits[min(len(waits)-1, int(part*float64(len(waits))))] }
	return percentiles{rank(0.50), rank(0.95), rank(0.99)}, nil
}

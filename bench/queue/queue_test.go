package queue

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
)

// TestMain lets this program be the worker process of its own tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		if err := Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// small is a trial of 50 jobs; what it reports goes nowhere.
func small(t testing.TB) *trial {
	tr := &trial{sizes: quickSizes(), report: measure.NewReport(discard{}, discard{}, true)}
	tr.jobs, tr.rounds, tr.slowRounds = 50, 1, 1
	tr.pace, tr.paced, tr.warmUp = 100, 400*time.Millisecond, 100*time.Millisecond
	tr.working, tr.enqueueing, tr.idle = 200*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond
	tr.others, tr.seedRows, tr.snapshots, tr.patience = 400, 20, 500*time.Millisecond, time.Minute
	hosts, err := openHosts(t.Context(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeHosts(hosts); err != nil {
			t.Error(err)
		}
	})
	tr.hosts = hosts
	return tr
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Every side works 50 jobs, each once, and says so itself.
func TestSides(t *testing.T) {
	tr := small(t)
	for _, o := range openers {
		t.Run(o.db+"/"+o.name, func(t *testing.T) {
			if tr.hosts[o.db] == nil {
				t.Skipf("no %s; scripts/services.sh --redis gives one", o.db)
			}
			err := tr.on(t.Context(), o, false, func(ctx context.Context, s side, _ place) error {
				_, err := burnDown(ctx, s, 50)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Every case runs to its end with sizes that measure nothing.
func TestCases(t *testing.T) {
	tr := small(t)
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			if err := step.run(tr, t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTally(t *testing.T) {
	count := newTally(3)
	count.handle(0)
	count.handle(1)
	if count.check(3) == nil {
		t.Error("a job that did not run was not missed")
	}
	count.handle(2)
	<-count.all
	if err := count.check(3); err != nil {
		t.Error(err)
	}
	count.handle(1)
	if count.check(3) == nil {
		t.Error("a job that ran twice was not noticed")
	}
}

// Every target names a row that exists: a typing error would drop it silently.
func TestTargets(t *testing.T) {
	var rows []asked
	for _, db := range []string{"sqlite", "postgres", "mysql"} {
		for _, name := range []string{handName, riverName, goqiteName, backliteName} {
			rows = append(rows, asked{burnCase, db, name, 0})
		}
		for _, where := range []string{"1 process", "2 processes"} {
			for _, name := range []string{riverName, riverDefaults, limitName} {
				rows = append(rows, asked{"latency p95, " + where, db, name, 0}, asked{"latency p99, " + where, db, name, 0})
			}
		}
		rows = append(rows, asked{"idle statements", db, limitName, 0}, asked{growthCase, db, withoutName, 0})
	}
	for _, want := range targets {
		found := false
		for _, row := range rows {
			found = found || row.what == want.what && row.db == want.db && row.peer == want.peer
		}
		if !found {
			t.Errorf("no row is %s on %s against %s", want.what, want.db, want.peer)
		}
	}
}

func TestLatency(t *testing.T) {
	committed := []int64{0, 0, 0, 5e6}
	p, err := latency(committed, startsAnswer{At: []int64{9e6, 1e6, 3e6, 2e6}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p != (percentiles{1, 3, 3}) { // 0 (it started early), 1 and 3 ms
		t.Errorf("%+v", p)
	}
	if _, err := latency(committed, startsAnswer{At: []int64{9e6, 0, 3e6, 2e6}}, 1); err == nil {
		t.Error("a job that never started was not noticed")
	}
}

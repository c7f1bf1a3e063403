package cache

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
)

// WorkerCommand is the argument with which the program is one of the processes
// of the stampede.
const WorkerCommand = "cache-worker"

const (
	stampedeProcesses = 4
	stampedeCallers   = 10_000
)

// Work is one process of the stampede: it says that it is ready, waits for a
// line, and asks for one key from many goroutines. It prints how many loads it
// ran.
func Work(ctx context.Context, dsn string, in io.Reader, out io.Writer) error {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	texts := cache.New[string](db.CacheEntry, cache.Options{})
	fmt.Fprintln(out, "ready")
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return err
	}
	var loads, wrong atomic.Int64
	var all sync.WaitGroup
	for range stampedeCallers / stampedeProcesses {
		all.Go(func() {
			v, err := texts.Fetch(ctx, "stampede", time.Hour, func(context.Context) (string, error) {
				loads.Add(1)
				time.Sleep(50 * time.Millisecond)
				return "value", nil
			})
			if err != nil || v != "value" {
				wrong.Add(1)
			}
		})
	}
	all.Wait()
	if n := wrong.Load(); n > 0 {
		return fmt.Errorf("%d callers got no value", n)
	}
	fmt.Fprintln(out, loads.Load())
	return nil
}

func (t *trial) stampede(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := t.texts.Delete(ctx, "stampede"); err != nil {
		return err
	}
	type worker struct {
		cmd *exec.Cmd
		in  io.WriteCloser
		out *bufio.Reader
	}
	var workers []worker
	for range stampedeProcesses {
		cmd := exec.CommandContext(ctx, program, WorkerCommand, "sqlite:"+t.path)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		w := worker{cmd, in, bufio.NewReader(out)}
		if line, err := w.out.ReadString('\n'); err != nil || line != "ready\n" {
			return fmt.Errorf("a process of the stampede says %q, %v", line, err)
		}
		workers = append(workers, w)
	}
	for _, w := range workers {
		if _, err := io.WriteString(w.in, "\n"); err != nil {
			return err
		}
	}
	total := 0
	for _, w := range workers {
		n := 0
		if _, err := fmt.Fscan(w.out, &n); err != nil {
			return err
		}
		total += n
		if err := w.cmd.Wait(); err != nil {
			return err
		}
	}
	t.report.Add(measure.Compare(suite, "10,000 callers, 4 processes, cold key", "sqlite", "loads", "limit", float64(total), 1, measure.Target(1)))
	return nil
}

// big is a table of many entries, of which some are tagged and some expired.
func (t *trial) big(ctx context.Context, expired bool) (*generated.DB, *cache.Cache[[]byte], string, error) {
	path := filepath.Join(filepath.Dir(t.path), fmt.Sprintf("large-%v.db", expired))
	db, err := generated.Open(ctx, "sqlite:"+path, generated.Options{})
	if err != nil {
		return nil, nil, "", err
	}
	texts := cache.New[[]byte](db.CacheEntry, cache.Options{Memory: -1, Codec: cache.Raw(), Jitter: -1})
	special := t.large / 100
	if expired {
		special = t.large / 10
	}
	every := t.large / special
	const batch = 5000
	for at := 0; at < t.large; at += batch {
		plain, chosen := map[string][]byte{}, map[string][]byte{}
		for i := at; i < at+batch; i++ {
			key := fmt.Sprintf("large:%08d", i*7919%t.large)
			if i%every == 0 {
				chosen[key] = t.value
			} else {
				plain[key] = t.value
			}
		}
		ttl, opts := 24*time.Hour, []cache.Option{cache.Tags("chosen")}
		if expired {
			ttl, opts = time.Microsecond, nil
		}
		if err := errors.Join(texts.SetMany(ctx, plain, 24*time.Hour, cache.Tags(fmt.Sprint("group", at))), texts.SetMany(ctx, chosen, ttl, opts...)); err != nil {
			return nil, nil, "", errors.Join(err, db.Close())
		}
	}
	return db, texts, path, nil
}

func (t *trial) invalidation(ctx context.Context) error {
	db, texts, _, err := t.big(ctx, false)
	if err != nil {
		return err
	}
	defer db.Close()
	reading, stop := context.WithCancel(ctx)
	latencies := make(chan []time.Duration)
	go func() {
		latencies <- repeat(reading, func(i int) { texts.Get(ctx, fmt.Sprintf("large:%08d", i*6151%t.large)) })
	}()
	start := time.Now()
	n, err := texts.InvalidateTags(ctx, "chosen")
	took := time.Since(start)
	stop()
	seen := <-latencies
	if err != nil {
		return err
	}
	if n != int64(t.large/100) {
		return fmt.Errorf("%d entries were invalidated, not %d", n, t.large/100)
	}
	t.report.Add(measure.Compare(suite, fmt.Sprintf("invalidate a tag, %d of %d", n, t.large), "sqlite", "ms", "limit", took.Seconds()*1000, 300, measure.Target(1)))
	t.report.Note("meanwhile, %d gets: median %v, p99 %v", len(seen), at(seen, 0.5), at(seen, 0.99))
	return nil
}

// repeat times fn until ctx ends.
func repeat(ctx context.Context, fn func(i int)) []time.Duration {
	var out []time.Duration
	for i := 0; ctx.Err() == nil; i++ {
		start := time.Now()
		fn(i)
		out = append(out, time.Since(start))
	}
	slices.Sort(out)
	return out
}

func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))].Round(time.Microsecond)
}

// cleanup measures the longest lock from outside: how long a second connection,
// which asks all the time, is refused the right to write.
func (t *trial) cleanup(ctx context.Context) error {
	db, texts, path, err := t.big(ctx, true)
	if err != nil {
		return err
	}
	defer db.Close()
	probe, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(0)")
	if err != nil {
		return err
	}
	defer probe.Close()
	probe.SetMaxOpenConns(1)
	probing, stop := context.WithCancel(ctx)
	longest := make(chan time.Duration)
	go func() { longest <- refused(probing, probe) }()
	start := time.Now()
	n, err := texts.CleanupExpired(ctx)
	took := time.Since(start)
	stop()
	locked := <-longest
	if err != nil {
		return err
	}
	if n != int64(t.large/10) {
		return fmt.Errorf("%d entries were removed, not %d", n, t.large/10)
	}
	name := fmt.Sprintf("clean up, %d of %d", n, t.large)
	t.report.Add(measure.CompareRates(suite, name, "sqlite", "/s", "none", float64(n)/took.Seconds(), 0, nil))
	t.report.Add(measure.Compare(suite, name+": longest lock", "sqlite", "ms", "limit", float64(locked.Microseconds())/1000, 50, measure.Target(1)))
	return nil
}

// refused returns the longest time in which no transaction could begin.
func refused(ctx context.Context, probe *sql.DB) (longest time.Duration) {
	free := time.Now()
	for ctx.Err() == nil {
		if _, err := probe.Exec("BEGIN IMMEDIATE"); err == nil {
			longest = max(longest, time.Since(free))
			_, _ = probe.Exec("ROLLBACK")
			free = time.Now()
		}
		time.Sleep(200 * time.Microsecond)
	}
	return longest
}

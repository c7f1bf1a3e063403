//go:build unix

package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// longLease is the lease of tests in which a live worker is to keep its jobs: its
// heartbeats have two seconds each, which a busy machine needs.
const longLease = 8 * time.Second

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(playRole(role))
	}
	flag.Parse()
	// These tests wait for leases and outages, and hardly use the processor.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var databases = []string{"sqlite", "postgres", "mysql"}

// onEach runs a test on every database, which the test may open again.
func onEach(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Parallel()
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			dsn := freshDSN(t, name)
			t.Parallel()
			test(t, dsn)
		})
	}
}

func freshDSN(t *testing.T, name string) string {
	if name == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "faults.db")
	}
	return storetest.FreshDSN(t, name)
}

func open(t *testing.T, dsn string, opts today.Options) *today.DB {
	t.Helper()
	opts.MaxConns = 8
	db, err := today.Open(t.Context(), dsn, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// hands run what a test says.
type hands struct {
	note func(context.Context, *today.NoteJob) error
	slow func(context.Context, *today.SlowJob) error
}

func (h hands) Note(ctx context.Context, j *today.NoteJob) error { return h.note(ctx, j) }
func (h hands) Slow(ctx context.Context, j *today.SlowJob) error { return h.slow(ctx, j) }
func (h hands) Bulk(context.Context, *today.BulkJob) error       { return nil }

func (h hands) NoteFromV1(_ context.Context, old today.NoteV1) (today.Note, error) {
	return today.Note{Text: "once: " + old.Words}, nil
}

func fine(context.Context, *today.NoteJob) error { return nil }

// work runs a worker until stop, which returns what Run returned; one that ends by
// itself fails the test. Its log is the test's, unless opts has another.
func work(t *testing.T, db *today.DB, h hands, opts queue.Options) (stop func() error) {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		err := db.Run(ctx, today.Workers{Task: h, TaskOptions: opts})
		if ctx.Err() == nil {
			t.Errorf("Run ended before it was stopped: %v", err)
		}
		done <- err
	}()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			return errors.New("Run does not return")
		}
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

func mustStop(t *testing.T, stop func() error) {
	t.Helper()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func attempts(n int64) func(*today.TaskNew) {
	return func(r *today.TaskNew) { r.MaxAttempts = store.Int(n) }
}

func note(t *testing.T, db *today.DB, text string, opts ...func(*today.TaskNew)) today.TaskID {
	t.Helper()
	row, err := db.Task.EnqueueNote(t.Context(), today.Note{Text: text}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return row.ID
}

func get(t *testing.T, db *today.DB, id today.TaskID) *today.Task {
	t.Helper()
	row, err := db.Task.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// ended waits until a task has ended.
func ended(t *testing.T, db *today.DB, id today.TaskID) *today.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	row, err := db.Task.Await(ctx, id)
	if err != nil {
		t.Fatalf("task %d: %v; it is %+v", id, err, get(t, db, id))
	}
	return row
}

// is compares a task with what it should be: "state, attempts, error", of which
// the last is a part.
func is(t *testing.T, row *today.Task, state today.TaskState, tries int64, text string) {
	t.Helper()
	if row.State != state || row.Attempts != tries || !strings.Contains(row.Error.V, text) {
		t.Errorf("task %d is %s after %d attempts with the error %q; want %s, %d, %q", row.ID, row.State, row.Attempts, row.Error.V[:min(len(row.Error.V), 500)], state, tries, text)
	}
}

// await waits for something that a test's handler or process does.
func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: not within %s", what, patience)
		panic("unreachable")
	}
}

// until asks until something is so that nothing announces.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// journal is a log that can be waited for.
type journal struct {
	mu    sync.Mutex
	lines []string
	news  chan struct{}
}

func newJournal() *journal { return &journal{news: make(chan struct{})} }

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// Write takes one line of the log.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(line))
	close(j.news)
	j.news = make(chan struct{})
	return len(line), nil
}

// says waits until a line has all of the words.
func (j *journal) says(t *testing.T, words ...string) {
	t.Helper()
	j.wait(t, 0, 1, words)
}

// saysAgain waits for n more lines that have all of the words.
func (j *journal) saysAgain(t *testing.T, n int, words ...string) {
	t.Helper()
	j.mu.Lock()
	from := len(j.lines)
	j.mu.Unlock()
	j.wait(t, from, n, words)
}

func (j *journal) wait(t *testing.T, from, n int, words []string) {
	t.Helper()
	end := time.After(patience)
	for {
		j.mu.Lock()
		lines, news := j.lines, j.news
		j.mu.Unlock()
		found := 0
		for _, line := range lines[from:] {
			if all(line, words) {
				found++
			}
		}
		if found >= n {
			return
		}
		select {
		case <-news:
		case <-end:
			t.Fatalf("the log does not say %q:\n%s", words, strings.Join(lines, ""))
		}
	}
}

func all(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

func idWord(id today.TaskID) string { return fmt.Sprintf("id=%d ", id) }

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// crowd is writes that wait for one writer, in the order in which they came.
type crowd struct {
	t    *testing.T
	b    *backend
	held *conn
	errs []*error
	wg   sync.WaitGroup
}

const crowdTable = "CREATE TABLE x (id INTEGER PRIMARY KEY, s TEXT, parent INTEGER REFERENCES x DEFERRABLE INITIALLY DEFERRED) STRICT"

func newCrowd(t *testing.T, options string) *crowd {
	t.Helper()
	b := openBackend(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db")+options)
	exec(t, b, crowdTable)
	return &crowd{t: t, b: b, held: holdWriter(t, b)}
}

func holdWriter(t *testing.T, b *backend) *conn {
	t.Helper()
	c, err := b.takeWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// waiting counts those in the queue.
func (w *writer) waiting() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t := w.first; t != nil; t = t.next {
		n++
	}
	return n
}

// add starts fn and returns when it waits in the queue.
func (c *crowd) add(fn func() error) {
	c.t.Helper()
	result := new(error)
	c.errs = append(c.errs, result)
	before := c.b.writer.waiting()
	c.wg.Go(func() { *result = fn() })
	for c.b.writer.waiting() == before {
		runtime.Gosched()
	}
}

func (c *crowd) insert(ctx context.Context, args ...any) {
	c.t.Helper()
	c.add(func() error {
		_, err := c.b.Exec(ctx, "INSERT INTO x (id, s) VALUES (?, ?)", args)
		return err
	})
}

// run lets them go and gives their errors.
func (c *crowd) run() []error {
	c.b.giveWriter(c.held)
	return c.results()
}

func (c *crowd) results() []error {
	c.wg.Wait()
	errs := make([]error, len(c.errs))
	for i, err := range c.errs {
		errs[i] = *err
	}
	return errs
}

func (c *crowd) want(sql string, want int64) {
	c.t.Helper()
	var n int64
	if err := c.b.QueryRow(context.Background(), sql, nil, []any{&n}); err != nil || n != want {
		c.t.Errorf("%s: %d, %v; want %d", sql, n, err, want)
	}
}

// walFrames counts the pages in the WAL: each commit writes one at least.
func (c *crowd) walFrames() int64 {
	c.t.Helper()
	info, err := os.Stat(c.b.cfg.path + "-wal")
	if err != nil {
		c.t.Fatal(err)
	}
	return (info.Size() - 32) / (4096 + 24)
}

// TestGroup has many writes share a commit, each with its own result.
func TestGroup(t *testing.T) {
	c := newCrowd(t, "")
	before := c.walFrames()
	const n = 60
	ids := make([]int64, n)
	for i := range n {
		switch {
		case i%10 == 3: // another row has the key
			c.insert(t.Context(), int64(1), "again")
		case i%2 == 0:
			c.insert(t.Context(), int64(i+1), "text")
		default:
			c.add(func() error {
				return c.b.QueryRow(t.Context(), "INSERT INTO x (id) VALUES (?) RETURNING id * 2", []any{int64(i + 1)}, []any{&ids[i]})
			})
		}
	}
	c.add(func() error {
		var none int64
		return c.b.QueryRow(t.Context(), "UPDATE x SET s = 'y' WHERE id = 1000 RETURNING id", nil, []any{&none})
	})
	var texts []string
	c.add(func() error {
		var id int64
		var s store.Null[string]
		var blob []byte
		return c.b.Query(t.Context(), "UPDATE x SET s = s || '!' WHERE id < 4 RETURNING id, s, x'00ff'", nil, []any{&id, &s, &blob}, func() error {
			texts = append(texts, fmt.Sprint(id, s.Or("null"), blob))
			return nil
		})
	})
	defer func() {
		if got := strings.Join(texts, ", "); got != "1text![0 255], 2null[0 255], 3text![0 255]" {
			t.Errorf("rows are %s", got)
		}
	}()
	for i, err := range c.run() {
		switch {
		case i == n:
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a row that is not there: %v", err)
			}
		case i > n && err == nil:
		case i%10 == 3:
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("write %d: %v", i, err)
			}
		case err != nil || i%2 == 1 && ids[i] != int64(i+1)*2:
			t.Errorf("write %d: %d, %v", i, ids[i], err)
		}
	}
	c.want("SELECT count(*) FROM x", n-n/10)
	if frames := c.walFrames() - before; frames > 5 {
		t.Errorf("%d pages written by one commit", frames)
	}
}

// TestGroupEach has calls of ExecEach in a group, one of which fails half-way.
func TestGroupEach(t *testing.T) {
	c := newCrowd(t, "")
	touched := make([][]int64, 4)
	for k := range touched {
		touched[k] = make([]int64, 5)
		c.add(func() error {
			return c.b.ExecEach(t.Context(), "INSERT INTO x (id, s) VALUES (?, ?)", func(i int) []any {
				if k == 2 && i == 4 {
					return []any{int64(1), "again"}
				}
				return []any{int64(10*k + i + 1), "text"}
			}, touched[k])
		})
	}
	for i, err := range c.run() {
		if i == 2 && !errors.Is(err, store.ErrConflict) || i != 2 && (err != nil || fmt.Sprint(touched[i]) != "[1 1 1 1 1]") {
			t.Errorf("call %d: %v, %v", i, touched[i], err)
		}
	}
	c.want("SELECT count(*) FROM x", 15)
	c.want("SELECT count(*) FROM x WHERE id BETWEEN 21 AND 29", 0)
}

// TestGroupCancelled has a write go away while it waits.
func TestGroupCancelled(t *testing.T) {
	c := newCrowd(t, "")
	why := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	c.insert(t.Context(), int64(1), "a")
	c.insert(ctx, int64(2), "b")
	c.insert(t.Context(), int64(3), "c")
	cancel(why)
	for c.b.writer.waiting() != 2 {
		runtime.Gosched()
	}
	errs := c.run()
	if errs[0] != nil || !errors.Is(errs[1], why) || errs[2] != nil {
		t.Error(errs)
	}
	c.want("SELECT sum(id) FROM x", 4)
}

// signal is an argument that says when it is bound.
type signal struct{ bound func() }

func (s signal) Bind() any      { s.bound(); return "bound" }
func (s signal) Scan(any) error { s.bound(); return nil }

const endlessInsert = "INSERT INTO x (s) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT ? FROM n"

// TestGroupInterrupted interrupts a statement that runs: with it goes the whole
// transaction, and the others run again.
func TestGroupInterrupted(t *testing.T) {
	for at := range 3 { // the leader's own, one in the middle, the last
		c := newCrowd(t, "")
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 3 {
			if i == at {
				c.add(func() error {
					_, err := c.b.Exec(ctx, endlessInsert, []any{signal{cancel}})
					return err
				})
			} else {
				c.insert(t.Context(), int64(i+1), "a")
			}
		}
		errs := c.run()
		cancel()
		for i, err := range errs {
			if i == at && !errors.Is(err, context.Canceled) || i != at && err != nil {
				t.Errorf("with the %d. interrupted, the %d.: %v", at, i, err)
			}
		}
		c.want("SELECT count(*) FROM x", 2)
	}
}

// TestGroupFull has one write of a group fill the file.
func TestGroupFull(t *testing.T) {
	c := newCrowd(t, "")
	if _, err := c.held.exec(t.Context(), "PRAGMA max_page_count = 40", nil); err != nil {
		t.Fatal(err)
	}
	c.insert(t.Context(), int64(1), "a")
	c.insert(t.Context(), int64(2), strings.Repeat("x", 1<<20))
	c.insert(t.Context(), int64(3), "c")
	errs := c.run()
	if errs[0] != nil || !errors.Is(errs[1], store.ErrFull) || errs[2] != nil {
		t.Error(errs)
	}
	c.want("SELECT sum(id) FROM x", 4)
}

// TestGroupRollsBack has a statement that ends the transaction that it is in.
func TestGroupRollsBack(t *testing.T) {
	c := newCrowd(t, "")
	c.insert(t.Context(), int64(1), "a")
	c.add(func() error {
		_, err := c.b.Exec(t.Context(), "INSERT OR ROLLBACK INTO x (id) VALUES (1)", nil)
		return err
	})
	c.insert(t.Context(), int64(3), "c")
	errs := c.run()
	if errs[0] != nil || !errors.Is(errs[1], store.ErrConflict) || errs[2] != nil {
		t.Error(errs)
	}
	c.want("SELECT sum(id) FROM x", 4)
}

// TestGroupPanics has a caller's code panic on the leader's goroutine.
func TestGroupPanics(t *testing.T) {
	bad := func() { panic("mine") }
	calls := map[string]func(*backend) error{
		"an argument": func(b *backend) error {
			_, err := b.Exec(t.Context(), "INSERT INTO x (s) VALUES (?)", []any{signal{bad}})
			return err
		},
		"a place": func(b *backend) error {
			return b.QueryRow(t.Context(), "INSERT INTO x (s) VALUES ('a') RETURNING s", nil, []any{signal{bad}})
		},
		"a time": func(b *backend) error {
			return b.ExecEach(t.Context(), "INSERT INTO x (s) VALUES (?)", func(i int) []any {
				return []any{signal{func() {
					if i == 1 {
						bad()
					}
				}}}
			}, make([]int64, 2))
		},
	}
	for name, call := range calls {
		for at := range 3 {
			c := newCrowd(t, "")
			for i := range 3 {
				if i != at {
					c.insert(t.Context(), int64(i+1), "a")
					continue
				}
				c.add(func() (err error) {
					defer func() { err = fmt.Errorf("recovered %v", recover()) }()
					return call(c.b)
				})
			}
			for i, err := range c.run() {
				if i == at && err.Error() != "recovered mine" || i != at && err != nil {
					t.Errorf("%s of the %d., the %d.: %v", name, at, i, err)
				}
			}
			c.want("SELECT count(*) FROM x", 2)
			exec(t, c.b, "INSERT INTO x (id) VALUES (100)")
		}
	}
}

// TestGroupRows has callbacks fail that get rows of a shared transaction: they
// are called when it has been committed, and what they do is their own.
func TestGroupRows(t *testing.T) {
	c := newCrowd(t, "")
	c.insert(t.Context(), int64(1), "a")
	own := errors.New("own")
	query := func(sql string, each func() error) func() error {
		return func() error {
			var n int64
			return c.b.Query(t.Context(), sql, nil, []any{&n}, each)
		}
	}
	c.add(query("INSERT INTO x (id) VALUES (2), (3) RETURNING id", func() error { return own }))
	c.add(func() (err error) {
		defer func() { err = fmt.Errorf("recovered %v", recover()) }()
		return query("INSERT INTO x (id) VALUES (4) RETURNING id", func() error { panic("mine") })()
	})
	c.add(query("INSERT INTO x (id) VALUES (5) RETURNING id", func() error {
		c.want("SELECT count(*) FROM x", 6) // a reader sees it, and what came with it
		return nil
	}))
	c.add(query("INSERT INTO x (id) VALUES (1) RETURNING id", func() error {
		t.Error("a row of a write that failed")
		return nil
	}))
	c.insert(t.Context(), int64(6), "a")
	errs := c.run()
	if !errors.Is(errs[1], own) || errs[2].Error() != "recovered mine" || errs[3] != nil || !errors.Is(errs[4], store.ErrConflict) {
		t.Error(errs)
	}
	c.want("SELECT count(*) FROM x", 6)
}

// TestGroupGoexit has a caller's code end the leader's goroutine.
func TestGroupGoexit(t *testing.T) {
	c := newCrowd(t, "")
	c.insert(t.Context(), int64(1), "a")
	c.add(func() error {
		_, err := c.b.Exec(t.Context(), "INSERT INTO x (s) VALUES (?)", []any{signal{runtime.Goexit}})
		return err
	})
	c.insert(t.Context(), int64(3), "c")
	errs := c.run()
	if errs[1] == nil || errs[2] != nil { // of the first, no one is left to hear
		t.Error(errs)
	}
	c.want("SELECT sum(id) FROM x", 3)
}

// TestGroupCommitFails keeps the lock that a commit needs from it.
func TestGroupCommitFails(t *testing.T) {
	c := newCrowd(t, "?busy_timeout=20")
	ctx := t.Context()
	if err := c.held.once(ctx, "PRAGMA journal_mode = DELETE"); err != nil { // where readers keep a commit waiting
		t.Fatal(err)
	}
	reader, err := openConn(c.b.cfg.path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.close()
	for _, text := range []string{"BEGIN", "SELECT count(*) FROM x"} {
		if err := reader.once(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	c.insert(ctx, int64(1), "a")
	c.insert(ctx, int64(1), "again")
	c.insert(ctx, int64(3), "c")
	for i, err := range c.run() {
		if !errors.Is(err, store.ErrBusy) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if err := reader.once(ctx, "COMMIT"); err != nil {
		t.Fatal(err)
	}
	exec(t, c.b, "INSERT INTO x (id) VALUES (1)")
	c.want("SELECT count(*) FROM x", 1)
}

// TestGroupDeferred has a rule broken that is looked at when all is committed.
func TestGroupDeferred(t *testing.T) {
	c := newCrowd(t, "")
	c.insert(t.Context(), int64(1), "a")
	c.add(func() error {
		_, err := c.b.Exec(t.Context(), "INSERT INTO x (id, parent) VALUES (2, 1000)", nil)
		return err
	})
	c.insert(t.Context(), int64(3), "c")
	errs := c.run()
	if errs[0] != nil || !errors.Is(errs[1], store.ErrReference) || errs[2] != nil {
		t.Error(errs)
	}
	c.want("SELECT sum(id) FROM x", 4)
}

// TestGroupTurns has a transaction wait among many writes: a group is done
// before it, and no second one.
func TestGroupTurns(t *testing.T) {
	c := newCrowd(t, "")
	c.insert(t.Context(), int64(1), "a")
	var seen int64
	c.add(func() error {
		tx, err := c.b.Begin(t.Context(), store.TxOptions{})
		if err != nil {
			return err
		}
		defer tx.Rollback(t.Context())
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM x", nil, []any{&seen})
	})
	for i := range groupMost + 50 {
		c.insert(t.Context(), int64(i+2), "a")
	}
	for i, err := range c.run() {
		if err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if seen != groupMost {
		t.Errorf("the transaction came after %d writes, not %d", seen, groupMost)
	}
	c.want("SELECT count(*) FROM x", groupMost+51)
}

// TestGroupClosed closes under writes that wait.
func TestGroupClosed(t *testing.T) {
	c := newCrowd(t, "")
	c.insert(t.Context(), int64(1), "a")
	c.insert(t.Context(), int64(2), "a")
	closed := make(chan error)
	go func() { closed <- c.b.Close() }()
	<-c.b.closing
	errs := c.results()
	c.b.giveWriter(c.held)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for _, err := range errs {
		if !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	}
}

// TestGroupProperty mixes everything, at random: what was reported as written
// is there, and nothing else.
func TestGroupProperty(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	b := openBackend(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"))
	exec(t, b, crowdTable)
	const workers, rounds = 12, 40
	var mu sync.Mutex
	written := map[int64]bool{}
	var wg sync.WaitGroup
	for w := range workers {
		rng := rand.New(rand.NewPCG(seed, uint64(w)))
		wg.Go(func() {
			for i := range rounds {
				id := int64(10_000*(w+1) + 10*i)
				ids, err := anyWrite(t.Context(), b, rng, id)
				if err != nil {
					continue
				}
				mu.Lock()
				for _, id := range ids {
					written[id] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	var id int64
	found := 0
	err := b.Query(t.Context(), "SELECT id FROM x", nil, []any{&id}, func() error {
		if found++; !written[id] {
			t.Errorf("row %d is there, which was said to have failed", id)
		}
		return nil
	})
	if err != nil || found != len(written) {
		t.Errorf("%d rows, %v; %d were said to be written", found, err, len(written))
	}
	if found < workers*rounds/4 {
		t.Errorf("only %d rows", found)
	}
}

// anyWrite does one of many kinds of write, which may fail, and says which rows
// are there after it if it has not.
func anyWrite(ctx context.Context, b *backend, rng *rand.Rand, id int64) (ids []int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("recovered %v", p)
		}
	}()
	const insert = "INSERT INTO x (id, s) VALUES (?, ?)"
	ids = []int64{id}
	switch rng.IntN(11) {
	case 10:
		var n, got int64
		err = b.Query(ctx, "INSERT INTO x (id) VALUES (?), (? + 1) RETURNING id", []any{id, id}, []any{&n}, func() error { got += n; return nil })
		if err == nil && got != 2*id+1 {
			panic(fmt.Sprint("rows of another write: ", got))
		}
		ids = []int64{id, id + 1}
	case 0: // cancelled while it waits or runs
		go cancel()
		_, err = b.Exec(ctx, insert, []any{id, "a"})
	case 1: // interrupted
		_, err = b.Exec(ctx, endlessInsert, []any{signal{cancel}})
	case 2:
		_, err = b.Exec(ctx, "INSERT INTO x (id, parent) VALUES (?, -1)", []any{id})
	case 3:
		_, err = b.Exec(ctx, insert, []any{id, signal{func() { panic("mine") }}})
	case 4:
		ids = []int64{id, id + 1, id + 2}
		err = b.ExecEach(ctx, insert, func(i int) []any { return []any{ids[i], "a"} }, make([]int64, 3))
	case 5: // fails at its last time
		err = b.ExecEach(ctx, insert, func(i int) []any { return []any{id + int64(i)%2, "a"} }, make([]int64, 3))
	case 6:
		var t core.Transaction
		if t, err = b.Begin(ctx, store.TxOptions{}); err != nil {
			return nil, err
		}
		defer t.Rollback(context.Background())
		if _, err = t.Exec(ctx, insert, []any{id, "a"}); err == nil {
			err = t.Commit(ctx)
		}
	default:
		_, err = b.Exec(ctx, insert, []any{id, "a"})
	}
	return ids, err
}

//go:build unix

package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"

	"github.com/hegner123/modulagen/runtime/queue"
)

// What a process of the test is to be: its role, and the database.
const (
	roleEnv  = "FAULTS_ROLE"
	dsnEnv   = "FAULTS_DSN"
	leaseEnv = "FAULTS_LEASE"
	handsEnv = "FAULTS_HANDS" // how many handlers at once; 20 unless given
)

// process is this test's program, run again in a role. What it prints comes
// line by line; "go" on its standard input lets it go on.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string
}

func startProcess(t *testing.T, role, dsn string, lease time.Duration, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), lines: make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), roleEnv+"="+role, dsnEnv+"="+dsn, leaseEnv+"="+lease.String())
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // a stopped one too
		_ = p.cmd.Wait()
	})
	return p
}

// says waits for a line that has all of the words.
func (p *process) says(t *testing.T, words ...string) {
	t.Helper()
	var seen []string
	end := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the process ended, and did not say %q:\n%s", words, strings.Join(seen, "\n"))
			}
			if all(line, words) {
				return
			}
			seen = append(seen, line)
		case <-end:
			t.Fatalf("the process does not say %q:\n%s", words, strings.Join(seen, "\n"))
		}
	}
}

func (p *process) goOn(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
		t.Fatal(err)
	}
}

// freeze stops a process while it does not write: on SQLite nobody else could
// until it goes on.
func (p *process) freeze(t *testing.T, db *today.DB) time.Time {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		p.stop(t)
		stopped := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := db.Receipt.Create(ctx, today.ReceiptNew{By: "nobody"})
		cancel()
		if err == nil {
			return stopped
		}
		if stopped.After(end) {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGCONT)
	}
}

// stop returns once the process has stopped: it goes on for a moment after the signal was sent.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err == nil && status.Stopped() {
			return
		}
		if !errors.Is(err, syscall.EINTR) {
			t.Fatalf("the process has not stopped: %v, status %d", err, status)
		}
	}
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// playRole is a process of a test.
func playRole(role string) int {
	ctx, stop := context.WithCancel(context.Background())
	orders := make(chan struct{}, 100)
	go func() {
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			orders <- struct{}{}
		}
		os.Exit(3) // the test is gone
	}()
	defer stop()
	db, err := today.Open(ctx, os.Getenv(dsnEnv), today.Options{MaxConns: 4})
	if err == nil {
		defer db.Close()
		err = map[string]func(context.Context, *today.DB, <-chan struct{}) error{"worker": playWorker, "courier": playCourier, "locker": playLocker}[role](ctx, db, orders)
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

// playWorker runs notes, each of which waits for an order. It completes those
// with the text "tx" in a transaction, and "long tx" in one that waits too.
func playWorker(ctx context.Context, db *today.DB, orders <-chan struct{}) error {
	lease, err := time.ParseDuration(os.Getenv(leaseEnv))
	if err != nil {
		return err
	}
	h := hands{note: func(ctx context.Context, j *today.NoteJob) error {
		fmt.Println("begun", j.Row.ID, j.Payload.Text)
		if j.Payload.Text == "quick" {
			return nil
		}
		<-orders
		switch j.Payload.Text {
		case "plain":
			return j.Result("child")
		case "long tx":
			return db.Tx(ctx, func(tx *today.Tx) error {
				err := j.CompleteTx(ctx, tx)
				fmt.Println("not yet committed", err)
				<-orders
				return err
			})
		}
		ctx = context.WithoutCancel(ctx) // it does not know yet
		err := complete(db, "child")(ctx, j)
		fmt.Println("completed", j.Row.ID, err)
		return err
	}}
	atOnce := 20
	if text := os.Getenv(handsEnv); text != "" {
		if atOnce, err = strconv.Atoi(text); err != nil {
			return err
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	return db.Run(ctx, today.Workers{Task: h, TaskOptions: queue.Options{Concurrency: atOnce, Lease: lease, Logger: log}})
}

// playLocker locks a SQLite file until it is told to go on.
func playLocker(ctx context.Context, db *today.DB, orders <-chan struct{}) error {
	return db.Tx(ctx, func(tx *today.Tx) error {
		if _, err := tx.Receipt.Create(ctx, today.ReceiptNew{By: "locker"}); err != nil {
			return err
		}
		fmt.Println("locked")
		<-orders
		return nil
	})
}

// A worker's process is stopped for three leases, in the middle of its jobs.
// Another process takes them, and what the first one writes when it is continued
// is refused.
func TestStoppedForThreeLeases(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		const lease = longLease
		db := open(t, dsn, today.Options{})
		plain, tx := note(t, db, "plain"), note(t, db, "tx")
		child := startProcess(t, "worker", dsn, lease)
		child.says(t, "begun")
		child.says(t, "begun")

		stopped := child.freeze(t, db)
		taken, release := make(chan struct{}, 2), make(chan struct{})
		stop := work(t, db, hands{note: func(ctx context.Context, j *today.NoteJob) error {
			taken <- struct{}{}
			<-release
			if err := j.Result("parent"); err != nil {
				return err
			}
			return complete(db, "parent")(ctx, j)
		}}, queue.Options{Lease: lease})
		for range cap(taken) {
			await(t, "a job of the stopped process", taken)
		}
		time.Sleep(3*lease - time.Since(stopped)) // the fault itself, not a wait for something
		child.goOn(t)
		child.goOn(t)
		child.signal(t, syscall.SIGCONT)
		child.says(t, "result refused: the lease was lost")
		child.says(t, "result refused: the lease was lost")
		close(release)
		for _, id := range []today.TaskID{plain, tx} {
			row := ended(t, db, id)
			if is(t, row, today.TaskStateDone, 2, "was lost"); string(row.QueueResult.V) != `"parent"` {
				t.Errorf("task %d has the result %s", id, row.QueueResult.V)
			}
			receipts(t, db, id, "parent")
		}
		mustStop(t, stop)
		// It is as good as before.
		next := note(t, db, "tx")
		child.says(t, "begun", strconv.Itoa(int(next)))
		child.goOn(t)
		is(t, ended(t, db, next), today.TaskStateDone, 1, "")
		receipts(t, db, next, "child")
	})
}

// A process dies: others have its jobs within two leases.
func TestKilled(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		const lease, jobs = longLease, 20
		const slack = 20 * time.Second // of a busy machine, to start and to claim
		db := open(t, dsn, today.Options{})
		var ids []today.TaskID
		for range jobs {
			ids = append(ids, note(t, db, "plain"))
		}
		child := startProcess(t, "worker", dsn, lease)
		for range jobs {
			child.says(t, "begun")
		}
		begun := make(chan time.Time, jobs)
		stop := work(t, db, hands{note: func(context.Context, *today.NoteJob) error {
			begun <- time.Now()
			return nil
		}}, queue.Options{Lease: lease, Concurrency: jobs})
		child.signal(t, syscall.SIGKILL)
		killed := time.Now()
		for range jobs {
			if took := await(t, "a job of the dead process", begun).Sub(killed); took > 2*lease+slack {
				t.Errorf("a job of the dead process began again after %s, want 2 leases of %s", took, lease)
			}
		}
		for _, id := range ids {
			is(t, ended(t, db, id), today.TaskStateDone, 2, "was lost")
		}
		mustStop(t, stop)
	})
}

// A worker's process is stopped while a transaction of its own has one of its
// rows locked. That row has to wait for it; its other rows do not. (On SQLite a
// transaction that writes locks the whole file: there everything waits.)
func TestStoppedWithALockedRow(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := freshDSN(t, name)
			t.Parallel()
			const lease = longLease
			db := open(t, dsn, today.Options{})
			held := note(t, db, "long tx")
			child := startProcess(t, "worker", dsn, lease)
			child.says(t, "begun")
			child.goOn(t)
			child.says(t, "not yet committed <nil>")
			others := []today.TaskID{note(t, db, "plain"), note(t, db, "plain")}
			child.says(t, "begun")
			child.says(t, "begun")
			child.stop(t)

			stop := work(t, db, hands{note: fine}, queue.Options{Lease: lease})
			for _, id := range others {
				is(t, ended(t, db, id), today.TaskStateDone, 2, "was lost")
			}
			is(t, ended(t, db, note(t, db, "new")), today.TaskStateDone, 1, "")
			if row := get(t, db, held); row.State != today.TaskStateRunning {
				t.Errorf("the locked row is %s", row.State)
			}
			child.signal(t, syscall.SIGKILL)
			is(t, ended(t, db, held), today.TaskStateDone, 2, "was lost")
			mustStop(t, stop)
		})
	}
}

// A process is stopped while it has claimed jobs that it has not begun. When it
// goes on it does not begin them: others have run them.
func TestStoppedWithJobsNotBegun(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		const lease, quick, behind = longLease, 300, 20
		db := open(t, dsn, today.Options{})
		// Many quick ones, so that it claims ahead; one that blocks the only handler;
		// and some behind that.
		notes := make([]today.Note, quick+1+behind)
		for i := range notes {
			notes[i].Text = "quick"
		}
		notes[quick].Text = "plain"
		ids, err := db.Task.EnqueueNoteMany(t.Context(), notes)
		if err != nil {
			t.Fatal(err)
		}
		child := startProcess(t, "worker", dsn, lease, handsEnv+"=1")
		child.says(t, "begun", "plain")
		running := today.TaskFields.State.Eq(today.TaskStateRunning)
		until(t, "what is behind the first is claimed", func() bool {
			n, err := db.Task.Count(t.Context(), running, 0)
			if err != nil {
				t.Fatal(err)
			}
			return n == 1+behind
		})
		child.freeze(t, db)
		stop := work(t, db, hands{note: fine}, queue.Options{Lease: lease})
		for _, id := range ids[quick:] {
			is(t, ended(t, db, id), today.TaskStateDone, 2, "was lost")
		}
		mustStop(t, stop)
		last := note(t, db, "plain")
		child.goOn(t)
		child.signal(t, syscall.SIGCONT)
		for line := range child.lines {
			if all(line, []string{"begun", "quick"}) {
				t.Errorf("the process began a job that others had run: %s", line)
			}
			if all(line, []string{"begun", strconv.Itoa(int(last))}) {
				break
			}
		}
		child.goOn(t)
		is(t, ended(t, db, last), today.TaskStateDone, 1, "")
	})
}

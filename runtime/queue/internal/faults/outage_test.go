//go:build unix

package faults

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

const outage = 10 * time.Second

// The server is stopped, and started again ten seconds later.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			server := newServer(t, kind)
			server.start(t)
			t.Parallel()
			dsns := make([]string, 2)
			for i := range dsns {
				name := fmt.Sprintf("faults%d", i)
				administer(t, server.dsn, "CREATE DATABASE "+name)
				u, err := url.Parse(server.dsn)
				if err != nil {
					t.Fatal(err)
				}
				u.Path = "/" + name
				dsns[i] = u.String()
			}
			away(t, dsns, func() { server.stop(t) }, func() { server.start(t) })
		})
	}
}

// Another process keeps the file locked for ten seconds.
func TestFileIsLocked(t *testing.T) {
	t.Parallel()
	dsns := make([]string, 2)
	for i := range dsns {
		dsns[i] = "sqlite:" + filepath.Join(t.TempDir(), "faults.db")
		open(t, dsns[i], today.Options{}) // the tables
	}
	var lockers []*process
	away(t, dsns, func() {
		for _, dsn := range dsns {
			p := startProcess(t, "locker", dsn, 0)
			p.says(t, "locked")
			lockers = append(lockers, p)
		}
	}, func() {
		for _, p := range lockers {
			p.goOn(t)
		}
	})
}

// away takes two databases away for a while: one of a worker whose leases
// outlast that, and one of a worker whose leases do not.
func away(t *testing.T, dsns []string, down, up func()) {
	long := newCrew(t, dsns[0], time.Minute)
	short := newCrew(t, dsns[1], time.Second)
	crews := []*crew{long, short}
	for _, c := range crews {
		for range cap(c.begun) {
			await(t, "a handler's beginning", c.begun)
		}
	}
	down()
	since := time.Now()
	for _, c := range crews {
		close(c.during)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if _, err := c.db.Task.EnqueueNote(ctx, today.Note{Text: "nobody takes it"}); err == nil {
			t.Error("a job was enqueued while the database was away")
		}
		cancel()
	}
	time.Sleep(outage - time.Since(since)) // the fault itself
	up()
	for _, c := range crews {
		close(c.after)
		c.check(t)
	}
	// Those whose lease held ran once: what their handlers had done while the
	// database was away was kept, and written when it was back.
	for what, id := range map[string]today.TaskID{"during": long.plain, "after": long.late} {
		if row := get(t, long.db, id); row.Attempts != 1 {
			t.Errorf("the job that ended %s the outage ran %d times under a lease that outlasts it", what, row.Attempts)
		}
	}
}

// crew is a worker whose handlers end while its database is away, or when it is
// back.
type crew struct {
	db            *today.DB
	log           *journal
	stop          func() error
	begun         chan struct{}
	during, after chan struct{}

	plain, tx, late today.TaskID
}

func newCrew(t *testing.T, dsn string, lease time.Duration) *crew {
	c := &crew{
		db: open(t, dsn, today.Options{}), log: newJournal(),
		begun: make(chan struct{}, 3), during: make(chan struct{}), after: make(chan struct{}),
	}
	c.plain, c.tx, c.late = note(t, c.db, "plain", attempts(100)), note(t, c.db, "tx", attempts(100)), note(t, c.db, "late", attempts(100))
	h := hands{note: func(ctx context.Context, j *today.NoteJob) error {
		select {
		case c.begun <- struct{}{}: // one after the beginning was counted has room too, and blocks nothing
		default:
		}
		switch j.Payload.Text {
		case "plain":
			<-c.during
		case "tx":
			<-c.during
			return complete(c.db, "worker")(ctx, j)
		case "late":
			<-c.after
		}
		return nil
	}}
	soon := func(int, error) time.Duration { return 100 * time.Millisecond }
	c.stop = work(t, c.db, h, queue.Options{Lease: lease, Backoff: soon, Logger: c.log.logger()})
	return c
}

func (c *crew) check(t *testing.T) {
	t.Helper()
	for _, id := range []today.TaskID{c.plain, c.tx, c.late} {
		if row := ended(t, c.db, id); row.State != today.TaskStateDone {
			t.Errorf("task %d is %s: %s", id, row.State, row.Error.V)
		}
	}
	receipts(t, c.db, c.tx, "worker")
	fresh := note(t, c.db, "fresh")
	is(t, ended(t, c.db, fresh), today.TaskStateDone, 1, "")
	mustStop(t, c.stop)
}

func administer(t *testing.T, dsn, statement string) {
	t.Helper()
	db, err := core.Open(t.Context(), dsn, nil, store.Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Conn().Exec(t.Context(), statement, nil); err != nil {
		t.Fatal(err)
	}
}

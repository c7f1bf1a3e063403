//go:build unix

package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// couriers run parcels as a test says, by their text.
type couriers func(ctx context.Context, text string, c *queue.Claim) error

func (h couriers) Letter(ctx context.Context, j *today.LetterJob) error {
	return h(ctx, j.Payload.Text, j.Claim)
}

func (h couriers) Card(ctx context.Context, j *today.CardJob) error {
	return h(ctx, j.Payload.Text, j.Claim)
}

func (h couriers) Express(ctx context.Context, j *today.ExpressJob) error {
	return h(ctx, j.Payload.Text, j.Claim)
}

// playCourier is a process that runs letters: it begins those with "sent" in their text,
// and waits for an order; those with "late" wait for one before they begin.
func playCourier(ctx context.Context, db *today.DB, orders <-chan struct{}) error {
	lease, err := time.ParseDuration(os.Getenv(leaseEnv))
	if err != nil {
		return err
	}
	h := couriers(func(ctx context.Context, text string, c *queue.Claim) error {
		if strings.Contains(text, "sent") {
			if err := c.BeginOnce(ctx); err != nil {
				return err
			}
		}
		fmt.Println("claimed", c.ID(), text)
		<-orders
		if strings.Contains(text, "late") { // it does not know yet that its lease was lost
			fmt.Println("begins late", c.ID(), c.BeginOnce(context.WithoutCancel(ctx)))
		}
		return nil
	})
	log := slog.New(slog.NewTextHandler(os.Stdout, nil))
	return db.Run(ctx, today.Workers{Parcel: h, ParcelOptions: queue.Options{Concurrency: 20, Lease: lease, Logger: log}})
}

// carry runs couriers until the test ends or stop is called.
func carry(t *testing.T, db *today.DB, opts queue.Options, h couriers) (stop func()) {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx, today.Workers{Parcel: h, ParcelOptions: opts}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := await(t, "the end of Run", done); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func letter(t *testing.T, db *today.DB, text string, opts ...func(*today.ParcelNew)) today.ParcelID {
	t.Helper()
	row, added, err := db.Parcel.EnqueueLetter(t.Context(), today.Letter{Text: text}, opts...)
	if err != nil || !added {
		t.Fatalf("letter %q: added %t, %v", text, added, err)
	}
	return row.ID
}

func lastAttempt(r *today.ParcelNew) { r.MaxAttempts = store.Int(1) }

// parcelEnd waits until a parcel has ended, and compares it with what it should be.
func parcelEnd(t *testing.T, db *today.DB, id today.ParcelID, state today.ParcelState, text string) *today.Parcel {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	row, err := db.Parcel.Await(ctx, id)
	if err != nil {
		t.Fatalf("parcel %d: %v", id, err)
	}
	if row.State != state || !strings.Contains(row.Error.V, text) || !row.CompletedAt.Valid {
		t.Errorf("parcel %d is %s with the error %.300q, ended at %v; want %s, %q", id, row.State, row.Error.V, row.CompletedAt, state, text)
	}
	return row
}

// A process dies or freezes after it has begun what must not happen twice: those jobs are
// unknown, also after their last attempt, and what it had only claimed runs again. When the
// frozen one goes on, it can neither begin nor end what others have.
func TestLostAfterBeginOnce(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		const lease = 2 * time.Second
		db := open(t, dsn, today.Options{})
		sent, last := letter(t, db, "sent"), letter(t, db, "sent last", lastAttempt)
		waits, dead := letter(t, db, "waits"), letter(t, db, "waits last", lastAttempt)
		killed := startProcess(t, "courier", dsn, lease)
		for range 4 {
			killed.says(t, "claimed")
		}
		killed.signal(t, syscall.SIGKILL)

		ran := make(chan string, 10)
		runs := func(ctx context.Context, text string, c *queue.Claim) error {
			ran <- text
			return nil
		}
		log := newJournal()
		stop := carry(t, db, queue.Options{Lease: lease, Logger: log.logger()}, runs)
		const lost = "the worker that ran this was lost"
		for _, id := range []today.ParcelID{sent, last} {
			row := parcelEnd(t, db, id, today.ParcelStateUnknown, lost+" after BeginOnce")
			if !strings.Contains(string(row.QueueErrors.V), "BeginOnce") || row.Attempts != 1 {
				t.Errorf("parcel %d has the history %s after %d attempts", id, row.QueueErrors.V, row.Attempts)
			}
			log.says(t, "level=ERROR", "job is unknown", fmt.Sprintf("id=%d ", id))
		}
		parcelEnd(t, db, waits, today.ParcelStateDone, lost)
		if row := parcelEnd(t, db, dead, today.ParcelStateDead, lost); strings.Contains(row.Error.V, "BeginOnce") {
			t.Errorf("parcel %d, which had not begun, has the error %q", dead, row.Error.V)
		}
		stop()

		frozen, late := letter(t, db, "sent, and frozen"), letter(t, db, "late")
		child := startProcess(t, "courier", dsn, lease)
		child.says(t, "claimed")
		child.says(t, "claimed")
		child.freeze(t, db)
		stop = carry(t, db, queue.Options{Lease: lease}, runs)
		parcelEnd(t, db, frozen, today.ParcelStateUnknown, "BeginOnce")
		parcelEnd(t, db, late, today.ParcelStateDone, lost)
		child.goOn(t)
		child.goOn(t)
		child.signal(t, syscall.SIGCONT)
		child.says(t, "begins late", queue.ErrLeaseLost.Error())
		child.says(t, "result refused")
		stop()
		parcelEnd(t, db, frozen, today.ParcelStateUnknown, "BeginOnce")
		close(ran)
		for text := range ran {
			if strings.Contains(text, "sent") {
				t.Errorf("%q ran again", text)
			}
		}
	})
}

// onceResults are results of handlers after BeginOnce, or without it, and what is to become
// of their jobs.
var onceResults = []struct {
	name  string
	begin bool
	run   func() error
	state today.ParcelState
	text  string // of the error, a part
}{
	{"nil", true, func() error { return nil }, "done", ""},
	{"an error", true, func() error { return errors.New("no answer") }, "ready", "no answer"},
	{"a context's error of its own", true, func() error { return context.DeadlineExceeded }, "ready", "deadline exceeded"},
	{"RetryAfter", true, func() error { return queue.RetryAfter(time.Hour, errors.New("busy")) }, "ready", "busy"},
	{"Snooze", true, func() error { return queue.Snooze(time.Hour) }, "ready", ""},
	{"Postpone", true, func() error {
		return fmt.Errorf("later: %w", queue.Postpone(time.Hour, errors.New("the server is away")))
	}, "ready", "the server is away"},
	{"Discard", true, func() error { return queue.Discard(errors.New("no such street")) }, "dead", "no such street"},
	{"Cancel", true, func() error { return queue.Cancel(errors.New("called off")) }, "cancelled", "called off"},
	{"Unknown", false, func() error { return queue.Unknown(errors.New("the line went dead")) }, "unknown", "the line went dead"},
	{"a panic", true, func() error { panic("ouch") }, "unknown", "handler panicked: ouch"},
	{"a panic before", false, func() error { panic("ouch") }, "ready", "handler panicked: ouch"},
	{"Goexit", true, func() error { runtime.Goexit(); return nil }, "unknown", "runtime.Goexit"},
}

// What a handler says after BeginOnce counts, and where it says nothing the job is unknown.
func TestResultsAfterBeginOnce(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		seen := make(chan today.ParcelEvent, 100)
		go func() {
			for ev := range db.Parcel.Events(t.Context()) {
				seen <- ev
			}
		}()
		ids := make([]today.ParcelID, len(onceResults))
		for i, r := range onceResults {
			ids[i] = letter(t, db, r.name)
		}
		stop := carry(t, db, queue.Options{Backoff: queue.Delays(time.Hour)}, func(ctx context.Context, text string, c *queue.Claim) error {
			for _, r := range onceResults {
				if r.name != text {
					continue
				}
				if r.begin {
					if err := c.BeginOnce(ctx); err != nil {
						t.Error(err)
					}
				}
				return r.run()
			}
			return nil
		})
		for i, r := range onceResults {
			until(t, r.name+" to be settled", func() bool {
				row, err := db.Parcel.Get(t.Context(), ids[i])
				return err == nil && row.State != today.ParcelStateRunning && (row.State != today.ParcelStateReady || row.QueueHold != "")
			})
			row, err := db.Parcel.Get(t.Context(), ids[i])
			if err != nil {
				t.Fatal(err)
			}
			tries := int64(1)
			if strings.Contains("Snooze Postpone", r.name) {
				tries = 0
			}
			if row.State != r.state || !strings.Contains(row.Error.V, r.text) || row.Attempts != tries || row.CompletedAt.Valid != (r.state != "ready") {
				t.Errorf("%s: %s with the error %.200q after %d attempts, ended at %v; want %s, %q, %d", r.name, row.State, row.Error.V, row.Attempts, row.CompletedAt, r.state, r.text, tries)
			}
		}
		stop()
		unknown := 0
		for unknown < 3 {
			if ev := await(t, "the events of unknown jobs", seen); ev.Type == queue.BecameUnknown && ev.Err != nil {
				unknown++
			}
		}
	})
}

// A handler that is given up, or returns no more than that its context ended, leaves its job
// unknown; one that had not begun is tried again.
func TestContextsEndAfterBeginOnce(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		released := make(chan struct{})
		begun := make(chan struct{}, 10)
		h := func(ctx context.Context, text string, c *queue.Claim) error {
			if strings.Contains(text, "begun") {
				if err := c.BeginOnce(context.WithoutCancel(ctx)); err != nil { // its time may be over on a busy machine
					return err
				}
			}
			begun <- struct{}{}
			switch {
			case strings.Contains(text, "deaf"):
				<-released
				return nil
			case strings.Contains(text, "uncommitted"):
				_ = db.Tx(ctx, func(tx *today.Tx) error { return errors.Join(c.CompleteTx(ctx, tx), errors.New("no")) })
				return nil
			case strings.Contains(text, "retries"):
				<-ctx.Done()
				return queue.RetryAfter(time.Hour, ctx.Err())
			}
			<-ctx.Done()
			return fmt.Errorf("send: %w", ctx.Err())
		}
		express := func(text string) today.ParcelID {
			row, err := db.Parcel.EnqueueExpress(t.Context(), today.Express{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			return row.ID
		}
		opts := queue.Options{Concurrency: 10, Grace: time.Second, StopTimeout: time.Second, Backoff: queue.Delays(time.Hour)}
		deaf, slow, plain, retries := express("begun deaf"), express("begun"), express("plain"), express("begun retries")
		uncommitted := letter(t, db, "begun uncommitted")
		stop := carry(t, db, opts, h)
		parcelEnd(t, db, deaf, today.ParcelStateUnknown, "did not return within")
		parcelEnd(t, db, slow, today.ParcelStateUnknown, "deadline exceeded")
		parcelEnd(t, db, uncommitted, today.ParcelStateUnknown, "did not commit")
		close(released)
		for _, id := range []today.ParcelID{plain, retries} {
			until(t, "a job that may be tried again", func() bool {
				row, err := db.Parcel.Get(t.Context(), id)
				return err == nil && row.State == today.ParcelStateReady && row.QueueHold == "time"
			})
		}
		for range 5 {
			<-begun
		}
		stopped, waits := letter(t, db, "begun and stopped"), letter(t, db, "stopped")
		<-begun
		<-begun
		stop()
		parcelEnd(t, db, stopped, today.ParcelStateUnknown, "context canceled")
		if row, err := db.Parcel.Get(t.Context(), waits); err != nil || row.State != today.ParcelStateReady || row.Attempts != 0 {
			t.Errorf("what had not begun is %s after %d attempts, %v", row.State, row.Attempts, err)
		}
	})
}

// Several handlers begin with one statement; a job that was cancelled meanwhile may not go
// on, and neither may any that is not recorded.
func TestBeginOnceOfMany(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		const n = 5
		claims, results := make(chan *queue.Claim, n), make(chan struct{})
		var ids []today.ParcelID
		for i := range n {
			ids = append(ids, letter(t, db, fmt.Sprint("letter ", i)))
		}
		carry(t, db, queue.Options{Concurrency: n}, func(ctx context.Context, text string, c *queue.Claim) error {
			claims <- c
			<-results
			return nil
		})
		var all []*queue.Claim
		for range n {
			all = append(all, await(t, "a claim", claims))
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := queue.BeginOnce(ended, all...); err == nil || !strings.Contains(err.Error(), "nothing may be begun") {
			t.Errorf("with a context that has ended: %v", err)
		}
		if err := db.Parcel.Cancel(t.Context(), ids[2]); err != nil {
			t.Fatal(err)
		}
		ours, err := queue.BeginOnce(t.Context(), append(all, nil)...)
		if err != nil || len(ours) != n+1 || !ours[n] {
			t.Fatalf("%v, %v", ours, err)
		}
		for i, c := range all {
			if ours[i] == (c.ID() == int64(ids[2])) {
				t.Errorf("claim of %v: %t", c.ID(), ours[i])
			}
		}
		if err := db.Parcel.Cancel(t.Context(), ids[0]); !errors.Is(err, queue.ErrBegun) {
			t.Errorf("Cancel of a job that has begun: %v", err)
		}
		close(results)
		for i, id := range ids {
			if i != 2 {
				parcelEnd(t, db, id, today.ParcelStateDone, "")
			}
		}
		if ours, err := queue.BeginOnce(t.Context(), all[0]); err != nil || ours[0] {
			t.Errorf("after the handler has returned: %v, %v", ours, err)
		}
	})
}

// What cannot be recorded is an error that says what to do, before anything is begun.
func TestBeginOnceRefused(t *testing.T) {
	db := open(t, freshDSN(t, "sqlite"), today.Options{})
	errs := make(chan error, 2)
	begin := note(t, db, "begin")
	mixed := letter(t, db, "mixed")
	claims := make(chan *queue.Claim, 1)
	go func() {
		_ = db.Run(t.Context(), today.Workers{
			Parcel: couriers(func(ctx context.Context, _ string, c *queue.Claim) error { claims <- c; return nil }),
			Task: hands{note: func(ctx context.Context, j *today.NoteJob) error {
				errs <- j.BeginOnce(ctx)
				_, err := queue.BeginOnce(ctx, j.Claim, <-claims)
				errs <- err
				return queue.Unknown(errors.New("no state for it"))
			}},
		})
	}()
	for _, want := range []string{"BeginOnce: the queue of task has no state for jobs that may have done their work: add unknown: to its state", "BeginOnce: jobs of task and of parcel together"} {
		if err := await(t, "an error", errs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	is(t, ended(t, db, begin), today.TaskStateDead, 1, "no state for it")
	parcelEnd(t, db, mixed, today.ParcelStateDone, "")
	var none *queue.Claim
	if err := none.BeginOnce(t.Context()); err != nil {
		t.Error(err)
	}
}

// An unknown job keeps duplicates out until a person has decided: by Retry, or by setting the
// state.
func TestDuplicatesOfUnknown(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db, ctx := open(t, dsn, today.Options{}), t.Context()
		goOn, running := make(chan error), make(chan struct{}, 10)
		stop := carry(t, db, queue.Options{}, func(context.Context, string, *queue.Claim) error {
			running <- struct{}{}
			return <-goOn
		})
		lost := queue.Unknown(errors.New("lost"))
		card := func(picture string) (today.ParcelID, bool) {
			row, added, err := db.Parcel.EnqueueCard(ctx, today.Card{Text: "card", Picture: store.Some(picture)})
			if err != nil {
				t.Fatal(err)
			}
			return row.ID, added
		}
		a := letter(t, db, "a")
		goOn <- lost
		parcelEnd(t, db, a, today.ParcelStateUnknown, "lost")
		row, added, err := db.Parcel.EnqueueLetter(ctx, today.Letter{Text: "a"})
		if err != nil || added || row.ID != a {
			t.Fatalf("a duplicate of the unknown letter: %v, added %t", err, added)
		}
		if err := db.Parcel.Cancel(ctx, a); !errors.Is(err, queue.ErrEnded) {
			t.Errorf("Cancel: %v", err)
		}
		if err := db.Parcel.Retry(ctx, a); err != nil {
			t.Fatal(err)
		}
		goOn <- nil
		parcelEnd(t, db, a, today.ParcelStateDone, "")
		b := letter(t, db, "a")
		goOn <- lost
		parcelEnd(t, db, b, today.ParcelStateUnknown, "lost")
		if _, err := db.Parcel.Update(ctx, b, today.ParcelPatch{State: store.Set(today.ParcelStateDone)}); err != nil {
			t.Fatal(err)
		}

		// A card is replaced while it runs, and becomes unknown beside its successor.
		for range 3 {
			<-running
		}
		first, _ := card("a cat")
		<-running
		second, added := card("a dog")
		if !added || second == first {
			t.Fatalf("a card beside the one that runs: %d and %d, added %t", first, second, added)
		}
		<-running
		goOn <- lost
		goOn <- lost
		for _, id := range []today.ParcelID{first, second} {
			parcelEnd(t, db, id, today.ParcelStateUnknown, "lost")
		}
		if id, added := card("a bird"); added || id != second {
			t.Errorf("a duplicate of the unknown card %d is %d, added %t", second, id, added)
		}
		if row, err := db.Parcel.Get(ctx, second); err != nil || strings.Contains(string(row.Payload), "bird") {
			t.Errorf("the unknown card has the payload %s, %v", row.Payload, err)
		}
		var holds *queue.DuplicateError
		if err := db.Parcel.Retry(ctx, first); !errors.As(err, &holds) || holds.Holder != int64(second) {
			t.Errorf("Retry of the card whose key the other holds: %v", err)
		}
		if _, err := db.Parcel.Update(ctx, second, today.ParcelPatch{State: store.Set(today.ParcelStateDone)}); err != nil {
			t.Fatal(err)
		}
		if err := db.Parcel.Retry(ctx, first); err != nil {
			t.Fatal(err)
		}
		<-running
		if id, added := card("a fish"); !added {
			t.Errorf("replace of a running card changed card %d", id)
		}
		goOn <- nil
		goOn <- nil
		parcelEnd(t, db, first, today.ParcelStateDone, "")
		stop()
	})
}

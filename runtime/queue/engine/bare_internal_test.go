package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handlererr"
	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// bare is an engine over the smallest table that its parts can be shown on, with
// statements that a test can break.
type bare struct {
	*engine
	log *bytes.Buffer
}

var bareDDL = [3]string{
	"CREATE TABLE work (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, state TEXT NOT NULL, due TEXT)",
	"CREATE TABLE work (id bigint PRIMARY KEY, epoch bigint NOT NULL, state text NOT NULL, due timestamptz)",
	"CREATE TABLE work (id bigint PRIMARY KEY, epoch bigint NOT NULL, state varchar(20) NOT NULL, due datetime(6))",
}

// same is a statement that the databases write alike, but for its placeholders,
// with the arguments of a queue's that it takes.
func same(text string, order ...int) core.Statement {
	order = append([]int{}, order...) // not nil, which would take all
	s := plain(text)
	s.Order = [3][]int{order, order, order}
	return s
}

// onMySQL is a statement of a step of its own, which the others do not need.
func onMySQL(text string, order ...int) core.Statement {
	s := same("", order...)
	s.Text[sqltext.MySQL] = text
	return s
}

// plain is same for a statement that takes the arguments as they are.
func plain(text string) core.Statement {
	s := core.Statement{Text: [3]string{text, text, text}}
	for i := 1; strings.Contains(s.Text[sqltext.Postgres], "?"); i++ {
		s.Text[sqltext.Postgres] = strings.Replace(s.Text[sqltext.Postgres], "?", fmt.Sprint("$", i), 1)
	}
	return s
}

// bareEach runs a test on every database. now is the clock; zero means the real one.
func bareEach(t *testing.T, now time.Time, test func(t *testing.T, b *bare)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "bare.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			opts := store.Options{}
			if !now.IsZero() {
				opts.Now = func() time.Time { return now }
			}
			db, err := core.Open(t.Context(), dsn, nil, opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			b := &bare{log: &bytes.Buffer{}}
			b.exec(t, db, bareDDL[db.Conn().Dialect()])
			st := &Statements{
				Snooze:     same("UPDATE work SET state = 'ready', due = ? WHERE id = ? AND epoch = ?", protocol.ArgUntil, protocol.ArgID, protocol.ArgEpoch),
				Retry:      same("UPDATE work SET state = 'again', due = ? WHERE id = ? AND epoch = ?", protocol.ArgUntil, protocol.ArgID, protocol.ArgEpoch),
				DeadLetter: same("UPDATE work SET state = 'dead' WHERE id = ? AND epoch = ?", protocol.ArgID, protocol.ArgEpoch),
				Promote:    same("UPDATE work SET state = 'ready' WHERE state = 'later'"),
			}
			shape := &shape{name: "work", st: st, states: States{Ready: "ready", Running: "running"}, policies: map[string]Policy{"": {}}, errorMax: 100}
			r := &runner{db: db, shape: shape, opts: queue.Options{Logger: slog.New(slog.NewTextHandler(b.log, nil)), StopTimeout: 300 * time.Millisecond}}
			if b.engine, err = r.engine(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.performer.open(t.Context())
			t.Cleanup(func() { b.performer.cancel(nil) })
			test(t, b)
		})
	}
}

func (b *bare) exec(t *testing.T, db *core.DB, text string) {
	t.Helper()
	if _, err := db.Conn().Exec(t.Context(), text, nil); err != nil {
		t.Fatal(err)
	}
}

// claimed makes running rows with ids from 1, and the claims on them.
func (b *bare) claimed(t *testing.T, n int) []*claim {
	t.Helper()
	var list []*claim
	insert := plain("INSERT INTO work (id, epoch, state) VALUES (?, 1, 'running')")
	for i := range n {
		id := int64(i + 1)
		if _, err := core.Exec(t.Context(), b.db.Conn(), &insert, []any{id}); err != nil {
			t.Fatal(err)
		}
		c := &claim{Claimed: Claimed{ID: id, Epoch: 1, Attempt: 1, MaxAttempts: 3}, confirmed: time.Now(), phase: finished}
		c.handle = b.shape.handle(c, b.settler, nil)
		list = append(list, c)
	}
	b.claims.add(list)
	return list
}

// states are those of the rows, in the order of their ids.
func (b *bare) states(t *testing.T) []string {
	t.Helper()
	st := plain("SELECT state FROM work ORDER BY id")
	list, err := core.Many(t.Context(), b.db.Conn(), &st, nil, func(s *string) []any { return []any{s} })
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func ends(claims []*claim, end outcome) []settlement {
	list := make([]settlement, len(claims))
	for i, c := range claims {
		list[i] = settlement{claim: c, end: end}
	}
	return list
}

// An end that its column cannot hold is logged and dropped; those that were to be
// written with it are written.
func TestEndThatCannotBeStored(t *testing.T) {
	last := time.Date(9995, 1, 1, 0, 0, 0, 0, time.UTC) // no database keeps a time after the year 9999
	bareEach(t, last, func(t *testing.T, b *bare) {
		group := ends(b.claimed(t, 5), outcome{verb: toSnooze, delay: time.Hour})
		group[2].end.delay = handlererr.MaxDelay
		left, err := b.settler.write(t.Context(), group)
		if err != nil || left != nil {
			t.Fatalf("%d are left, %v", len(left), err)
		}
		if got, want := b.states(t), []string{"ready", "ready", "running", "ready", "ready"}; !slices.Equal(got, want) {
			t.Errorf("the rows are %v, want %v", got, want)
		}
		if held := b.claims.all(); len(held) != 0 {
			t.Errorf("%d claims are still held; the lease of the one must end", len(held))
		}
		if log := b.log.String(); strings.Count(log, "result not written") != 1 || !strings.Contains(log, "id=3") {
			t.Errorf("the log says %q", log)
		}
	})
}

// What could not be written is put back, what was written is not, and the order
// stays.
func TestWriteKeepsWhatItCouldNotWrite(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		claims := b.claimed(t, 6)
		no := errors.New("no")
		batch := slices.Concat(
			ends(claims[:2], outcome{verb: toSnooze, delay: time.Hour}),
			ends(claims[2:4], outcome{verb: toDead, err: no}),
			ends(claims[4:], outcome{verb: toRetry, delay: time.Hour, err: no}),
		)
		good := b.shape.st.DeadLetter
		b.shape.st.DeadLetter = same("UPDATE missing SET state = 'dead' WHERE id = ? AND epoch = ?", protocol.ArgID, protocol.ArgEpoch)
		left, err := b.settler.write(t.Context(), batch)
		if err == nil || len(left) != 4 || left[0].claim != claims[2] || left[3].claim != claims[5] {
			t.Fatalf("%d are left, %v; want the last four", len(left), err)
		}
		if got, want := b.states(t), []string{"ready", "ready", "running", "running", "running", "running"}; !slices.Equal(got, want) {
			t.Errorf("the rows are %v, want %v", got, want)
		}
		if held := b.claims.all(); len(held) != 4 {
			t.Errorf("%d claims are held, want the four that are not written", len(held))
		}
		b.shape.st.DeadLetter = good
		if left, err := b.settler.write(t.Context(), left); err != nil || left != nil {
			t.Fatalf("again: %d are left, %v", len(left), err)
		}
		if got, want := b.states(t), []string{"ready", "ready", "dead", "dead", "again", "again"}; !slices.Equal(got, want) {
			t.Errorf("the rows are %v, want %v", got, want)
		}
	})
}

// Drain fails when an end cannot be written, and does not forget it; it goes on
// for a while when the database is only busy.
func TestDrainWritesOrFails(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		claims := b.claimed(t, 1)
		good := b.shape.st.Snooze
		b.shape.st.Snooze = same("UPDATE missing SET due = ? WHERE id = ? AND epoch = ?", protocol.ArgUntil, protocol.ArgID, protocol.ArgEpoch)
		b.settler.settle(claims[0], outcome{verb: toSnooze, delay: time.Hour})
		if err := b.settler.flush(t.Context(), b.opts.StopTimeout); err == nil {
			t.Error("an end that could not be written is no error")
		}
		if n := len(b.settler.buffer.waiting); n != 1 {
			t.Errorf("%d ends wait, want the one that was not written", n)
		}
		b.shape.st.Snooze = good
		ended, cancel := context.WithCancel(t.Context())
		cancel() // of the caller: what has run is written all the same
		if err := b.settler.flush(ended, b.opts.StopTimeout); err != nil {
			t.Errorf("again: %v", err)
		}
		if got := b.states(t); got[0] != "ready" {
			t.Errorf("the row is %s", got[0])
		}
	})
}

// Drain writes the end of a handler that ended its goroutine, and one that
// cannot be written is the error of Drain.
func TestDrainOne(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		claims := b.claimed(t, 2)
		for _, c := range claims {
			c.phase = buffered
			b.claims.remove(c) // drainOne holds it
		}
		b.performer.handler = func(context.Context, any) error { runtime.Goexit(); return nil }
		over := make(chan struct{})
		go func() {
			defer close(over)
			b.drainOne(t.Context(), claims[0])
		}()
		<-over
		if got := b.states(t); got[0] != "again" || len(b.settler.buffer.waiting) != 0 {
			t.Errorf("after Goexit the row is %s and %d ends wait", got[0], len(b.settler.buffer.waiting))
		}
		b.performer.handler = func(context.Context, any) error { return errors.New("no") }
		b.shape.st.Retry = same("UPDATE missing SET due = ? WHERE id = ? AND epoch = ?", protocol.ArgUntil, protocol.ArgID, protocol.ArgEpoch)
		if err := b.drainOne(t.Context(), claims[1]); err == nil {
			t.Error("an end that could not be written is no error")
		}
	})
}

// Rows whose time has come wake the workers, whoever lets them be claimed; when
// there are none, no one is woken.
func TestPromoteWakes(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		news := b.db.Listen("work")
		defer news.Stop()
		drained := func() (woken bool) {
			select {
			case <-news.C:
				return true
			default:
				return false
			}
		}
		for drained() { // a listener that is new is woken once
			continue
		}
		b.claimed(t, 2)
		for drained() {
			continue
		}
		if n, err := b.promote(t.Context()); n != 0 || err != nil {
			t.Fatalf("%d were promoted, %v", n, err)
		}
		b.exec(t, b.db, "UPDATE work SET state = 'later'")
		if n, err := b.promote(t.Context()); n != 2 || err != nil {
			t.Fatalf("%d were promoted, %v", n, err)
		}
		select {
		case <-news.C:
		case <-time.After(20 * time.Second):
			t.Error("a promotion woke no one")
		}
	})
}

// Whoever sleeps is woken by what an end makes possible: by a row that is ready
// again, and by each row that a limit released in place of one that ended.
func TestEndsWakeOthers(t *testing.T) {
	bareEach(t, time.Time{}, func(t *testing.T, b *bare) {
		b.exec(t, b.db, [3]string{
			"CREATE TABLE opened (name TEXT, n INTEGER)", "CREATE TABLE opened (name text, n bigint)", "CREATE TABLE opened (name varchar(50), n bigint)",
		}[b.db.Conn().Dialect()])
		b.shape.st.LimitRunning = plain("SELECT 1")
		b.shape.st.ReleaseLimited = same("INSERT INTO opened (name, n) VALUES (?, ?)", protocol.ArgLimitKey, protocol.ArgLimit)
		b.shape.policies = map[string]Policy{"narrow": {Concurrency: 1}, "rated": {Rate: Rate{Max: 1, Every: time.Hour}}}
		woken := func(topic string, group []settlement) {
			t.Helper()
			news := b.db.Listen(topic)
			defer news.Stop()
			for len(news.C) > 0 {
				<-news.C
			}
			b.settler.notify(t.Context(), group)
			select {
			case <-news.C:
			case <-time.After(20 * time.Second):
				t.Errorf("%s was not announced", topic)
			}
		}
		claims := b.claimed(t, 4)
		for i, kind := range []string{"narrow", "narrow", "rated", "narrow"} {
			claims[i].Kind, claims[i].Limit = kind, "work/"+kind
		}
		claims[3].Limit = "work/narrow:7"
		for _, again := range []verb{toRetry, toSnooze, toRelease} {
			woken("work", ends(claims[2:3], outcome{verb: again}))
		}
		woken("work/ended", ends(claims[2:3], outcome{verb: toDone}))
		woken("work", ends(claims, outcome{verb: toDone}))
		st := plain("SELECT name FROM opened WHERE n = 2 OR n = 1 ORDER BY n, name")
		got, err := core.Many(t.Context(), b.db.Conn(), &st, nil, func(s *string) []any { return []any{s} })
		if want := []string{"work/narrow:7", "work/narrow"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("opened %v, %v; want %v, for one end and for two", got, err, want)
		}
	})
}

// A start is counted at the latest moment at which it may be.
func TestStartIsCountedAhead(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 123_000_000, time.UTC)
	bareEach(t, now, func(t *testing.T, b *bare) {
		r := Rate{Max: 3, Every: 2 * time.Second}
		at, s, err := b.limiter.nextStart(t.Context(), b.db.Conn(), r)
		if err != nil || !at.Equal(now) || s.by.Sub(now) != r.Every/slicesOfRate || s.slice != sliceOf(s.by, r) || b.limiter.late(s) {
			t.Errorf("at %s it may begin until %s, counted in slice %d, %v", at, s.by, s.slice, err)
		}
		b.limiter.counted(time.Now().Add(-time.Second)) // a commit that took a second
		if _, slow, err := b.limiter.nextStart(t.Context(), b.db.Conn(), r); err != nil || slow.by.Sub(now) < 2*time.Second || slow.slice != sliceOf(slow.by, r) {
			t.Errorf("with slow commits it may begin until %s, counted in slice %d, %v", slow.by, slow.slice, err)
		}
		s.by = now.Add(-time.Microsecond)
		if !b.limiter.late(s) {
			t.Error("a start whose time has passed is not late")
		}
	})
}

// A settler returns what waits in order, what could not be written first, and says
// when there is nothing left.
func TestSettler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSettleBuffer()
		all := make([]settlement, maxSettle+10)
		for i := range all {
			all[i].claim = &claim{Claimed: Claimed{ID: int64(i)}}
		}
		if !s.idle(0, nil) {
			t.Error("a new settler is not idle")
		}
		s.add(all...)
		<-s.signal
		first := s.take()
		if len(first) != maxSettle || s.idle(time.Second, nil) {
			t.Errorf("%d were taken; idle while they are being written", len(first))
		}
		s.back(first[5:])
		again := s.take()
		if len(again) != maxSettle || again[0].claim != all[5].claim || again[maxSettle-5].claim != all[maxSettle].claim {
			t.Errorf("%d were taken, from %v on; want those that were put back first", len(again), again[0].claim.ID)
		}
		if rest := s.take(); len(rest) != 5 {
			t.Errorf("%d are left, want 5", len(rest))
		}
		if s.idle(time.Second, nil) {
			t.Error("idle while the last are being written")
		}
		<-s.signal
		quiet := make(chan bool)
		go func() { quiet <- s.idle(time.Minute, nil) }()
		<-s.signal // idle asks
		if more := s.take(); len(more) != 0 {
			t.Errorf("%d more", len(more))
		}
		if !<-quiet {
			t.Error("idle gave up although all is written")
		}
		s.add(all[0])
		force := make(chan struct{})
		close(force)
		began := time.Now()
		if s.idle(time.Hour, force) || time.Since(began) != time.Second {
			t.Errorf("forced, idle waited %s for what is not written, want a second", time.Since(began))
		}
		if s.full() {
			t.Error("full with one")
		}
		for range maxWaiting / len(all) {
			s.add(all...)
		}
		s.add(all...)
		if !s.full() {
			t.Errorf("not full with %d", len(s.waiting))
		}
	})
}

// Of two claims of one row the later counts, and the answers of a database, which
// name rows, are of that.
func TestLatestOfTwoClaims(t *testing.T) {
	old, other, current := &claim{Claimed: Claimed{ID: int64(1), Epoch: 1}}, &claim{Claimed: Claimed{ID: int64(2), Epoch: 4}}, &claim{Claimed: Claimed{ID: int64(1), Epoch: 2}}
	all := []*claim{old, other, current}
	asked := latest(all)
	if !slices.Equal(asked, []*claim{other, current}) {
		t.Errorf("asked for %d claims", len(asked))
	}
	if got, want := among(all, asked, []any{int64(1)}), []bool{false, false, true}; !slices.Equal(got, want) {
		t.Errorf("of the answer 1 the claims are %v, want %v", got, want)
	}
	if got := latest(all[:2]); !slices.Equal(got, all[:2]) {
		t.Errorf("of different rows %d are asked for", len(got))
	}
}

package queue

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// settlement is the end of a claim that waits to be written.
type settlement struct {
	claim  *claim
	end    outcome
	result json.RawMessage
}

// settler collects ends while others are being written, so that under load each
// write is of many.
type settler struct {
	mu      sync.Mutex
	waiting []settlement
	busy    bool // some are being written
	signal  chan struct{}
	quiet   chan struct{} // closed when there is nothing to write; nil when no one asks
}

const (
	maxSettle  = 1000
	maxWaiting = 5000 // ends that wait while the database is away; more claims would only wait too
)

func (s *settler) add(list ...settlement) {
	s.mu.Lock()
	s.waiting = append(s.waiting, list...)
	s.mu.Unlock()
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

func (s *settler) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) > maxWaiting
}

// take gives what waits, at most so many; what it gave before is written.
func (s *settler) take() []settlement {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxSettle)
	out := slices.Clone(s.waiting[:n])
	s.waiting = append(s.waiting[:0], s.waiting[n:]...)
	clear(s.waiting[len(s.waiting):cap(s.waiting)])
	s.busy = n > 0
	if n == 0 && s.quiet != nil {
		close(s.quiet)
		s.quiet = nil
	}
	return out
}

// back puts those first that could not be written.
func (s *settler) back(list []settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(slices.Clone(list), s.waiting...)
}

// idle waits until all is written, at most so long.
func (s *settler) idle(most time.Duration, force <-chan struct{}) bool {
	s.mu.Lock()
	if len(s.waiting) == 0 && !s.busy {
		s.mu.Unlock()
		return true
	}
	quiet := make(chan struct{})
	s.quiet = quiet
	s.mu.Unlock()
	select { // the settler may have nothing to take, and is to say so
	case s.signal <- struct{}{}:
	default:
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-quiet:
		return true
	case <-timer.C:
	case <-force:
		timer.Reset(min(most, time.Second))
		select {
		case <-quiet:
			return true
		case <-timer.C:
		}
	}
	return false
}

// settle hands the end of a claim over to be written.
func (e *engine) settle(c *claim, end outcome) {
	result, _, _ := c.handle.settled(nil)
	e.settler.add(settlement{c, end, result})
}

// settleAll writes ends until ctx is over. What cannot be written is tried
// again, for as long as that takes: the fence tells whether it still counts.
func (e *engine) settleAll(ctx context.Context) {
	wait := time.Duration(0)
	for {
		if wait == 0 {
			select {
			case <-e.settler.signal:
			case <-ctx.Done():
				return
			}
		} else {
			sleep(ctx, nil, wait)
		}
		for ctx.Err() == nil {
			batch := e.settler.take()
			if len(batch) == 0 {
				wait = 0
				break
			}
			left, err := e.write(ctx, batch)
			if err != nil {
				e.settler.back(left)
				wait = min(max(2*wait, 20*time.Millisecond), time.Second)
				if ctx.Err() == nil {
					e.opts.Logger.Error("results not written yet", "queue", e.shape.name, "jobs", len(left), "error", err)
				}
				break
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// write writes ends, those of one form at a time, and gives those that it could
// not write with the error.
func (e *engine) write(ctx context.Context, batch []settlement) (left []settlement, err error) {
	if err := e.writeReports(ctx, batch); err != nil {
		return batch, err
	}
	groups := map[*store.Statement][]settlement{}
	var order []*store.Statement
	for _, s := range batch {
		st := e.statementOf(s)
		if groups[st] == nil {
			order = append(order, st)
		}
		groups[st] = append(groups[st], s)
	}
	for i, st := range order {
		if err := e.writeGroup(ctx, st, groups[st]); err != nil {
			for _, later := range order[i:] {
				left = append(left, groups[later]...)
			}
			return left, err
		}
	}
	return nil, nil
}

func (e *engine) statementOf(s settlement) *store.Statement {
	st := e.shape.st
	switch s.end.verb {
	case toDone:
		if s.result != nil {
			return &st.Finish
		}
		return &st.Complete
	case toRetry:
		return &st.Retry
	case toSnooze:
		return &st.Snooze
	case toRelease, toPark:
		return &st.Release
	case toDead:
		return &st.Bury
	}
	return &st.Abandon
}

// writeGroup writes ends of one form. One that no column can hold must not keep
// the others from being written.
func (e *engine) writeGroup(ctx context.Context, st *store.Statement, group []settlement) error {
	written, err := e.tryGroup(ctx, st, group)
	if errors.Is(err, store.ErrInvalid) {
		if len(group) == 1 {
			e.log(group[0].claim).Error("result not written: it will run again when its lease ends", "error", err)
			e.untrack(group[0].claim)
			return nil
		}
		for _, s := range group {
			if err := e.writeGroup(ctx, st, []settlement{s}); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, s := range group {
		e.written(s, written[i])
	}
	e.notify(ctx, group)
	return nil
}

// tryGroup writes ends of one form, with their effects, and reports which of the
// claims this process still had.
func (e *engine) tryGroup(ctx context.Context, st *store.Statement, group []settlement) (written []bool, err error) {
	claims := make([]*claim, len(group))
	for i, s := range group {
		claims[i] = s.claim
	}
	err = e.changing(ctx, e.db.Conn(), func(c *store.Conn) ([]any, error) {
		if st == &e.shape.st.Complete {
			written, err = e.change(ctx, c, st, claims, 0)
		} else {
			written, err = e.endEach(ctx, c, st, group)
		}
		if err != nil {
			return nil, err
		}
		return idsOf(claims, written), nil
	})
	return written, err
}

func (e *engine) endEach(ctx context.Context, c *store.Conn, st *store.Statement, group []settlement) ([]bool, error) {
	touched, err := store.ExecEach(ctx, c, st, len(group), func(i int) []any { return e.endArguments(group[i]) })
	if err != nil {
		return nil, err
	}
	written := make([]bool, len(group))
	for i, n := range touched {
		written[i] = n > 0
	}
	return written, nil
}

func (e *engine) endArguments(s settlement) []any {
	args := arguments(e.db, s.end.delay)
	args[argID], args[argEpoch] = s.claim.ID, s.claim.Epoch
	args[argResult] = s.result
	if s.end.delay > 0 {
		args[argHold] = HoldTime
	}
	if s.end.verb == toPark {
		args[argHold] = holdKind
	}
	switch s.end.verb {
	case toRetry, toDead, toCancelled, toPark:
		text := e.errorText(s.end.err)
		args[argError] = text
		args[argErrors] = history(s.claim.Errors, s.claim.Attempt, text, e.db.Clock())
	}
	return args
}

// errorText is what of an error is kept on the row.
func (e *engine) errorText(err error) string {
	text := err.Error()
	for _, mark := range []error{errDiscard, errCancel} {
		text = strings.TrimPrefix(text, mark.Error()+": ")
	}
	return fit(clean(text), min(e.shape.errorMax, maxError))
}

// written takes note of an end that was written, or refused by the fence.
func (e *engine) written(s settlement, ok bool) {
	e.untrack(s.claim)
	if !ok {
		e.log(s.claim).Warn("result refused: the lease was lost", "error", s.end.err)
		e.emit(s.claim, LeaseLost, s.end)
		return
	}
	l := e.log(s.claim)
	switch s.end.verb {
	case toRetry:
		l.Warn("job failed", "error", s.end.err, "again_in", s.end.delay)
	case toDead:
		l.Error("job is dead", "error", s.end.err)
	case toPark:
		l.Warn("job left for another program", "error", s.end.err)
	case toCancelled:
		l.Info("job cancelled by its handler", "error", s.end.err)
	}
	e.emit(s.claim, eventOf[s.end.verb], s.end)
}

// notify wakes those who wait for what a group's writing makes possible.
func (e *engine) notify(ctx context.Context, group []settlement) {
	again := false
	for _, s := range group {
		again = again || s.end.verb == toRetry || s.end.verb == toSnooze || s.end.verb == toRelease
	}
	if again {
		e.db.Conn().Announce(e.shape.name)
	}
	e.ended.announce()
	e.releaseAfter(ctx, group)
}

// completed takes note of a job that its handler has completed in a transaction.
func (e *engine) completed(c *claim) {
	s := settlement{claim: c, end: outcome{verb: toDone}}
	e.untrack(c)
	e.emit(c, Done, s.end)
	e.notify(e.handlers, []settlement{s})
}

// completeIn completes a job within a transaction, and writes its last progress.
func (e *engine) completeIn(ctx context.Context, conn *store.Conn, c *claim, result json.RawMessage) error {
	if err := e.report(ctx, conn, []*claim{c}); err != nil {
		return err
	}
	return e.changing(ctx, conn, func(conn *store.Conn) ([]any, error) {
		if result != nil {
			s := settlement{c, outcome{verb: toDone}, result}
			n, err := store.Exec(ctx, conn, &e.shape.st.Finish, e.endArguments(s))
			return []any{c.ID}, stillOurs(n > 0, err)
		}
		ok, err := e.change(ctx, conn, &e.shape.st.Complete, []*claim{c}, 0)
		return []any{c.ID}, stillOurs(err == nil && ok[0], err)
	})
}

func stillOurs(ok bool, err error) error {
	if err == nil && !ok {
		return ErrLeaseLost
	}
	return err
}

// change runs Complete or Beat for many claims and says which of them this
// process still had. The three databases each have their way: see the
// generator's lowering of it.
func (e *engine) change(ctx context.Context, conn *store.Conn, st *store.Statement, claims []*claim, span time.Duration) ([]bool, error) {
	args := arguments(e.db, span)
	switch conn.Dialect() {
	case sqliteDialect:
		touched, err := store.ExecEach(ctx, conn, st, len(claims), func(i int) []any {
			args[argID], args[argEpoch] = claims[i].ID, claims[i].Epoch
			return args
		})
		if err != nil {
			return nil, err
		}
		ok := make([]bool, len(claims))
		for i, n := range touched {
			ok[i] = n > 0
		}
		return ok, nil
	case mysqlDialect:
		return e.changeLocked(ctx, conn, st, claims, args)
	}
	claims, all := latest(claims), claims
	args[argIDs], args[argEpochs] = arrays(claims)
	ids, err := e.ids(ctx, conn, st, args)
	if err != nil {
		return nil, err
	}
	return among(all, claims, ids), nil
}

// latest leaves out claims of rows that this process has claimed again since:
// those are lost, and the databases' answers name rows alone.
func latest(claims []*claim) []*claim {
	newest := make(map[any]*claim, len(claims))
	for _, c := range claims {
		if old := newest[c.ID]; old == nil || old.Epoch < c.Epoch {
			newest[c.ID] = c
		}
	}
	if len(newest) == len(claims) {
		return claims
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c *claim) bool { return newest[c.ID] != c })
}

// changeLocked is MySQL's: it locks the rows in the order of their ids, sees
// whose they are, and changes those that are still ours.
func (e *engine) changeLocked(ctx context.Context, conn *store.Conn, st *store.Statement, all []*claim, args []any) (ok []bool, err error) {
	claims := latest(all)
	err = conn.InTx(ctx, func(conn *store.Conn) error {
		ids := make([]any, len(claims))
		epochs := make(map[any]int64, len(claims))
		for i, c := range claims {
			ids[i], epochs[c.ID] = c.ID, c.Epoch
		}
		held, err := e.lock(ctx, conn, ids, st == &e.shape.st.Beat)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, h := range held {
			if epochs[h.id.v] == h.epoch {
				ids = append(ids, h.id.v)
			}
		}
		ok = among(all, claims, ids)
		if len(ids) == 0 {
			return nil
		}
		changing, with := many(st, args, ids)
		_, err = store.Exec(ctx, conn, changing, with)
		return err
	})
	return ok, err
}

// lockedRow is a running row that MySQL has locked for us.
type lockedRow struct {
	id    anyID
	epoch int64
}

// lock locks running rows on MySQL. Those that another has locked it waits for,
// or skips: see the generator's lowering of heartbeats and expiry.
func (e *engine) lock(ctx context.Context, conn *store.Conn, ids []any, skip bool) ([]lockedRow, error) {
	st, args := many(&e.shape.st.Lock, arguments(e.db, 0), ids)
	if skip {
		st.Text[mysqlDialect] += " SKIP LOCKED"
	}
	return store.Many(ctx, conn, st, args, func(h *lockedRow) []any { return []any{&h.id, &h.epoch} })
}

// arrays gives the ids and epochs of claims as PostgreSQL takes them.
func arrays(claims []*claim) (ids, epochs any) {
	e := make([]int64, len(claims))
	numbers, texts := make([]int64, 0, len(claims)), []string(nil)
	for i, c := range claims {
		e[i] = c.Epoch
		switch id := c.ID.(type) {
		case int64:
			numbers = append(numbers, id)
		case string:
			texts = append(texts, id)
		}
	}
	if texts != nil {
		return texts, e
	}
	return numbers, e
}

// among says which of all claims were changed: those of the ones asked for whose
// ids are among the given.
func among(all, asked []*claim, ids []any) []bool {
	set := make(map[any]*claim, len(asked))
	for _, c := range asked {
		set[c.ID] = c
	}
	changed := make(map[*claim]struct{}, len(ids))
	for _, id := range ids {
		changed[set[id]] = struct{}{}
	}
	ok := make([]bool, len(all))
	for i, c := range all {
		_, ok[i] = changed[c]
	}
	return ok
}

// writeReports writes the progress of claims that have something new to say.
func (e *engine) writeReports(ctx context.Context, batch []settlement) error {
	claims := make([]*claim, len(batch))
	for i, s := range batch {
		claims[i] = s.claim
	}
	return e.report(ctx, e.db.Conn(), claims)
}

func (e *engine) report(ctx context.Context, conn *store.Conn, claims []*claim) error {
	var all [][]any
	var reporting []*claim
	for _, c := range claims {
		progress, note, ok := c.handle.report()
		if !ok {
			continue
		}
		args := arguments(e.db, 0)
		args[argID], args[argEpoch], args[argProgress], args[argNote] = c.ID, c.Epoch, progress, note
		all, reporting = append(all, args), append(reporting, c)
	}
	if len(all) == 0 {
		return nil
	}
	err := e.changing(ctx, conn, func(conn *store.Conn) ([]any, error) {
		touched, err := store.ExecEach(ctx, conn, &e.shape.st.Report, len(all), func(i int) []any { return all[i] })
		if err != nil {
			return nil, err
		}
		written := make([]bool, len(touched))
		for i, n := range touched {
			written[i] = n > 0
		}
		return idsOf(reporting, written), nil
	})
	if err != nil || conn != e.db.Conn() { // a transaction may be rolled back
		for _, c := range reporting {
			c.handle.reportAgain()
		}
	}
	return err
}

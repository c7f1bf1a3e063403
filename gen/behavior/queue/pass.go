package queue

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Apply makes a datatype workable. What the section does not name and a queue needs
// is added under the prefix queue_.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	q := Of(d)
	q.Worker = &Worker{Section: q}
	p := &queuePass{d: d, q: q, w: q.Worker}
	p.counters()
	p.claim()
	p.outcome()
	p.policies()
	p.held()
	p.unclaimed()
	p.order()
	p.operations()
	p.indexes()
	d.Effects = append(d.Effects, model.Effect{
		On: model.Creates, Announce: d.Name, Missed: "It writes " + d.Name + ", and wakes no worker.",
	})
	d.Names = append(d.Names, p.names()...)
	p.secrets()
	return nil
}

// queuePass is the state of the pass on one datatype.
type queuePass struct {
	d *model.Datatype
	q *Section
	w *Worker
}

// add adds a field that a program can set.
func (p *queuePass) add(help string, f *model.Field) *model.Field {
	f.Help = help
	return behavior.AddField(p.d, f)
}

// keep adds a field that only the queue's statements write after the row is there.
func (p *queuePass) keep(help string, f *model.Field) *model.Field {
	f.Kept = true
	return p.add(help, f)
}

// own adds a field that the generated methods of the queue set.
func (p *queuePass) own(help string, f *model.Field) *model.Field {
	f.Own = true
	return p.add(help, f)
}

// counters are what a definition may name itself.
func (p *queuePass) counters() {
	if p.q.Attempts == nil {
		p.q.Attempts = p.keep("how often a worker has taken the row up", behavior.Number("queue_attempts", "Attempts", "0"))
	}
	if p.q.MaxAttempts == nil {
		p.q.MaxAttempts = p.add("after so many attempts the row is dead", behavior.Number("queue_max_attempts", "Max attempts", "3"))
	}
	if p.q.RunAt == nil {
		p.q.RunAt = p.add("not run before then", behavior.Instant("queue_run_at", "Run at"))
	}
	if p.q.Error == nil {
		p.q.Error = p.keep("what the last attempt failed with", behavior.Text("queue_error", "Error", "textarea", "65535"))
	}
	if p.q.CompletedAt == nil && len(p.q.Retention) > 0 {
		p.q.CompletedAt = p.keep("when the row ended", behavior.Instant("queue_completed_at", "Completed at"))
	}
}

// claim adds the fields of a claim, and the one that keeps a row from being claimed.
func (p *queuePass) claim() {
	p.w.Epoch = p.keep("grows with every claim; a worker that lost its claim cannot write", behavior.Number("queue_epoch", "Epoch", "0"))
	p.w.Lease = p.keep("until when the running worker's claim holds", behavior.Instant("queue_lease", "Lease"))
	hold := behavior.Line("queue_hold", "Hold", 16)
	hold.Default.Call = &model.Call{Package: enginePath, Func: "HoldUntil", Args: []string{rowValue(p.q.RunAt), "now"}}
	hold.Patch = &model.Call{Package: enginePath, Func: "HoldChanged", Args: []string{"p.own.QueueHold", "p." + p.q.RunAt.GoName}}
	hold.Beside, hold.BesideWhy = p.q.RunAt, "a job that waits is taken before its time: set that to 'time'"
	p.w.Hold = p.own("why the row waits: time, limit or kind; empty: it does not", hold)
	if p.q.Unknown != "" {
		p.w.Begun = p.keep("the epoch of the last claim that called BeginOnce", behavior.Number("queue_begun", "Begun", "0"))
	}
	if len(p.q.Names) > 0 {
		name := behavior.Line("queue_name", "Queue", 64)
		name.Default.Text = p.q.Names[0].Name
		p.w.Name = p.add("the named queue that the row is in", name)
	}
}

// outcome is what a handler and its failures leave on the row.
func (p *queuePass) outcome() {
	p.w.Errors = p.keep("the last failures, newest last", behavior.Document("queue_errors", "Errors"))
	p.w.Result = p.keep("what the handler left", behavior.Document("queue_result", "Result"))
	progress := &model.Field{
		Name: "queue_progress", GoName: "QueueProgress", Type: "decimal", Label: "Progress", Scale: 4,
		Rules: check.Rules{Kind: check.Decimal, Min: check.At("0"), Max: check.At("1"), Scale: 4},
	}
	p.w.Progress = p.keep("how far the handler has come, 0 to 1", progress)
	p.w.Note = p.keep("what the handler says of its progress", behavior.Text("queue_note", "Note", "text", "255"))
	p.w.Trace = p.own("the trace that enqueued the row, in W3C's form", behavior.Text("queue_trace", "Trace", "text", "255"))
}

// policies are what limits, uniqueness and versions need of the row.
func (p *queuePass) policies() {
	all := []Policy{p.q.Policy}
	versions := false
	for _, k := range p.q.Kinds {
		all = append(all, k.Policy)
		versions = versions || k.Version > 1
	}
	for _, policy := range all {
		if p.w.Limit == nil && (policy.Rate != nil || policy.Concurrency > 0) {
			p.w.Limit = p.own("what the limits of rate and concurrency count the row under", behavior.Text("queue_limit", "Limit", "text", "255"))
		}
		if p.w.Unique == nil && policy.Unique != nil {
			p.w.Unique = p.own("no two unfinished rows have the same", behavior.Text("queue_unique", "Unique", "text", "255"))
			p.w.UniqueUntil = p.own("until when queue_unique holds, whatever becomes of the row", behavior.Instant("queue_unique_until", "Unique until"))
			p.w.Yielded = p.keep("another row took the key while this one was unfinished", behavior.Flag("queue_yielded", "Yielded"))
		}
	}
	if versions {
		p.w.Version = p.own("the version of the payload", behavior.Number("queue_version", "Version", "1"))
	}
}

// held are the kinds: a job of one that no program knows would wait for ever, and one with a payload that no program
// can decode would be dead.
func (p *queuePass) held() {
	if p.q.KindField == nil {
		return
	}
	h := model.Held{Field: p.q.KindField, What: "kind", Version: p.w.Version, While: []model.Condition{{Field: p.q.State, Op: "in", Values: []string{p.q.Ready, p.q.Running}}}}
	for _, k := range p.q.Kinds {
		h.Values = append(h.Values, k.Name)
		h.Forms = append(h.Forms, model.Form{Value: k.Name, Version: k.Version, Members: k.Fields})
		for _, old := range k.Older {
			h.Forms = append(h.Forms, model.Form{Value: k.Name, Version: old.Version, Members: old.Fields})
		}
	}
	slices.Sort(h.Values)
	slices.SortFunc(h.Forms, func(a, b model.Form) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Version, b.Version))
	})
	p.d.Held = append(p.d.Held, h)
}

// unclaimed are rows in the running state from before there was a queue: without a lease, no one would
// find that they have no worker.
func (p *queuePass) unclaimed() {
	p.d.Unclaimed = append(p.d.Unclaimed, model.Unclaimed{
		With: p.w.Lease, Rows: []model.Condition{{Field: p.q.State, Op: "=", Values: []string{p.q.Running}}},
		Because: fmt.Sprintf("%s = %s will mean that a worker has the row, which none has: these rows would never run again; give them another %[1]s first", p.q.State.Name, p.q.Running),
	})
}

// order is the definition's, unless waiting makes up for a low priority: then
// the rank says it all, and an index can follow it.
func (p *queuePass) order() {
	p.w.Order = p.q.Order
	if p.q.Ageing > 0 {
		rank := behavior.Number("queue_rank", "Rank", "0")
		rank.Default = &model.Default{Now: true, Call: &model.Call{
			Package: enginePath, Func: "Rank", Args: []string{"now", rowValue(p.q.Order[0].Field), fmt.Sprintf("%#v", code.Duration(p.q.Ageing))},
		}}
		p.w.Rank = p.keep("the moment of enqueueing, less the waiting that the priority is worth, in microseconds", rank)
		p.w.Order = []model.IndexColumn{{Field: p.w.Rank}}
	}
}

// steps are what MySQL does after an operation's own query.
var steps = map[model.OpKind][]string{OpClaim: {"Take", "Read", "Skipped"}}

func (p *queuePass) operations() {
	add := func(verb string, kind model.OpKind) *model.Operation {
		op := &model.Operation{Name: verb + p.d.GoRow, Kind: kind, Behavior: Name}
		p.d.Operations = append(p.d.Operations, op)
		return op
	}
	for _, op := range []struct {
		verb string
		kind model.OpKind
		when bool
	}{
		{"Claim", OpClaim, true},
		{"Lock", OpLock, true},
		{"Heartbeat", OpHeartbeat, true},
		{"Complete", OpComplete, true},
		{"Finish", OpFinish, true},
		{"Retry", OpRetry, true},
		{"Snooze", OpSnooze, true},
		{"Release", OpRelease, true},
		{"DeadLetter", OpDeadLetter, true},
		{"CancelRunning", OpCancelRunning, true},
		{"BeginOnce", OpBeginOnce, p.q.Unknown != ""},
		{"SetUnknown", OpSetUnknown, p.q.Unknown != ""},
		{"Report", OpReport, true},
		{"Running", OpRunning, true},
		{"Expire", OpExpire, true},
		{"Promote", OpPromote, true},
		{"SetHold", OpSetHold, true},
		{"NextDue", OpNextDue, true},
		{"UnknownKind", OpUnknownKind, len(p.q.Kinds) > 0},
		{"Park", OpPark, len(p.q.Kinds) > 0},
		{"Unpark", OpUnpark, len(p.q.Kinds) > 0},
		{"Cancel", OpCancel, true},
		{"RetryEnded", OpRetryEnded, true},
		{"DeleteEnded", OpDeleteEnded, len(p.q.Retention) > 0},
		{"Paused", OpPaused, true},
		{"SetPaused", OpSetPaused, true},
		{"AddLimit", OpAddLimit, true},
		{"LockLimit", OpLockLimit, p.w.Limit != nil},
		{"SetLimit", OpSetLimit, p.w.Limit != nil},
		{"PruneLimits", OpPruneLimits, p.w.Limit != nil},
		{"DeleteLimits", OpDeleteLimits, p.w.Limit != nil},
		{"LimitRunning", OpLimitRunning, p.w.Limit != nil},
		{"HoldLimited", OpHoldLimited, p.w.Limit != nil},
		{"ReleaseLimited", OpReleaseLimited, p.w.Limit != nil},
		{"NextLimited", OpNextLimited, p.w.Limit != nil},
		{"KeyHolder", OpKeyHolder, p.w.Unique != nil},
		{"ReleaseKey", OpReleaseKey, p.w.Unique != nil},
		{"Priority", OpPriority, p.w.Rank != nil},
	} {
		if op.when {
			add(op.verb, op.kind).Steps = steps[op.kind]
		}
	}
	for i := range p.q.Retention {
		r := &p.q.Retention[i]
		p.d.Operations = append(p.d.Operations, &model.Operation{
			Name: "Prune" + p.d.GoRow + goname.Exported(p.role(r.State)), Kind: OpPrune, Behavior: Name, Detail: r,
		})
	}
}

// indexes keep each look at the table short, however many rows have ended or
// are to run later: where the database has partial indexes, they hold the few
// rows that the look is about.
func (p *queuePass) indexes() {
	state := model.IndexColumn{Field: p.q.State}
	is := func(f *model.Field, op string, values ...string) model.Condition {
		return model.Condition{Field: f, Op: op, Values: values}
	}
	hold := model.IndexColumn{Field: p.w.Hold}
	claim := []model.IndexColumn{state, hold}
	if p.w.Name != nil {
		claim = append(claim, model.IndexColumn{Field: p.w.Name})
	}
	// The id is the last of the order: without it in the index PostgreSQL sorts
	// all that waits, with every claim.
	order := append(slices.Clone(p.w.Order), model.IndexColumn{Field: p.d.IDField()})
	p.index("claim", append(claim, order...), is(p.q.State, "=", p.q.Ready), is(p.w.Hold, "=", ""))
	p.index("hold", []model.IndexColumn{state, hold, {Field: p.q.RunAt}}, is(p.q.State, "=", p.q.Ready), is(p.w.Hold, "!=", ""))
	// By the lease and not by the state: PostgreSQL would take an index of running
	// rows to write their ends by, and read every one that ran since the last vacuum.
	p.index("running", []model.IndexColumn{{Field: p.w.Lease}}, is(p.w.Lease, "not_null"))
	if p.w.Limit != nil {
		p.index("limit", append([]model.IndexColumn{state, hold, {Field: p.w.Limit}}, order...), is(p.w.Limit, "not_null"))
	}
	for _, r := range p.q.Retention {
		p.index(p.role(r.State), []model.IndexColumn{state, {Field: p.q.CompletedAt}}, is(p.q.State, "=", r.State))
	}
	if p.w.Unique != nil {
		// By the state, which every statement that makes a row ready writes: the database
		// itself refuses a second unfinished row, whatever statement makes it.
		p.w.Holds = p.index("unique", []model.IndexColumn{{Field: p.w.Unique}},
			is(p.w.Yielded, "=", "false"),
			model.Condition{Any: []model.Condition{is(p.q.State, "in", p.q.holding()...), is(p.w.UniqueUntil, "not_null")}})
		p.w.Holds.Unique = true
	}
}

// role is what an end state is called in the names of things, whatever its
// option is.
func (p *queuePass) role(state string) string {
	switch state {
	case p.q.Done:
		return "done"
	case p.q.Dead:
		return "dead"
	case p.q.Unknown:
		return "unknown"
	}
	return "cancelled"
}

func (p *queuePass) index(name string, columns []model.IndexColumn, where ...model.Condition) *model.Index {
	return behavior.AddIndex(p.d, &model.Index{
		Name:    model.ShortName(p.d.Name + "_queue_" + name + "_idx"),
		Columns: columns, Where: where,
	})
}

// secrets marks the payloads as veiled when a kind has secrets.
func (p *queuePass) secrets() {
	for _, k := range p.q.Kinds {
		forms := [][]*model.Field{k.Fields}
		for _, old := range k.Older {
			forms = append(forms, old.Fields)
		}
		for _, fields := range forms {
			p.q.PayloadField.Veiled = p.q.PayloadField.Veiled || slices.ContainsFunc(fields, (*model.Field).Hidden)
		}
	}
}

// rowValue is a field of the row r in generated code, as the zero value where it is null.
func rowValue(f *model.Field) string {
	if f.NotNull {
		return "r." + f.GoName
	}
	return "r." + f.GoName + ".V"
}

package cron

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/publish"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// What jobs and runs need, in the order of the built-in ones.
var (
	jobNeeds = []adapter.Need{
		adapter.Must("name", "text", "max: 200, required: true, unique: true"),
		adapter.Must("schedule", "text", "max: 200, required: true"),
		adapter.Can("time_zone", "text select", "max: 64"),
		adapter.Must("enabled", "boolean", "default: true"),
		adapter.Must("action_type", "select text", "options: [predefined, plugin, http, job, mail, webhook], required: true"),
		adapter.May("action_config", "json", ""),
		adapter.May("last_run", "datetime", ""),
		adapter.May("next_run", "datetime", ""),
		adapter.Must("run_count", "number", "default: 0"),
		adapter.May("last_status", "select text", "options: [success, error, running]").Takes("success", "error", "running").Holds(int64(len("success"))),
		adapter.Can("error", "textarea text", "max: 4000").Holds(protocol.MaxError).Nullable(),
		adapter.Can("misfire", "select text", "options: [once, skip, all], default: once"),
		adapter.Can("overlap", "select text", "options: [skip, queue, allow, replace], default: skip"),
		adapter.Can("jitter", "number", "default: 0"),
		adapter.Can("starts_at", "datetime", ""),
		adapter.Can("ends_at", "datetime", ""),
		adapter.Can("exclude", "json", ""),
		adapter.Can("calendar", "reference", "to: cron_calendar, on_delete: restrict"),
		adapter.Can("timeout", "number", "default: 0"),
		adapter.Can("max_attempts", "number", "default: 1"),
		adapter.Can("failures", "number", "default: 0"),
		adapter.Can("max_failures", "number", "default: 0"),
		adapter.Can("ping_url", "url text", ""),
		adapter.Can("declared", "json", "").Nullable(),
	}
	runNeeds = []adapter.Need{
		adapter.May("job_id", "reference", "to: cron_job, on_delete: set_null"),
		adapter.Must("job_name", "text textarea", "max: 200, required: true"),
		adapter.Must("due_at", "datetime", "required: true"),
		adapter.Must("triggered_by", "select text", "options: [schedule, manual, backfill], required: true").Takes("schedule", "manual", "backfill").Holds(int64(len("schedule"))),
		adapter.Must("action_type", "text", "max: 50, required: true"),
		adapter.May("action_config", "json", ""),
		adapter.Can("timeout", "number", "default: 0"),
		adapter.Must("waits", "boolean", "default: false"),
		adapter.Can("output", "textarea text", "max: 40000").Holds(protocol.MaxOutput).Nullable(),
	}
)

// Link resolves the fields that the section uses, and has the queue of runs worked.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	s := Of(def.Datatype)
	if s == nil {
		return // reported
	}
	l := linker{def, section, s}
	s.Jobs = adapter.Find(def, section, def, adapter.Use{By: "jobs of cron", Needs: jobNeeds, Names: section})
	l.distinct()
	l.counted()
	l.dated()
	l.runs()
	l.calendars()
}

// linker resolves the section of one definition.
type linker struct {
	def     *load.Definition
	section *yaml.Node
	s       *Section
}

// distinct reports a field that is used for two things: one would overwrite the other.
func (l linker) distinct() {
	uses := map[*model.Field]string{}
	for _, n := range jobNeeds {
		f := l.s.Jobs.Fields[n.Name]
		if f == nil {
			continue
		}
		if other := uses[f]; other != "" {
			l.def.Wrong(node.Or(node.Get(l.section, n.Name), l.section), fmt.Sprintf("%s and %s are both the field %s", other, n.Name, f.Name), "each needs a field of its own")
			continue
		}
		uses[f] = n.Name
	}
}

// counted reports a bound of failures that nothing counts.
func (l linker) counted() {
	if l.s.Jobs.Fields["max_failures"] != nil && l.s.Jobs.Fields["failures"] == nil && node.Get(l.section, "failures") == nil {
		l.def.Wrong(l.section, "max_failures needs a field that counts failures", "add {name: failures, type: number, default: 0}")
	}
}

// dated reports a date of publishing that the runtime writes.
func (l linker) dated() {
	p := publish.Of(l.def.Datatype)
	for _, use := range []string{"last_run", "next_run"} {
		if f := l.s.Jobs.Fields[use]; f != nil && p != nil && p.Date == f {
			l.def.Wrong(node.Or(node.Get(l.section, use), l.section), f.Name+" is the date of publish, and cron writes it as "+use, "name another field")
		}
	}
}

// runs finds the queue of runs.
func (l linker) runs() {
	at := node.Get(l.section, "runs")
	if at == nil || !node.IsText(at) {
		return // reported
	}
	other := l.def.Other(at)
	switch {
	case other == nil: // reported
		return
	case other == l.def:
		l.def.Wrong(at, l.def.Datatype.Name+" has the jobs, and cannot have their runs too", "name another datatype, such as the built-in cron_runs")
		return
	}
	q := queue.Of(other.Datatype)
	switch {
	case q == nil:
		if node.Get(other.Root, "queue") == nil {
			l.def.Wrong(at, "runs are worked by a queue, and "+other.Datatype.Name+" has no queue section", "add queue, or name a copy of the built-in cron_runs")
		}
		return
	case len(q.Kinds) > 0:
		l.def.Wrong(at, "the rows of "+other.Datatype.Name+" are jobs of several kinds, and runs are of one", "remove kinds, or name another datatype")
		return
	case q.Policy.Unique != nil:
		l.def.Wrong(at, "the queue of "+other.Datatype.Name+" has unique, and each instant of a job is a run", "remove unique")
		return
	case q.Worked != nil:
		l.def.Wrong(at, "the queue of "+other.Datatype.Name+" is worked by another section already", "name another datatype")
		return
	}
	l.s.Runs = adapter.Find(l.def, at, other, adapter.Use{
		By: "runs of cron", Needs: runNeeds, Adds: true, Key: []string{"job_id", "due_at"},
		Known: func(f *model.Field) bool {
			return f == q.State || f == q.Attempts || f == q.MaxAttempts || f == q.RunAt
		},
	})
	l.ends(q, at, other)
	l.room(at, other)
	l.once(at, other)
	l.refers(other)
	q.Worked = worked(l.def.Datatype, other.Datatype)
}

// ends reports a queue in whose rows the runtime could not write why, or when, a run ended that did
// not take place: fields that the queue adds are its own.
func (l linker) ends(q *queue.Section, at *yaml.Node, other *load.Definition) {
	for _, need := range []struct {
		f                     *model.Field
		what, name, declareAs string
	}{{q.Error, "why", "error", "textarea"}, {q.CompletedAt, "when", "completed_at", "datetime"}} {
		if need.f == nil {
			l.def.Wrong(at, fmt.Sprintf("cron writes %s a run ended, and the queue of %s has no field for it", need.what, other.Datatype.Name), fmt.Sprintf("add {name: %s, type: %s}", need.name, need.declareAs))
		}
	}
}

// room reports fields of runs that lack, or could not hold what is copied from the job.
func (l linker) room(at *yaml.Node, other *load.Definition) {
	if f := l.s.Jobs.Fields["timeout"]; f != nil && l.s.Runs.Fields["timeout"] == nil && !l.has(other, "timeout") {
		l.def.Wrong(at, fmt.Sprintf("the jobs have %s, and %s has no field timeout, which is copied to a run", f.Name, other.Datatype.Name), "add to "+other.Datatype.Name+": {name: timeout, type: number, default: 0}")
	}
	for _, copied := range []struct{ of, to string }{{"name", "job_name"}, {"action_type", "action_type"}, {"action_config", "action_config"}} {
		from, to := l.s.Jobs.Fields[copied.of], l.s.Runs.Fields[copied.to]
		if from == nil || to == nil || !to.Rules.Max.IsSet() {
			continue // reported
		}
		if most := longest(from); most.Compare(to.Rules.Max) > 0 {
			other.Wrong(node.Or(node.Get(other.Node(to), "max"), node.Get(other.Node(to), "name"), other.Node(to)),
				fmt.Sprintf("%s holds %s at most, and %s of %s, which is copied to it, up to %s", to.Name, to.Rules.Max, from.Name, l.def.Datatype.Name, most), fmt.Sprintf("write max: %s", most))
		}
	}
}

// has reports whether a definition declares a field, perhaps one that does not fit.
func (l linker) has(of *load.Definition, name string) bool {
	return slices.ContainsFunc(of.Datatype.Fields, func(f *model.Field) bool { return f.Name == name })
}

// longest is how long a text or document in a field can be.
func longest(f *model.Field) check.Bound {
	if f.Type != "select" {
		return f.Rules.Max
	}
	most := 0
	for _, o := range f.Options {
		most = max(most, len(o.Value))
	}
	return check.AtInt(int64(most))
}

// once reports runs of which there could be several for one instant.
func (l linker) once(at *yaml.Node, other *load.Definition) {
	job, due := l.s.Runs.Fields["job_id"], l.s.Runs.Fields["due_at"]
	if job == nil || due == nil {
		return // reported
	}
	for _, x := range other.Datatype.Indexes {
		var fields []*model.Field
		for _, c := range x.Columns {
			fields = append(fields, c.Field)
		}
		if x.Unique && len(x.Where) == 0 && len(fields) == 2 && slices.Contains(fields, job) && slices.Contains(fields, due) {
			return
		}
	}
	l.def.Wrong(at, other.Datatype.Name+" may have several rows for one instant of a job", fmt.Sprintf("add to %s: indexes: [{fields: [%s, %s], unique: true}]", other.Datatype.Name, job.Name, due.Name))
}

// refers reports runs of other jobs, and those that would keep a job from being deleted.
func (l linker) refers(other *load.Definition) {
	f := l.s.Runs.Fields["job_id"]
	switch {
	case f == nil || f.References == nil: // reported
	case f.References != l.def.Datatype:
		other.Wrong(node.Or(node.Get(other.Node(f), "to"), other.Node(f)), fmt.Sprintf("%s refers to %s, and the jobs are %s", f.Name, f.References.Name, l.def.Datatype.Name), "write to: "+l.def.Datatype.Name)
	case f.Reference.OnDelete != "set_null":
		other.Wrong(node.Or(node.Get(other.Node(f), "on_delete"), other.Node(f)), fmt.Sprintf("%s has on_delete: %s, and the history of a job is kept when the job is deleted", f.Name, f.Reference.OnDelete), "write on_delete: set_null")
	}
}

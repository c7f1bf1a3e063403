package behavior

import (
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// queue makes a datatype workable. What the section does not name and a queue
// needs is added under the prefix queue_: the fence (epoch), the lease, and
// the counters that a definition may leave out.
func queue(d *model.Datatype) mistake.List {
	q := d.Queue
	if q == nil {
		return nil
	}
	var found mistake.List
	add := func(f *model.Field) *model.Field {
		f, wrong := addField(d, f)
		found = append(found, wrong...)
		return f
	}
	if q.Attempts == nil {
		q.Attempts = add(number("queue_attempts", "Attempts", "0"))
	}
	if q.MaxAttempts == nil {
		q.MaxAttempts = add(number("queue_max_attempts", "Max attempts", "3"))
	}
	if q.RunAt == nil {
		q.RunAt = add(instant("queue_run_at", "Run at"))
	}
	if q.Error == nil {
		q.Error = add(&model.Field{
			Name: "queue_error", GoName: "QueueError", Type: "textarea", Label: "Error",
			Rules: check.Rules{Kind: check.Text, Max: check.At("65535")},
		})
	}
	epoch := add(number("queue_epoch", "Epoch", "0"))
	epoch.Help = "grows with every claim; a worker that lost its claim cannot write"
	lease := add(instant("queue_lease", "Lease"))
	lease.Help = "until when the running worker's claim holds"

	d.Worker = &model.Worker{Section: q, Epoch: epoch, Lease: lease}
	for _, op := range []struct {
		verb string
		kind model.OpKind
	}{
		{"Claim", model.OpClaim},
		{"Beat", model.OpBeat},
		{"Complete", model.OpComplete},
		{"Retry", model.OpRetry},
		{"Release", model.OpRelease},
		{"Bury", model.OpBury},
		{"Sweep", model.OpSweep},
	} {
		d.Operations = append(d.Operations, &model.Operation{Name: op.verb + d.GoRow, Kind: op.kind})
	}
	d.Indexes = append(d.Indexes, claimIndex(d, q))
	return found
}

// claimIndex lets a claim find its row without reading those that wait behind
// it. It covers ready rows alone and so stays small, however many are done.
func claimIndex(d *model.Datatype, q *model.QueueSection) *model.Index {
	return &model.Index{
		Pos:     d.Pos,
		Name:    model.ShortName(d.Name + "_claim_idx"),
		Columns: append([]model.IndexColumn{{Field: q.State}}, q.Order...),
		Where:   []model.Condition{{Field: q.State, Op: "=", Values: []string{q.Ready}}},
	}
}

func number(name, label, def string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: "number", Label: label, NotNull: true,
		Default: &model.Default{Text: def}, Rules: check.Rules{Kind: check.Int},
	}
}

func instant(name, label string) *model.Field {
	return &model.Field{
		Name: name, GoName: goname.Exported(name), Type: "datetime", Label: label,
		Rules: check.Rules{Kind: check.Time},
	}
}

package queue

import (
	"slices"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/model"
)

// limitsTable is the name of the table that all queues of a project share.
const limitsTable = "queue_limits"

// Tables adds the table that the queues of a project share: which of them are
// paused, and how much of a rate is used.
func (Behavior) Tables(p *model.Project) {
	i := slices.IndexFunc(p.Datatypes, func(d *model.Datatype) bool { return Of(d) != nil })
	if i < 0 {
		return
	}
	name := behavior.Text("name", "Name", "text", "255")
	name.Required, name.NotNull, name.Unique = true, true, true
	name.Help = "the queue, or what one of its limits counts by"
	paused := behavior.Flag("paused", "Paused")
	paused.Help = "no row of the queue is claimed"
	used := behavior.Line("used", "Used", 2000)
	used.Help = "how much of a rate was used, and when"
	seen := behavior.Number("seen", "Seen", "0")
	seen.Help = "when the limit was last looked at, in microseconds since 1970"
	limits := &model.Datatype{
		Name: limitsTable, Label: "Queue Limits", ID: model.IDInteger,
		Description: "Which queues are paused, and how much of their limits is used. The runtime keeps it.",
		GoRow:       "QueueLimit", GoAccessor: "QueueLimits",
		Fields: []*model.Field{name, paused, used, seen},
		Indexes: []*model.Index{{
			Name: limitsTable + "_name_key", GoName: "Name", Unique: true,
			Columns: []model.IndexColumn{{Field: name}},
		}},
	}
	behavior.AddDatatype(p, limits, p.Datatypes[i])
	for _, d := range p.Datatypes {
		if q := Of(d); q != nil {
			q.Limits = &LimitTable{Name: limitsTable, ID: limits.IDField(), Key: name, Paused: paused, Used: used, Seen: seen}
		}
	}
}

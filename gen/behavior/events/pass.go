package events

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// The tables that all datatypes with events share.
const (
	logTable      = "event_log"
	cursorTable   = "event_cursors"
	failuresTable = "event_failures"
)

// Log is what the log's table keeps as its section: its fields, and those of the tables
// beside it.
type Log struct {
	Event, Topic, Op, Row, Before, After, Position, CreatedAt *model.Field
	Cursors                                                   *model.Datatype
	Name, Topics, At, Epoch, Lease, SeenAt                    *model.Field // of a cursor
	Failed, Attempts, Error                                   *model.Field // of a cursor, about the event that failed
	Failures                                                  *model.Datatype
}

// LogOf returns what the log's table keeps; nil of another datatype.
func LogOf(d *model.Datatype) *Log {
	l, _ := d.Section(Name).(*Log)
	return l
}

// Tables adds the log, the cursors and the failures, where a datatype has events.
func (Behavior) Tables(p *model.Project) {
	i := slices.IndexFunc(p.Datatypes, func(d *model.Datatype) bool { return Of(d) != nil })
	if i < 0 {
		return
	}
	owner, l := p.Datatypes[i], &Log{}
	log := l.log()
	log.SetSection(Name, l)
	l.Cursors, l.Failures = l.cursors(), l.failures()
	for _, d := range []*model.Datatype{log, l.Cursors, l.Failures} {
		behavior.AddDatatype(p, d, owner)
	}
}

func table(name, goRow, label, description string, fields ...*model.Field) *model.Datatype {
	return &model.Datatype{
		Name: name, Label: label, Description: description, ID: model.IDInteger,
		GoRow: goRow, GoAccessor: goname.Exported(name), Fields: fields,
	}
}

func line(name, label string, length int64, help string) *model.Field {
	f := behavior.Line(name, label, length)
	f.Help = help
	return f
}

func long(name, label string, length int, help string) *model.Field {
	f := behavior.Text(name, label, "textarea", strconv.Itoa(length))
	f.Help = help
	return f
}

func whole(name, label, help string) *model.Field {
	f := behavior.Number(name, label, "0")
	f.Help = help
	return f
}

func moment(name, label, help string) *model.Field {
	f := behavior.Moment(name, label)
	f.Help = help
	return f
}

func index(d *model.Datatype, unique bool, fields ...*model.Field) {
	x := &model.Index{Name: d.Name, Unique: unique}
	for _, f := range fields {
		x.Columns = append(x.Columns, model.IndexColumn{Field: f})
		x.Name += "_" + f.Name
	}
	if x.Name += "_idx"; unique {
		x.Name = d.Name + "_" + fields[0].Name + "_key"
	}
	d.Indexes = append(d.Indexes, x)
}

func (l *Log) log() *model.Datatype {
	l.Event = line("event", "Event", 26, "its id, the same for every reader")
	l.Topic = line("topic", "Topic", protocol.MaxTopic, "the datatype, or the event that a program emitted, such as purchase.paid")
	l.Topic.Naming = model.NamesDatatype
	l.Op = line("op", "Op", 16, "what happened: create, update, delete, publish; emit of what a program emitted")
	l.Row = line("row_id", "Row", 64, "the id of the row that it happened to")
	l.Before = long("row_before", "Before", protocol.MaxRow, "the row before it, as JSON; empty where there was none")
	l.After = long("row_after", "After", protocol.MaxRow, "and after; empty where there is none. Of what a program emitted, the payload")
	l.Position = &model.Field{
		Name: "position", GoName: "Position", Type: "number", Label: "Position", Rules: check.Rules{Kind: check.Int},
		Help: "its place in the log, assigned after the commit; empty until then, and on SQLite, where the id is it",
	}
	l.CreatedAt = moment("created_at", "Created at", "when it was written")
	d := table(logTable, "EventLog", "Event Log", "What happened to rows, for subscriptions. The runtime keeps it.",
		l.Event, l.Topic, l.Op, l.Row, l.Before, l.After, l.Position, l.CreatedAt)
	index(d, false, l.Position)
	return d
}

func (l *Log) cursors() *model.Datatype {
	l.Name = line("name", "Name", protocol.MaxName, "of the subscription; the empty one keeps the last position")
	l.Topics = long("topics", "Topics", protocol.MaxTopics, "the datatypes that it reads, a comma behind each; one that is further has its position behind a colon")
	l.Topics.NotNull, l.Topics.Default, l.Topics.Naming = true, &model.Default{}, model.NamesDatatypes
	l.At = whole("position", "Position", "all events up to it are handled")
	l.Epoch = whole("epoch", "Epoch", "grows with every claim; a process that lost its claim cannot write")
	l.Lease = behavior.Instant("lease", "Lease")
	l.Lease.Help = "until when the claim of the process that reads it holds"
	l.Failed = whole("failed", "Failed", "the position of the last event that failed")
	l.Attempts = whole("attempts", "Attempts", "how often it has failed; 0 after it")
	l.Error = long("error", "Error", protocol.MaxError, "what it failed with last")
	l.SeenAt = moment("seen_at", "Seen at", "when a process last had it")
	d := table(cursorTable, "EventCursor", "Event Cursors", "How far subscriptions have come. The runtime keeps it.",
		l.Name, l.Topics, l.At, l.Epoch, l.Lease, l.Failed, l.Attempts, l.Error, l.SeenAt)
	index(d, true, l.Name)
	return d
}

// failures are events that were set aside. They outlive the log.
func (l *Log) failures() *model.Datatype {
	d := table(failuresTable, "EventFailure", "Event Failures", "Events that a subscription has set aside. The runtime adds to it.",
		line("name", "Name", protocol.MaxName, "of the subscription"),
		line("event", "Event", 26, "the event's id"),
		line("topic", "Topic", protocol.MaxTopic, "the datatype, or the event that a program emitted, such as purchase.paid"),
		line("op", "Op", 16, "what happened"),
		line("row_id", "Row", 64, "the id of the row that it happened to"),
		whole("position", "Position", "its place in the log"),
		whole("attempts", "Attempts", "how often it failed"),
		long("error", "Error", protocol.MaxError, "what it failed with last"),
		moment("created_at", "Created at", "when it was set aside"))
	d.Fields[2].Naming = model.NamesDatatype
	index(d, true, d.Fields[0], d.Fields[1])
	return d
}

// Apply adds to a datatype the effect that writes its events and the names of those that
// programs write, and to the log its operations.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	if l := LogOf(d); l != nil {
		for _, op := range operations {
			d.Operations = append(d.Operations, &model.Operation{Name: op.verb + d.GoRow, Kind: op.kind, Behavior: Name})
		}
		d.Names = append(d.Names, model.Name{Space: model.SpaceGo, Text: feedName, What: "the code of events", Pos: d.Pos, Owner: d, Added: true})
		return nil
	}
	s := Of(d)
	if s.Writes() != 0 {
		applyWrites(d, s)
	}
	for _, e := range s.Emits {
		d.Names = append(d.Names, e.names(d)...)
	}
	return nil
}

// applyWrites adds the effect by which writes are events.
func applyWrites(d *model.Datatype, s *Section) {
	args := []string{"&" + feedName, fmt.Sprintf("%q", d.Name)}
	run := &model.Call{Package: feedPath, Func: "Record", Args: append(slices.Clone(args), "&"+OpsName(d))}
	if former := formerOf(d); len(former.kept) > 0 {
		run.Func, run.Args = "RecordKept", append(run.Args, "&"+formerName(d))
	}
	d.Effects = append(d.Effects, model.Effect{
		On: s.Writes(), Rows: true, Announce: logTable,
		Wanted: &model.Call{Package: feedPath, Func: "Wanted", Args: args},
		Run:    run,
		Missed: "It writes " + d.Name + ", and no events.",
	})
	d.Names = append(d.Names,
		model.Name{Space: model.SpaceGo, Text: changeName(d), What: "the events of " + d.Name, Pos: d.GoPos, Owner: d, Hint: "give it another go_name"},
		model.Name{Space: model.SpaceGo, Text: OpsName(d), What: "the code of the events of " + d.Name, Pos: d.GoPos, Owner: d, Hint: "give it another go_name"},
		model.Name{Space: model.Members(handlersName), Text: d.GoAccessor, What: "the handler of " + d.Name, Pos: d.GoPos, Owner: d, Hint: "give it another go_name"},
	)
	if formerOf(d).any() {
		d.Names = append(d.Names, model.Name{Space: model.SpaceGo, Text: formerName(d), What: "the code of the events of " + d.Name, Pos: d.GoPos, Owner: d, Hint: "give it another go_name"})
	}
	for _, member := range []string{"Before", "After"} {
		d.Names = append(d.Names, model.Name{Space: model.Members(changeName(d)), Text: member, What: "the field of every event", Pos: d.Pos, Owner: d, Added: true})
	}
}

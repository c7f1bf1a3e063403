package cron

import (
	"slices"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// The columns that the behavior adds to jobs, by which it sees that SQL has changed a schedule.
const (
	plannedColumn     = "cron_schedule"
	plannedZoneColumn = "cron_zone"
)

// Tables adds columns to calendars, before any pass sees them. It has the jobs know the project's
// datatypes.
func (Behavior) Tables(p *model.Project) {
	settled := map[*model.Datatype]calendarColumns{}
	for _, d := range p.Datatypes {
		if s := Of(d); s != nil {
			s.All = p.Datatypes
			s.settle(settled)
		}
	}
}

// Apply adds columns, has jobs checked and planned when they are written and runs reported to
// their jobs, and declares what is printed.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	s := Of(d)
	s.Planned = behavior.AddField(d, behavior.Line(plannedColumn, "Planned schedule", s.Jobs.Fields["schedule"].Rules.Max.Int()))
	s.Planned.Help = "The schedule that the next run was computed from. The runtime keeps it."
	s.PlannedZone = behavior.AddField(d, behavior.Line(plannedZoneColumn, "Planned time zone", maxZone))
	s.PlannedZone.Help = "The time zone that the next run was computed in. The runtime keeps it."
	s.revise(d)
	// First: what others see of a new row is planned.
	d.Effects = slices.Insert(d.Effects, 0, model.Effect{
		On: model.Creates | model.Updates, Rows: true, Announce: d.Name,
		Wanted: &model.Call{Package: schedulerPath, Func: "Wanted", Args: []string{"&" + specName(d)}},
		Run:    &model.Call{Package: schedulerPath, Func: "Check", Args: []string{"&" + specName(d)}},
		Missed: "It writes " + d.Name + ", and nothing checks the schedule: what is wrong with a job is found when it is due.",
	})
	runs := s.Runs.Datatype
	runs.Effects = append(runs.Effects, model.Effect{
		On: model.Updates, Rows: true,
		Run:    &model.Call{Package: schedulerPath, Func: "Report", Args: []string{"&" + specName(d)}},
		Missed: "It writes " + runs.Name + ", and the job does not show how its run ended.",
	})
	for _, op := range s.operations() {
		d.Operations = append(d.Operations, &model.Operation{Name: op.verb + d.GoRow, Kind: op.kind, Behavior: Name})
	}
	d.Names = append(d.Names, names(d, runs)...)
	s.checked(d)
	return nil
}

// maxZone is how long the name of a time zone is at most.
const maxZone = 64

func names(d, runs *model.Datatype) []model.Name {
	var out []model.Name
	for _, text := range []string{specName(d), jobName(d), runName(d), projectName(d), declaredName(d)} {
		out = append(out, internal(d, text))
	}
	for _, method := range []string{"RunNow", "Pause", "Resume", "Next", "History", "Backfill"} {
		out = append(out, model.Name{Space: model.Members(d.GoRow + "Table"), Text: method, What: "the method of every datatype of jobs", Pos: d.Pos, Owner: d, Added: true})
	}
	return out
}

// internal is a name of the package that cron prints for a datatype of jobs.
func internal(d *model.Datatype, text string) model.Name {
	return model.Name{Space: model.SpaceGo, Text: text, What: "the code of cron", Pos: d.GoPos, Owner: d, Hint: "give it another go_name"}
}

func specName(d *model.Datatype) string     { return goname.Unexported(d.GoRow) + "Cron" }
func jobName(d *model.Datatype) string      { return goname.Unexported(d.GoRow) + "Scheduled" }
func runName(d *model.Datatype) string      { return goname.Unexported(d.GoRow) + "Run" }
func declaredName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Declared" }
func projectName(d *model.Datatype) string  { return goname.Unexported(d.GoRow) + "Project" }

// Package cron is the behavior of a datatype with a `cron:` section: its rows are jobs, each with
// a schedule and an action, and runs of them are rows of a queue.
//
//	cron.go       the section's keys
//	read.go       the fields that it uses, and the queue of runs
//	calendar.go   the datatype of days without an instant that jobs share
//	schedules.go  the jobs that modulagen.yaml declares
//	pass.go       columns, operations, effects and names
//	sql.go        the statements on jobs
//	print.go      its Go: how package scheduler reads and writes jobs and runs
//	project.go    what actions can do with the other datatypes
//
// What generated code calls is package runtime/cron/scheduler.
package cron

import (
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "cron"

// Behavior is cron, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Section is `cron:` as written.
type Section struct {
	Jobs, Runs adapter.Table
	Calendars  adapter.Table // of the days that jobs share; without a datatype where jobs have no calendar
	// Planned and PlannedZone are the schedule and the time zone that next_run was computed from.
	// Apply adds them.
	Planned, PlannedZone *model.Field
	Revision             *model.Field    // of the calendar with which it was computed; nil without calendars
	Settled              calendarColumns // what calendars have beside their days; Tables adds them

	Declares bool       // modulagen.yaml has schedules
	Declared []Declared // those of this datatype

	All []*model.Datatype // of the project; Tables sets it
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

var grammar = &language.Mapping{
	Name: "cron",
	Help: "The rows are jobs that run again and again. A key that names a field may be left out where the field has the key's name; docs/cron.md lists the fields that the datatype of runs needs.",
	Keys: []language.Key{
		{Name: "runs", Help: "the datatype of runs, which has a queue section; its rows are the history", Value: language.NameValue, Needed: true},
		{Name: "name", Help: "the field of the job's name", Value: language.NameValue},
		{Name: "schedule", Help: "the field of the cron expression", Value: language.NameValue},
		{Name: "time_zone", Help: "the field of the zone in which the schedule is meant, an IANA name", Value: language.NameValue},
		{Name: "enabled", Help: "the boolean field of whether the job runs", Value: language.NameValue},
		{Name: "action_type", Help: "the field of what a run does: predefined, plugin, http, job, mail, webhook", Value: language.NameValue},
		{Name: "action_config", Help: "the json field of the action's configuration", Value: language.NameValue},
		{Name: "last_run", Help: "the datetime when the last run was made", Value: language.NameValue},
		{Name: "next_run", Help: "the datetime of the next instant, jitter included", Value: language.NameValue},
		{Name: "run_count", Help: "the number of runs that were made", Value: language.NameValue},
		{Name: "last_status", Help: "the field of how the last run ended: success, error, running", Value: language.NameValue},
		{Name: "error", Help: "the field of why the last run failed, or of what is wrong with the job", Value: language.NameValue},
		{Name: "misfire", Help: "the field of what becomes of instants that nothing ran at: once, skip, all", Value: language.NameValue},
		{Name: "overlap", Help: "the field of what becomes of a run that is due while another one is under way: skip, queue, allow, replace", Value: language.NameValue},
		{Name: "jitter", Help: "the number of seconds over which jobs of one instant are spread", Value: language.NameValue},
		{Name: "starts_at", Help: "the datetime before which there is no instant", Value: language.NameValue},
		{Name: "ends_at", Help: "the datetime from which there is no instant", Value: language.NameValue},
		{Name: "exclude", Help: "the json field of days without an instant", Value: language.NameValue},
		{Name: "calendar", Help: "the reference to the calendar of days without an instant, which many jobs may share", Value: language.NameValue},
		{Name: "timeout", Help: "the number of seconds that a run may take", Value: language.NameValue},
		{Name: "max_attempts", Help: "the number of attempts that a run has", Value: language.NameValue},
		{Name: "failures", Help: "the number of runs that failed since the last one that did not", Value: language.NameValue},
		{Name: "max_failures", Help: "the number of failures in a row after which the job is disabled", Value: language.NameValue},
		{Name: "ping_url", Help: "the field of the URL that is requested after each run", Value: language.NameValue},
		{Name: "declared", Help: "the json field of what modulagen.yaml said of the job last", Value: language.NameValue},
	},
	Meant: map[string]string{"history": "runs", "expression": "schedule", "cron": "schedule", "timezone": "time_zone", "tz": "time_zone", "zone": "time_zone", "action": "action_type", "config": "action_config", "status": "last_status", "retries": "max_attempts"},
}

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name, Help: "makes the rows jobs that run by a schedule, each instant once over all processes",
		Value: &language.Value{Form: language.Section, Keys: grammar},
	}
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read refuses sections that jobs cannot have beside cron.
func (Behavior) Read(def *load.Definition, at, _ *yaml.Node) {
	for _, other := range []struct{ name, why string }{
		{"queue", "a job of cron is a schedule, and the queue has its runs"},
		{"cache", "entries of a cache come and go, and jobs stay"},
	} {
		if node.Get(def.Root, other.name) != nil {
			def.Wrong(at, def.Datatype.Name+" has cron and "+other.name+": "+other.why, "remove "+other.name+", or give cron a datatype of its own")
			return
		}
	}
	def.Datatype.SetSection(Name, &Section{})
}

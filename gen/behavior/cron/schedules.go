package cron

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// maxDeclared is how many jobs a project declares at most.
const maxDeclared = 500

// declaredGrammar is an entry of schedules. Its keys other than datatype are those of the cron section.
var declaredGrammar = &language.Mapping{
	Name: "declared job",
	Help: "A job that the project declares: a row of the datatype with cron.",
	Keys: []language.Key{
		{Name: "datatype", Help: "the datatype with cron, where there are several", Value: language.NameValue},
		{Name: "name", Help: "the job's name, which is that of the row", Needed: true, Value: line},
		{Name: "schedule", Help: "a cron expression", Needed: true, Value: line},
		{Name: "time_zone", Help: "the zone in which the schedule is meant, an IANA name", Value: line},
		{Name: "enabled", Help: "whether the job runs", Value: &language.Value{Form: language.Bool}},
		{Name: "action_type", Help: "what a run does", Needed: true, Value: line},
		{Name: "action_config", Help: "the action's configuration: keys and values of any kind", Value: &language.Value{Form: language.Any}},
		{Name: "misfire", Help: "what becomes of instants that nothing ran at", Value: &language.Value{Form: language.Text, Choices: []string{"once", "skip", "all"}}},
		{Name: "overlap", Help: "what becomes of a run that is due while another one is under way", Value: &language.Value{Form: language.Text, Choices: []string{"skip", "queue", "allow", "replace"}}},
		{Name: "jitter", Help: "over how many seconds jobs of one instant are spread", Value: whole},
		{Name: "starts_at", Help: "no instant before it", Value: line},
		{Name: "ends_at", Help: "no instant from it on", Value: line},
		{Name: "exclude", Help: "days without an instant", Value: &language.Value{Form: language.List, Of: line}},
		{Name: "timeout", Help: "how many seconds a run may take", Value: whole},
		{Name: "max_attempts", Help: "how many attempts a run has", Value: whole},
		{Name: "max_failures", Help: "after how many failures in a row the job is disabled", Value: whole},
	},
	Meant: map[string]string{
		"expression": "schedule", "cron": "schedule", "timezone": "time_zone", "tz": "time_zone", "zone": "time_zone",
		"action": "action_type", "config": "action_config", "retries": "max_attempts",
	},
}

var (
	line  = &language.Value{Form: language.Text, Max: 8192}
	whole = &language.Value{Form: language.Int, Min: 0, Max: 1 << 31}
)

const schedulesKey = "schedules"

// ConfigurationKeys declares the jobs of a project.
func (Behavior) ConfigurationKeys() []language.Key {
	return []language.Key{{
		Name: schedulesKey, Help: "jobs that the project declares, which Open keeps in step with these",
		Value: &language.Value{Form: language.List, Max: maxDeclared, Of: &language.Value{Form: language.Section, Keys: declaredGrammar}},
	}}
}

// Declared is a job that modulagen.yaml declares.
type Declared struct {
	Name   string
	Values string // a JSON object by the keys of the section, without the name
	Pos    model.Pos
}

// Configure reads them. A list without entries is one too: the jobs that it had are disabled.
func (Behavior) Configure(p *load.Project, key, list *yaml.Node) {
	if list.Kind != yaml.SequenceNode {
		return // reported
	}
	for d := range p.Datatypes {
		if s := Of(d); s != nil && s.Jobs.Fields["declared"] != nil {
			s.Declares = true
		}
	}
	r := declaring{p, map[string]*yaml.Node{}}
	for _, n := range list.Content {
		if n.Kind == yaml.MappingNode {
			r.job(key, n)
		}
	}
}

// declaring reads the declared jobs.
type declaring struct {
	*load.Project
	seen map[string]*yaml.Node
}

func (r declaring) job(key, n *yaml.Node) {
	d := r.datatype(key, n)
	if d == nil {
		return // reported
	}
	s := Of(d)
	if s.Jobs.Datatype == nil {
		return // reported
	}
	if s.Jobs.Fields["declared"] == nil {
		r.Wrong(key, d.Name+" has no field for what is declared of a job", "add {name: declared, type: json}")
		return
	}
	name := node.Get(n, "name")
	if name == nil || !node.IsText(name) {
		return // reported
	}
	if first := r.seen[d.Name+" "+name.Value]; first != nil {
		r.Wrong(name, fmt.Sprintf("the job %q is declared twice", name.Value), fmt.Sprintf("the first is on line %d", first.Line))
		return
	}
	r.seen[d.Name+" "+name.Value] = name
	if values, ok := r.values(s, n); ok {
		text, err := json.Marshal(values)
		if err != nil {
			r.Wrong(n, "the job cannot be written as JSON", "")
			return
		}
		s.Declared = append(s.Declared, Declared{name.Value, string(text), model.Pos{File: load.ConfigFile, Line: name.Line, Column: name.Column}})
	}
}

// datatype finds the datatype of a job.
func (r declaring) datatype(key, n *yaml.Node) *model.Datatype {
	var all []*model.Datatype
	var names []string
	for d := range r.Datatypes {
		if Of(d) != nil {
			all, names = append(all, d), append(names, d.Name)
		}
	}
	at := node.Get(n, "datatype")
	switch {
	case len(all) == 0:
		r.Wrong(key, "no datatype has jobs", "add a datatype with cron, such as the built-in one: modulagen new cron_job --from cron_job")
		return nil
	case at == nil && len(all) > 1:
		r.Wrong(n, "several datatypes have jobs: "+strings.Join(names, ", "), "add datatype: "+strings.Join(names, ", or "))
		return nil
	case at == nil:
		return all[0]
	}
	for _, d := range all {
		if d.Name == at.Value {
			return d
		}
	}
	hint := "those that have are " + strings.Join(names, ", ")
	if meant := near.Word(at.Value, names); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	}
	r.Wrong(at, fmt.Sprintf("no datatype %q has jobs", at.Value), hint)
	return nil
}

// values reads what is declared.
func (r declaring) values(s *Section, n *yaml.Node) (values map[string]any, ok bool) {
	values, ok = map[string]any{}, true
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if _, known := declaredGrammar.Key(key.Value); !known || key.Value == "datatype" {
			continue // an unknown one was reported
		}
		f := s.Jobs.Fields[key.Value]
		switch {
		case f == nil:
			r.Wrong(key, fmt.Sprintf("%s has no field for %s", s.Jobs.Name, key.Value), "remove it, or add the field")
			ok = false
			continue
		case f.Secret:
			r.Wrong(key, f.Name+" is secret, and what is declared is not", "remove it, and set it in the row")
			ok = false
			continue
		case key.Value == "action_config" && value.Kind != yaml.MappingNode:
			r.Wrong(value, "action_config holds keys and values", "")
			ok = false
			continue
		}
		v, fits := r.Value(value, f)
		if ok = ok && fits; fits && key.Value != "name" {
			values[key.Value] = v
		}
	}
	return values, r.schedule(n) && ok
}

// schedule reports a schedule without an instant, a zone that there is not, and days that are none.
func (r declaring) schedule(n *yaml.Node) bool {
	in := time.UTC
	if at := node.Get(n, "time_zone"); at != nil && node.IsText(at) && at.Value != "" {
		zone, err := schedule.Location(at.Value)
		if err != nil {
			r.parsing(at, err)
			return false
		}
		in = zone
	}
	at := node.Get(n, "schedule")
	if at == nil || !node.IsText(at) {
		return false // reported
	}
	ok := true
	if _, err := schedule.Parse(at.Value, schedule.Options{Location: in}); err != nil {
		r.parsing(at, err)
		ok = false
	}
	for _, day := range node.Items(n, "exclude") {
		if _, err := schedule.ParseExclusions([]string{day.Value}, in); node.IsText(day) && err != nil {
			r.parsing(day, err)
			ok = false
		}
	}
	return ok
}

func (r declaring) parsing(at *yaml.Node, err error) {
	if wrong, ok := errors.AsType[*schedule.ParseError](err); ok {
		r.WrongWithin(at, wrong.Character(), wrong.Problem, wrong.Hint)
		return
	}
	r.Wrong(at, err.Error(), "")
}

// Run has Open keep declared jobs in step. The rest is done beside the queue.
func (Behavior) Run(all []*model.Datatype) golang.Run {
	var calls []jen.Code
	for _, d := range all {
		if Of(d).Declares {
			calls = append(calls, scheduler("Sync").Call(jen.Id("ctx"), jen.Id("s"), jen.Op("&").Id(specName(d)), jen.Id(declaredName(d))))
		}
	}
	switch len(calls) {
	case 0:
		return golang.Run{}
	case 1:
		return golang.Run{Opened: calls[0]}
	}
	return golang.Run{Opened: jen.Qual("errors", "Join").Call(calls...)}
}

// declared prints the jobs that the project declares.
func (p printer) declared(f *jen.File) {
	if !p.s.Declares {
		return
	}
	f.Commentf("%s are the jobs that modulagen.yaml declares.", declaredName(p.D))
	f.Var().Id(declaredName(p.D)).Op("=").Index().Add(scheduler("Declared")).ValuesFunc(func(g *jen.Group) {
		for _, j := range p.s.Declared {
			g.Line().Values(jen.Dict{jen.Id("Name"): jen.Lit(j.Name), jen.Id("Values"): jen.Lit(j.Values)})
		}
		if len(p.s.Declared) > 0 {
			g.Line()
		}
	})
	f.Line()
}

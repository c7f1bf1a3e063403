package cron

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker"
	"github.com/hegner123/modulagen/runtime/cron/protocol"
)

// optionsMethod is the method with the program's own actions.
const optionsMethod = "Options"

// Worker returns the actions that declared jobs name and the runtime does not have, and the options
// that have jobs fired with them.
func (Behavior) Worker(d *model.Datatype) *worker.Part {
	s := Of(d)
	of := "jobs " + d.Name
	p := &worker.Part{
		Doc:     "It has a method for each action of the program's own that modulagen.yaml schedules.",
		Imports: map[string]string{"cron": cronPath},
		Methods: []worker.Method{{
			Name: optionsMethod, Once: true, For: of, Pos: d.Pos,
			Doc:       []string{"Options has jobs fired and their runs worked, with the program's own actions."},
			Signature: "() @cron.Options",
			Body:      []string{"o := @cron.Options{Logger: @slog.Default()}", "o.Actions = map[string]@cron.Action{}", "return o"},
		}},
		Wiring: []worker.Wiring{{
			Func: "New", Shared: []worker.Decl{worker.New}, Has: field, For: of, Pos: d.Pos,
			Text: "\t%[1]s." + field + " = ({}).Options()\n",
		}},
	}
	name := "Test" + d.GoAccessor
	p.Tests = []worker.Decl{{
		Name: name, For: of, Pos: d.Pos,
		Doc: []string{name + " has a worker begin with these options, which checks them, and end when nothing is due."},
		Text: fmt.Sprintf(`func %s(t *@testing.T) {
	db := testDB(t)
	if err := db.Drain(t.Context(), @generated.Workers{%s: New(db).%s}); err != nil {
		t.Fatal(err)
	}
}`, name, field, field),
	}}
	for _, a := range s.actions() {
		a.describe(p, s)
	}
	return p
}

// action is one of the program's own that declared jobs name.
type action struct {
	name   string
	method string
	job    string // the first that names it
	config map[string]any
	pos    model.Pos
}

// actions are those of declared jobs, in their order, with all keys of their configurations.
func (s *Section) actions() []*action {
	var out []*action
	taken := map[string]bool{optionsMethod: true}
	for _, j := range s.Declared {
		var values struct {
			Type   string         `json:"action_type"`
			Config map[string]any `json:"action_config"`
		}
		if json.Unmarshal([]byte(j.Values), &values) != nil || values.Type != "predefined" {
			continue
		}
		name, ok := values.Config["action"].(string)
		if !ok || slices.Contains(protocol.Predefined, name) {
			continue
		}
		delete(values.Config, "action")
		i := slices.IndexFunc(out, func(a *action) bool { return a.name == name })
		if i < 0 {
			method := goname.Exported(name)
			if !goname.IsExported(method) || taken[method] {
				method = "Action" + method
			}
			if !goname.IsExported(method) || taken[method] {
				continue // no Go name can be made of its name: a person has to choose one
			}
			taken[method] = true
			out = append(out, &action{name, method, j.Name, map[string]any{}, j.Pos})
			i = len(out) - 1
		}
		maps.Copy(out[i].config, values.Config)
	}
	return out
}

func (a *action) describe(p *worker.Part, s *Section) {
	of := "action " + a.name
	configName := a.method + "Config"
	p.Types = append(p.Types, worker.Decl{
		Name: configName, With: a.method, For: of, Pos: a.pos,
		Doc:  []string{configName + " is the action_config of " + a.name + ", without the name of the action."},
		Text: a.configType(configName),
	})
	p.Methods = append(p.Methods, worker.Method{
		Name: a.method, For: of, Pos: a.pos,
		Doc:       []string{a.method + " is the action " + a.name + ". With an error the run has failed, and is tried again where the job has attempts left."},
		Signature: fmt.Sprintf("(ctx @context.Context, r *@cron.Run, config %s) error", configName),
	})
	p.Wiring = append(p.Wiring, worker.Wiring{
		Method: true, Func: optionsMethod, Has: a.name, For: of, Pos: a.pos,
		Text: fmt.Sprintf("\t%%[1]s.Actions[%q] = @cron.Func(%%[2]s.%s)\n", a.name, a.method),
	})
	jobs := s.Jobs
	name := "Test" + jobs.GoAccessor + a.method
	p.Tests = append(p.Tests, worker.Decl{
		Name: name, With: a.method, For: of, Pos: a.pos,
		Doc: []string{fmt.Sprintf("%s runs the job %q, which modulagen.yaml declares.", name, a.job)},
		Text: fmt.Sprintf(`func %s(t *@testing.T) {
	db := testDB(t)
	job, err := db.%s.GetBy%s(t.Context(), %q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.%s.RunNow(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	o := (&%s{DB: db}).Options()
	called := false
	var ended error
	o.Queue.Middleware = append(o.Queue.Middleware, func(ctx @context.Context, _ *@queue.Claim, next func(@context.Context) error) error {
		called, ended = true, next(ctx)
		return ended
	})
	if err := db.Drain(t.Context(), @generated.Workers{%s: o}); err != nil {
		t.Fatal(err)
	}
	checkEnd(t, %q, called, ended)
}`, name, jobs.GoAccessor, jobs.Fields["name"].GoName, a.job, jobs.GoAccessor, jobs.GoAccessor, field, jobs.GoAccessor+"."+a.method),
	})
}

// configType is a struct with a field for each key; a map where a key makes no name in Go.
func (a *action) configType(name string) string {
	var lines []string
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(a.config)) {
		field := goname.Exported(key)
		if !goname.IsExported(field) || seen[field] || strings.ContainsAny(key, "`\",") {
			return "type " + name + " map[string]any"
		}
		seen[field] = true
		lines = append(lines, fmt.Sprintf("\t%s %s `json:\"%s,omitempty\"`\n", field, typeOf(a.config[key]), key))
	}
	if lines == nil {
		return "type " + name + " struct{}"
	}
	return worker.Formatted("type " + name + " struct {\n" + strings.Join(lines, "") + "}")
}

// typeOf is the Go type of what JSON has decoded.
func typeOf(value any) string {
	switch v := value.(type) {
	case bool:
		return "bool"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "int64"
		}
		return "float64"
	case []any:
		return "[]any"
	case map[string]any:
		return "map[string]any"
	}
	return "any"
}

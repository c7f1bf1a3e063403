package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// migrationPlan is a migration as a person looks at it first.
type migrationPlan struct {
	Name   string        `json:"name"`
	Parent string        `json:"parent"`
	Steps  []plannedStep `json:"steps"`
	of     int           // databases
}

// plannedStep is a step of it, once for all databases that have it.
type plannedStep struct {
	Class     script.Class     `json:"class"`
	Databases []model.Database `json:"databases"`
	What      string           `json:"what"`
	Note      string           `json:"note,omitempty"`
}

func planOf(m *migrate.Migration, folder string) (migrationPlan, error) {
	p := migrationPlan{Name: m.Name, Parent: m.Parent, Steps: []plannedStep{}, of: len(m.Databases())}
	for _, db := range m.Databases() {
		s, err := m.Script(folder, db)
		if err != nil {
			return p, err
		}
		for _, step := range s.Steps {
			p.add(db, step)
		}
	}
	return p, nil
}

func (p *migrationPlan) add(db model.Database, step script.Step) {
	i := slices.IndexFunc(p.Steps, func(s plannedStep) bool {
		return s.What == step.What && s.Class == step.Class && s.Note == step.Note && !slices.Contains(s.Databases, db)
	})
	if i < 0 {
		p.Steps = append(p.Steps, plannedStep{step.Class, []model.Database{db}, step.What, step.Note})
		return
	}
	p.Steps[i].Databases = append(p.Steps[i].Databases, db)
}

// print prints a line for each step.
func (p *migrationPlan) print(w io.Writer) error {
	fmt.Fprintln(w, p.Name)
	if len(p.Steps) == 0 {
		fmt.Fprintln(w, "  no steps: the tables stay as they are")
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, s := range p.Steps {
		what := s.What
		if s.Note != "" {
			what += " (" + s.Note + ")"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", s.Class, onDatabases(s.Databases, p.of), what)
	}
	return table.Flush()
}

func onDatabases(all []model.Database, of int) string {
	if len(all) == of && of > 1 {
		return "all"
	}
	names := make([]string, len(all))
	for i, db := range all {
		names[i] = string(db)
	}
	return strings.Join(names, ", ")
}

// changes lists what the steps of migrations do, shortened.
func changes(made []*migrate.Migration, folder string) string {
	const most = 5
	var all []string
	for _, m := range made {
		p, err := planOf(m, folder)
		if err != nil {
			continue // it was planned just now: its SQL is no one's
		}
		for _, s := range p.Steps {
			if !slices.Contains(all, s.What) {
				all = append(all, s.What)
			}
		}
	}
	if len(all) > most {
		all = append(all[:most], fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(all, "; ")
}

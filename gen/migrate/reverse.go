package migrate

import (
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Reverse returns the comparison that leads back from one version to the one before it. Its error is a
// mistake.List, or ErrOneWay.
func Reverse(before, now *Snapshot) (*Comparison, error) {
	back := &model.Project{Datatypes: before.Project()}
	present := now.Project()
	for _, d := range present { // a column that is kept under its old name is there beside the new one
		for _, k := range now.kept(d.Name) {
			fieldOf(d, k.now).Was = ""
		}
	}
	tables, found := renamedTables(present, before.Project())
	if err := found.Err(); err != nil {
		return nil, err
	}
	was := flipped(tables)
	for _, d := range back.Datatypes {
		name, there := was[d.Name]
		d.Was = ""
		if !there {
			continue
		}
		if name != d.Name {
			d.Was = name
		}
		if err := reverseFields(d, byName(present, name)); err != nil {
			return nil, err
		}
	}
	for _, d := range present {
		if _, stays := tables[d.Name]; !stays {
			back.Config.Drop = append(back.Config.Drop, model.Dropped{Name: d.Name})
		}
	}
	return Compare(unrecorded(now), back)
}

// reverseFields sets `was` of the fields of before to their names of now.
func reverseFields(back, now *model.Datatype) error {
	columns, found := renamed(namedFields(now), namedFields(back))
	if err := found.Err(); err != nil {
		return err
	}
	old := flipped(columns)
	for _, f := range back.Fields {
		name, there := old[f.Name]
		f.Was = ""
		if !there {
			continue
		}
		if name != f.Name {
			f.Was = name
		}
		if err := reverseMembers(f, fieldOf(now, name)); err != nil {
			return fmt.Errorf("%w: %s.%s: %w", ErrOneWay, now.Name, name, err)
		}
		if err := reverseOptions(f, fieldOf(now, name)); err != nil {
			return fmt.Errorf("%w: %s.%s: %w", ErrOneWay, now.Name, name, err)
		}
	}
	for _, f := range now.Fields {
		if _, stays := columns[f.Name]; !stays {
			back.Drop = append(back.Drop, model.Dropped{Name: f.Name})
		}
	}
	return nil
}

func reverseOptions(back, now *model.Field) error {
	values := renamedOptions(back, now)
	for _, o := range back.Options {
		if _, moved := values[o.Value]; moved {
			continue
		}
		for old, value := range values {
			if value == o.Value {
				return fmt.Errorf("rows that were %s and rows that were %s are %s alike", old, value, value)
			}
		}
	}
	for i, o := range back.Options {
		back.Options[i].Was = values[o.Value]
	}
	return nil
}

// unrecorded is a snapshot without any `was` and existing, so that each `was` of a comparison with it counts, and
// without what decides no table.
func unrecorded(s *Snapshot) *Snapshot {
	out := &Snapshot{Members: s.Members}
	for _, d := range s.Datatypes {
		d.Was = ""
		fields := make([]Field, len(d.Fields))
		for i, f := range d.Fields {
			f.Was, f.OptionsWere, f.Existing, f.Naming = "", nil, "", ""
			f.Members = unrecordedMembers(f.Members)
			fields[i] = f
		}
		d.Fields = fields
		out.Datatypes = append(out.Datatypes, d)
	}
	return out
}

// ErrOneWay is returned for a migration that cannot be undone.
var ErrOneWay = errors.New("the migration cannot be undone")

// oneWay says why a migration's script cannot be undone, as an error that is ErrOneWay; nil where it can.
func oneWay(s *script.Script) error {
	for i, step := range s.Steps {
		switch {
		case step.Run != "":
			return fmt.Errorf("%w: step %d of %s runs %s, and what it changed is not known", ErrOneWay, i+1, s.Name, step.Run)
		case step.Class == script.Destroys:
			return fmt.Errorf("%w: step %d of %s is %q", ErrOneWay, i+1, s.Name, step.What)
		}
	}
	return nil
}

// Back returns the scripts that undo a migration, back to the snapshot before it, for the databases
// for which it has SQL. Its error is ErrOneWay where that is impossible.
func Back(m *Migration, before *Snapshot, folder string) (map[model.Database]*script.Script, error) {
	for _, db := range m.Databases() {
		s, err := m.Script(folder, db)
		if err == nil {
			err = oneWay(s)
		}
		if err != nil {
			return nil, err
		}
	}
	c, err := Reverse(before, m.Snapshot)
	if wrong, ok := errors.AsType[mistake.List](err); ok {
		return nil, fmt.Errorf("%w: %s", ErrOneWay, wrong[0].Message)
	}
	if err != nil {
		return nil, err
	}
	return Plan(m.Name, m.Parent, c, m.Databases()), nil
}

// Package migrate makes migrations: it records what the definitions of a project were, compares
// that with what they are, and writes the SQL that leads from one to the other on each
// database.
//
//	snapshot.go    definitions as definition.json keeps them
//	rename.go      which table, column and option of now is which one of before
//	compare.go     what differs, and what a person has to decide about it; differ.go in which parts of a table
//	plan.go        a planner for each database; sqlite.go, postgres.go and mysql.go the order of its steps
//	tables.go      tables that are created and dropped
//	members.go     members of JSON objects; membermoves.go what renamed ones hold, membermisfits.go rows that do not fit
//	refuse.go      rows that do not fit; held.go and forms.go those that wait for a program; programs.go older programs that cannot go on
//	naming.go      what names renamed datatypes
//	convert.go     values of one type as those of another; fill.go what rows hold that do not fit
//	folder.go      the folder of migrations: which follows which, what was edited
package migrate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Snapshot is the part of a project's definitions that decides its tables, after behaviors were applied.
// Labels, documentation and names in Go are not in it.
type Snapshot struct {
	Datatypes []Datatype `json:"datatypes"` // by name
	// Members reports whether it has the members of JSON objects, which older versions did not record.
	Members bool `json:"members,omitempty"`
}

// Datatype is one table.
type Datatype struct {
	Name     string  `json:"name"`
	ID       string  `json:"id,omitempty"`        // empty: integer
	AddedFor string  `json:"added_for,omitempty"` // the datatype of which a behavior added it
	Was      string  `json:"was,omitempty"`       // as the definition has it; once recorded, it has no further effect
	Fields   []Field `json:"fields"`
	Indexes  []Index `json:"indexes,omitempty"`
	Held     []Held  `json:"held,omitempty"`
}

// Field is one column.
type Field struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Added    bool     `json:"added,omitempty"` // by a behavior
	Required bool     `json:"required,omitempty"`
	NotNull  bool     `json:"not_null,omitempty"`
	Min      string   `json:"min,omitempty"`
	Max      string   `json:"max,omitempty"`
	Scale    int      `json:"scale,omitempty"`
	Wide     bool     `json:"wide,omitempty"`
	Default  *Default `json:"default,omitempty"`
	Options  []string `json:"options,omitempty"`
	Members  []Member `json:"members,omitempty"` // of a JSON object with declared fields
	To       string   `json:"to,omitempty"`
	OnDelete string   `json:"on_delete,omitempty"`
	Was      string   `json:"was,omitempty"`
	Naming   string   `json:"naming,omitempty"` // how its values name datatypes, see [model.Naming]
	// OptionsWere are the values that options had, by those that they have.
	OptionsWere map[string]string `json:"options_were,omitempty"`
	// Existing is what the definition said of rows that did not fit; once recorded, it has no further effect.
	Existing string `json:"existing,omitempty"`
	// Kept is the column of the old name, which triggers keep equal to this one until the next migration.
	Kept string `json:"kept,omitempty"`
	// Filled is of that column: one that had to have a value, see [model.Filled].
	Filled *Filled `json:"filled,omitempty"`
}

// Filled is what a column of the old name was before triggers kept it the same as another one.
type Filled struct {
	Default *Default `json:"default,omitempty"`
}

// Default is the value of a column in rows that are added without one.
type Default struct {
	Now  bool   `json:"now,omitempty"`
	Text string `json:"text,omitempty"`
}

// Index is an index.
type Index struct {
	Name    string      `json:"name"`
	Columns []string    `json:"columns"` // "created_at desc"
	Unique  bool        `json:"unique,omitempty"`
	Where   []Condition `json:"where,omitempty"`
}

// Condition is a part of the condition that an index's rows meet.
type Condition struct {
	Any    []Condition `json:"any,omitempty"`
	Field  string      `json:"field,omitempty"`
	Op     string      `json:"op,omitempty"`
	Values []string    `json:"values,omitempty"`
}

// Held are the values of a column that a program has to know for its rows to go on, such as the kind of a job.
type Held struct {
	Field  string      `json:"field"`
	What   string      `json:"what"` // "kind"
	Values []string    `json:"values"`
	While  []Condition `json:"while,omitempty"`

	Forms   []Form `json:"forms,omitempty"` // older versions of modulagen did not record them
	Version string `json:"version,omitempty"`
}

// Take returns the snapshot of a project whose behaviors have been applied.
func Take(p *model.Project) *Snapshot {
	s := &Snapshot{Datatypes: []Datatype{}, Members: true}
	for _, d := range p.Datatypes {
		s.Datatypes = append(s.Datatypes, takeDatatype(d))
	}
	return s
}

func takeDatatype(d *model.Datatype) Datatype {
	out := Datatype{Name: d.Name, AddedFor: d.AddedFor, Was: d.Was, Fields: []Field{}}
	if d.ID != model.IDInteger {
		out.ID = string(d.ID)
	}
	for _, f := range d.Fields {
		out.Fields = append(out.Fields, takeField(f))
	}
	for _, x := range d.Indexes {
		index := Index{Name: x.Name, Unique: x.Unique, Where: takeConditions(x.Where)}
		for _, c := range x.Columns {
			name := c.Field.Name
			if c.Desc {
				name += descending
			}
			index.Columns = append(index.Columns, name)
		}
		out.Indexes = append(out.Indexes, index)
	}
	for _, h := range d.Held {
		out.Held = append(out.Held, takeHeld(h))
	}
	return out
}

const descending = " desc"

func takeField(f *model.Field) Field {
	out := Field{
		Name: f.Name, Type: f.Type, Added: f.Added, Required: f.Required, NotNull: f.NotNull, Scale: f.Scale, Wide: f.Wide,
		Min: boundText(f.Rules.Min), Max: boundText(f.Rules.Max), Was: f.Was, Existing: existingText(f.Existing),
		Naming: string(f.Naming),
	}
	if f.Default != nil {
		out.Default = &Default{Now: f.Default.Now, Text: f.Default.Text}
	}
	for _, o := range f.Options {
		out.Options = append(out.Options, o.Value)
		if o.Was != "" {
			if out.OptionsWere == nil {
				out.OptionsWere = map[string]string{}
			}
			out.OptionsWere[o.Value] = o.Was
		}
	}
	out.Members = takeMembers(f.JSONFields)
	if f.Reference != nil {
		out.To, out.OnDelete = f.Reference.To, f.Reference.OnDelete
	}
	return out
}

// existingText is what a definition says of rows that do not fit; empty: nothing, so that they are refused.
func existingText(e *model.Existing) string {
	switch {
	case e == nil:
		return ""
	case e.Default:
		return "default"
	case e.Set:
		return "value " + e.Text
	case e.Step != "":
		return "step " + e.Step
	}
	return ""
}

func boundText(b check.Bound) string {
	if !b.IsSet() {
		return ""
	}
	return b.String()
}

func takeConditions(all []model.Condition) []Condition {
	var out []Condition
	for _, c := range all {
		t := Condition{Any: takeConditions(c.Any), Op: c.Op, Values: c.Values}
		if c.Field != nil {
			t.Field = c.Field.Name
		}
		out = append(out, t)
	}
	return out
}

// check reports a snapshot that this version of the generator cannot read.
func (s *Snapshot) check() error {
	for _, d := range s.Datatypes {
		for _, f := range d.Fields {
			if _, known := fieldtype.Lookup(f.Type); !known {
				return fmt.Errorf("gen/migrate: %s.%s has the type %q, which this version of modulagen does not know", d.Name, f.Name, f.Type)
			}
			if !isBound(f.Min) || !isBound(f.Max) {
				return fmt.Errorf("gen/migrate: %s.%s has the bounds %q and %q, which are to be numbers", d.Name, f.Name, f.Min, f.Max)
			}
			for _, m := range f.Members {
				if err := m.check(d.Name + "." + f.Name); err != nil {
					return err
				}
			}
		}
	}
	_, err := s.restore()
	return err
}

// equal reports whether two snapshots are of the same tables. A new value that rows may wait for is no
// difference: the next migration records it. Nor is a former name, unless something else has that name now, as in
// a swap: as long as it is recorded, the same swap could not be made again.
func (s *Snapshot) equal(o *Snapshot) bool {
	if !slices.Equal(s.swapped(), o.swapped()) || !o.Members && s.renamesMembers() {
		return false
	}
	one, err := json.Marshal(unrecorded(s).withoutNew(o))
	other, errOther := json.Marshal(unrecorded(o))
	return err == nil && errOther == nil && bytes.Equal(one, other)
}

// swapped lists what has a former name that something else has now.
func (s *Snapshot) swapped() []string {
	var out []string
	for _, d := range s.Datatypes {
		if slices.ContainsFunc(s.Datatypes, func(o Datatype) bool { return o.Name == d.Was }) {
			out = append(out, d.Name+" was "+d.Was)
		}
		for _, f := range d.Fields {
			if slices.ContainsFunc(d.Fields, func(o Field) bool { return o.Name == f.Was }) {
				out = append(out, d.Name+"."+f.Name+" was "+f.Was)
			}
			for _, now := range slices.Sorted(maps.Keys(f.OptionsWere)) {
				if was := f.OptionsWere[now]; slices.Contains(f.Options, was) {
					out = append(out, d.Name+"."+f.Name+" "+now+" was "+was)
				}
			}
			for _, m := range f.Members {
				if slices.ContainsFunc(f.Members, func(o Member) bool { return o.Name == m.Was }) {
					out = append(out, d.Name+"."+f.Name+"."+m.Name+" was "+m.Was)
				}
			}
		}
	}
	return out
}

// withoutNew removes the values that rows may wait for and that another snapshot does not have, and the members of
// JSON objects where that one has none. Their order is no difference.
func (s *Snapshot) withoutNew(o *Snapshot) *Snapshot {
	s.Members = o.Members
	for i, d := range s.Datatypes {
		for j := range d.Fields { // unrecorded has copied them
			if f := &d.Fields[j]; !o.Members || sameMembers(f.Members, o.members(d.Name, f.Name)) {
				f.Members = unrecordedMembers(o.members(d.Name, f.Name))
			}
		}
		var held []Held
		for _, h := range d.Held {
			h.Values = slices.DeleteFunc(slices.Clone(h.Values), func(v string) bool { return !o.holds(d.Name, h.Field, v) })
			h.takeForms(o.held(d.Name, h.Field))
			if len(h.Values) > 0 {
				held = append(held, h)
			}
		}
		s.Datatypes[i].Held = held
	}
	return s
}

func (s *Snapshot) members(datatype, field string) []Member {
	for _, d := range s.Datatypes {
		for _, f := range d.Fields {
			if d.Name == datatype && f.Name == field {
				return f.Members
			}
		}
	}
	return nil
}

func (s *Snapshot) holds(datatype, field, value string) bool {
	return slices.Contains(s.held(datatype, field).Values, value)
}

// held is what rows of a datatype need the program to know by a field.
func (s *Snapshot) held(datatype, field string) Held {
	for _, d := range s.Datatypes {
		for _, h := range d.Held {
			if d.Name == datatype && h.Field == field {
				return h
			}
		}
	}
	return Held{}
}

// Project returns the datatypes, with what decides their tables. The snapshot must be one that Take
// made or check accepted.
func (s *Snapshot) Project() []*model.Datatype {
	all, err := s.restore()
	if err != nil {
		panic(err) // see check
	}
	return all
}

func (s *Snapshot) restore() ([]*model.Datatype, error) {
	byName := map[string]*model.Datatype{}
	var all []*model.Datatype
	for _, d := range s.Datatypes {
		m := &model.Datatype{Name: d.Name, ID: model.IDInteger, AddedFor: d.AddedFor, Was: d.Was}
		if d.ID != "" {
			m.ID = model.IDKind(d.ID)
		}
		for _, f := range d.Fields {
			m.Fields = append(m.Fields, f.restore())
		}
		byName[d.Name] = m
		all = append(all, m)
	}
	for i, d := range s.Datatypes {
		if err := d.link(all[i], byName); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (f Field) restore() *model.Field {
	t := fieldtype.MustLookup(f.Type)
	out := &model.Field{
		Name: f.Name, Type: f.Type, Added: f.Added, Was: f.Was, Naming: model.Naming(f.Naming), Required: f.Required, NotNull: f.NotNull, Scale: f.Scale, Wide: f.Wide,
		Rules: check.Rules{Kind: t.Kind, Format: t.Format, Scale: f.Scale, Required: f.Required, Options: f.Options, Min: bound(f.Min), Max: bound(f.Max)},
	}
	out.Default = f.Default.restore()
	if f.Filled != nil {
		out.Filled = &model.Filled{Default: f.Filled.Default.restore()}
	}
	for _, o := range f.Options {
		out.Options = append(out.Options, model.Option{Value: o, Was: f.OptionsWere[o]})
	}
	for _, m := range f.Members {
		out.JSONFields = append(out.JSONFields, m.restore())
	}
	if f.To != "" {
		out.Reference = &model.Reference{To: f.To, OnDelete: f.OnDelete}
	}
	return out
}

func (d *Default) restore() *model.Default {
	if d == nil {
		return nil
	}
	return &model.Default{Now: d.Now, Text: d.Text}
}

// bound reads what boundText wrote. The snapshot is one that check accepted.
func bound(text string) check.Bound {
	b, err := check.ParseBound(text)
	if err != nil {
		return check.Bound{}
	}
	return b
}

// isBound reports whether a text is what boundText writes.
func isBound(text string) bool { return text == "" || bound(text).IsSet() }

// link resolves the names by which a datatype's parts refer to others.
func (d Datatype) link(m *model.Datatype, byName map[string]*model.Datatype) error {
	for _, f := range m.Fields {
		if f.Reference == nil {
			continue
		}
		if f.References = byName[f.Reference.To]; f.References == nil {
			return fmt.Errorf("gen/migrate: %s.%s refers to %s, which is no datatype", d.Name, f.Name, f.Reference.To)
		}
	}
	for _, x := range d.Indexes {
		index := &model.Index{Name: x.Name, Unique: x.Unique}
		for _, c := range x.Columns {
			name, desc := cutDescending(c)
			f := fieldOf(m, name)
			if name == "id" {
				f = m.IDField()
			}
			if f == nil {
				return fmt.Errorf("gen/migrate: the index %s names %s.%s, which is no field", x.Name, d.Name, name)
			}
			index.Columns = append(index.Columns, model.IndexColumn{Field: f, Desc: desc})
		}
		var err error
		if index.Where, err = restoreConditions(m, x.Where); err != nil {
			return err
		}
		m.Indexes = append(m.Indexes, index)
	}
	for _, h := range d.Held {
		held, err := h.restore(m)
		if err != nil {
			return err
		}
		m.Held = append(m.Held, held)
	}
	return nil
}

func cutDescending(column string) (name string, desc bool) {
	if n := len(column) - len(descending); n > 0 && column[n:] == descending {
		return column[:n], true
	}
	return column, false
}

func restoreConditions(m *model.Datatype, all []Condition) ([]model.Condition, error) {
	var out []model.Condition
	for _, c := range all {
		t := model.Condition{Op: c.Op, Values: c.Values}
		var err error
		if t.Any, err = restoreConditions(m, c.Any); err != nil {
			return nil, err
		}
		if c.Field != "" {
			if t.Field = fieldOf(m, c.Field); t.Field == nil {
				return nil, fmt.Errorf("gen/migrate: a condition names %s.%s, which is no field", m.Name, c.Field)
			}
		}
		out = append(out, t)
	}
	return out, nil
}

func fieldOf(d *model.Datatype, name string) *model.Field {
	if i := slices.IndexFunc(d.Fields, func(f *model.Field) bool { return f.Name == name }); i >= 0 {
		return d.Fields[i]
	}
	return nil
}

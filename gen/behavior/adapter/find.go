// Package adapter is for behaviors whose runtime reads and writes rows of datatypes that a
// project defines: it finds the fields that they must have, and prints functions that make
// structs of the runtime of rows, and rows of structs.
package adapter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Need is a field that a datatype has to have.
type Need struct {
	Name    string
	Types   []string
	Null    bool     // it must be able to hold null; otherwise, unless Either, it must not
	Either  bool     // it may lack
	Rest    string   // of its declaration, for hints
	Length  int64    // how long a text or document the runtime writes at most; 0: none
	Options []string // that the runtime writes, where it is a select
}

// Must is a field that cannot be null, of one of several types, which spaces separate; rest is
// what else its declaration may say.
func Must(name, types, rest string) Need {
	return Need{Name: name, Types: strings.Fields(types), Rest: rest}
}

// May is a field that can be null.
func May(name, types, rest string) Need {
	return Need{Name: name, Types: strings.Fields(types), Null: true, Rest: rest}
}

// Can is a field that may lack; rest is what else its declaration may say.
func Can(name, types, rest string) Need {
	return Need{Name: name, Types: strings.Fields(types), Either: true, Rest: rest}
}

// Nullable is the field where it must be able to hold null, if it does not lack.
func (n Need) Nullable() Need { n.Null = true; return n }

// Holds is the field where it has room for texts of a length.
func (n Need) Holds(length int64) Need { n.Length = length; return n }

// Takes is the field where it has options, if it is a select.
func (n Need) Takes(options ...string) Need { n.Options = options; return n }

// Table is a datatype, and its fields that a behavior uses, by the names of what needs them.
type Table struct {
	*model.Datatype
	Fields map[string]*model.Field
}

// Use is what a behavior needs of a datatype.
type Use struct {
	By    string // what needs it, as in "webhooks"
	Needs []Need
	// Names is a section whose keys name the fields, each that of a need; where it is nil, or
	// lacks a key, the field has the need's own name.
	Names *yaml.Node
	// Adds is whether the runtime adds rows, with what is in Needs and nothing else, but what
	// Known reports.
	Adds  bool
	Known func(f *model.Field) bool // nil: none
	// Key is the fields in which rows that the runtime adds differ. Where it is nil they may be
	// alike in all.
	Key []string
}

// Find finds the fields that a datatype must have, and reports what lacks or does not fit:
// at the field in its own definition, or else at a node of the definition by which it is used.
func Find(by *load.Definition, at *yaml.Node, of *load.Definition, use Use) Table {
	d := of.Datatype
	t := Table{d, map[string]*model.Field{}}
	if d.ID != model.IDInteger {
		by.Wrong(at, fmt.Sprintf("%s need numbers as ids, and those of %s are ULIDs", use.By, d.Name), "remove id from the definition of "+d.Name)
	}
	if d.Section("cache") != nil {
		by.Wrong(at, fmt.Sprintf("%s is a cache, whose entries come and go, and %s need its rows", d.Name, use.By), "name another datatype, or remove cache from "+d.Name)
	}
	used := map[*model.Field]bool{} // also those that do not fit
	named := true                   // each that Names names is there
	for _, n := range use.Needs {
		f := n.field(by, of, use)
		used[f] = true
		if f == nil {
			if node.Get(use.Names, n.Name) != nil {
				named = false
			} else if !n.Either {
				by.Wrong(at, fmt.Sprintf("%s need the field %s of %s", use.By, n.Name, d.Name), "add "+n.declaration(n.Types[0]))
			}
			continue
		}
		if wrong := n.wrong(f, use.By); wrong != "" {
			of.Wrong(nameOf(of, f), wrong, "write "+n.as(f).declaration(n.fitting(f)))
			continue
		}
		t.Fields[n.Name] = f
	}
	switch {
	case !use.Adds || d.Section("cache") != nil: // reported
	case named: // otherwise the field that was meant would be one that is left out
		t.complete(of, use, used)
		fallthrough
	default:
		t.accepted(of, use)
	}
	return t
}

// field finds the field of a need; nil if there is none, which is reported where the section
// names it.
func (n Need) field(by, of *load.Definition, use Use) *model.Field {
	if at := node.Get(use.Names, n.Name); at != nil {
		if !node.IsText(at) {
			return nil // reported
		}
		return by.Find(at, at.Value)
	}
	i := slices.IndexFunc(of.Datatype.Fields, func(f *model.Field) bool { return f.Name == n.Name })
	if i < 0 {
		return nil
	}
	return of.Datatype.Fields[i]
}

// wrong says what keeps a field from being what is needed; empty if nothing does.
func (n Need) wrong(f *model.Field, by string) string {
	switch {
	case !slices.Contains(n.Types, f.Type):
		return fmt.Sprintf("%s is of type %s, and %s need type %s", f.Name, f.Type, by, strings.Join(n.Types, " or "))
	case f.GoType != "" || len(f.JSONFields) > 0:
		return fmt.Sprintf("%s has documents of a Go type, and %s keep any document in it", f.Name, by)
	case n.Null && f.NotNull:
		return fmt.Sprintf("%s cannot be null, and %s leave it empty where there is nothing to write", f.Name, by)
	case !n.Either && !n.Null && !f.NotNull:
		return fmt.Sprintf("%s can be null, and %s need a value", f.Name, by)
	case n.Length > 0 && f.Type != "select" && f.Rules.Max.IsSet() && f.Rules.Max.Compare(check.AtInt(n.Length)) < 0:
		return fmt.Sprintf("%s holds %s at most, and %s write up to %d", f.Name, f.Rules.Max, by, n.Length)
	case f.Type == "select":
		for _, option := range n.Options {
			if !slices.Contains(f.Rules.Options, option) {
				return fmt.Sprintf("%s has no option %s, which %s write", f.Name, option, by)
			}
		}
	}
	return ""
}

// complete reports fields that rows which the runtime adds would lack.
func (t Table) complete(of *load.Definition, use Use, used map[*model.Field]bool) {
	for _, f := range of.Datatype.Fields {
		known := f.Added || used[f] || use.Known != nil && use.Known(f)
		if !known && f.Required && f.Default == nil {
			of.Wrong(nameOf(of, f), fmt.Sprintf("%s is required, and the rows that %s add leave it out", f.Name, use.By), "leave required out, or add default")
		}
	}
}

// accepted reports what would refuse the values of rows that the runtime adds.
func (t Table) accepted(of *load.Definition, use Use) {
	for _, f := range t.Fields {
		if !f.Added && (f.Rules.Pattern != "" || len(f.Rules.Rules) > 0) {
			of.Wrong(nameOf(of, f), fmt.Sprintf("%s has a rule of its own, which may refuse rows that %s add", f.Name, use.By), "remove pattern and validation")
		}
	}
	for _, x := range of.Datatype.Indexes {
		if x.Unique && !x.Added && !t.differ(x, use) {
			of.Wrong(node.Or(of.IndexNode(x), of.Root), fmt.Sprintf("two rows that %s add may have the same %s", use.By, strings.Join(columns(x), " and ")), "leave unique out")
		}
	}
}

// nameOf is where a field is named in its definition.
func nameOf(of *load.Definition, f *model.Field) *yaml.Node {
	return node.Or(node.Get(of.Node(f), "name"), of.Node(f))
}

// differ reports whether rows that the runtime adds can never meet in a unique index.
func (t Table) differ(x *model.Index, use Use) bool {
	names := columns(x)
	return len(use.Key) > 0 && !slices.ContainsFunc(use.Key, func(key string) bool { return !slices.Contains(names, key) })
}

func columns(x *model.Index) []string {
	names := make([]string, len(x.Columns))
	for i, c := range x.Columns {
		names[i] = c.Field.Name
	}
	return names
}

// fitting is the type that a field should have: its own, where that is one of several.
func (n Need) fitting(f *model.Field) string {
	if slices.Contains(n.Types, f.Type) {
		return f.Type
	}
	return n.Types[0]
}

// as is the need by the name of a field.
func (n Need) as(f *model.Field) Need { n.Name = f.Name; return n }

// declaration is the field as it may be written.
func (n Need) declaration(as string) string {
	out := fmt.Sprintf("{name: %s, type: %s", n.Name, as)
	rest := n.Rest
	if as != "select" {
		rest = options.ReplaceAllString(rest, "")
	}
	if rest != "" {
		out += ", " + rest
	}
	return out + "}"
}

// options are what only a select has in its declaration.
var options = regexp.MustCompile(`^options: \[[^]]*\](, )?`)

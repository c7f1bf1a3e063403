package load

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// maxIndexBytes is what every database takes for one entry of an index.
const maxIndexBytes = 4 * fieldtype.VarcharMax

// link looks at the definitions together.
func (l *loader) link() {
	l.byName = l.unique()
	for _, def := range l.defs {
		for _, f := range def.Datatype.Fields {
			if f.Reference != nil && f.Reference.To != "" {
				def.resolve(f)
			}
		}
	}
	for _, def := range l.defs {
		for _, x := range def.Datatype.Indexes {
			def.IndexSize(x.Columns, def.names[x])
		}
	}
	for _, def := range l.defs {
		def.linkBehaviors()
	}
	l.routes()
	l.circles()
	l.indexNames()
}

// unique reports a datatype that two files define.
func (l *loader) unique() map[string]*Definition {
	byName := map[string]*Definition{}
	for _, def := range l.defs {
		name := def.Datatype.Name
		if name == "" {
			continue
		}
		if first := byName[name]; first != nil {
			def.f.wrong(node.Get(def.Root, "name"), fmt.Sprintf("datatype %s is defined twice", name), fmt.Sprintf("the first is in %s:%d", first.f.path, first.Datatype.Pos.Line))
			continue
		}
		byName[name] = def
	}
	return byName
}

// routes reports a route that leads to two datatypes.
func (l *loader) routes() {
	first := map[string]*Definition{}
	for _, def := range l.defs {
		route := def.Datatype.Route
		if route == "" {
			continue
		}
		if other := first[route]; other == nil {
			first[route] = def
		} else if other.Datatype.Name != def.Datatype.Name {
			def.f.wrong(node.Get(def.Root, "route"), fmt.Sprintf("route %s leads to %s already", route, other.Datatype.Name), fmt.Sprintf("choose another; that one is in %s:%d", other.f.path, node.Get(other.Root, "route").Line))
		}
	}
}

// Other returns the definition that a node names, or nil where there is none: that
// is reported, unless the file that may have it could not be read.
func (def *Definition) Other(at *yaml.Node) *Definition {
	l, name := def.l, at.Value
	target := l.byName[name]
	if target != nil || slices.Contains(l.named, name) {
		return target
	}
	known := slices.Clone(l.named)
	for name := range l.byName {
		known = append(known, name)
	}
	slices.Sort(known)
	hint := fmt.Sprintf("define it in %s/%s.yaml", path.Dir(def.f.path), name)
	if meant := near.Word(name, known); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	}
	for other := range def.Others {
		if other.Was == name {
			hint = model.RenameHint(name, other.Name)
		}
	}
	def.f.wrong(at, fmt.Sprintf("there is no datatype %q", name), hint)
	return nil
}

// Others calls yield with each datatype, the definition's own included.
func (def *Definition) Others(yield func(d *model.Datatype) bool) {
	for _, other := range def.l.defs {
		if !yield(other.Datatype) {
			return
		}
	}
}

// ReferredBy calls yield with each reference to the datatype, and the definition that
// has it.
func (def *Definition) ReferredBy(yield func(by *Definition, f *model.Field) bool) {
	for _, other := range def.l.defs {
		for _, f := range other.Datatype.Fields {
			if f.References == def.Datatype && !yield(other, f) {
				return
			}
		}
	}
}

func (def *Definition) resolve(f *model.Field) {
	target := def.Other(node.Get(def.nodes[f], "to"))
	if target == nil {
		return
	}
	f.References = target.Datatype
	f.Rules.Kind = check.Int
	if target.Datatype.ID == model.IDULID {
		f.Rules.Kind = check.Text
		f.Rules.Min, f.Rules.Max = check.AtInt(26), check.AtInt(26)
	}
}

// IndexSize refuses an index whose entries a database could not keep.
func (def *Definition) IndexSize(columns []model.IndexColumn, at *yaml.Node) {
	total := int64(0)
	var long []string
	for _, c := range columns {
		n := int64(9)
		if c.Field.Rules.Kind == check.Text {
			n = 4 * c.Field.Rules.Max.Int()
			long = append(long, fmt.Sprintf("%s %d", c.Field.Name, n))
		}
		total += n
	}
	if total > maxIndexBytes && len(columns) > 1 {
		def.f.wrong(at, fmt.Sprintf("an index entry may take %d bytes, and PostgreSQL and MySQL keep at most %d", total, maxIndexBytes), fmt.Sprintf("lower max (a character takes up to 4 bytes): %s", strings.Join(long, ", ")))
	}
}

// circles reports datatypes that need one another before any can have a row.
func (l *loader) circles() {
	needs := map[*model.Datatype][]*model.Field{}
	owner := map[*model.Datatype]*Definition{}
	for _, def := range l.defs {
		owner[def.Datatype] = def
		for _, f := range def.Datatype.Fields {
			if f.References != nil && f.Required {
				needs[def.Datatype] = append(needs[def.Datatype], f)
			}
		}
	}
	const unseen, open, done = 0, 1, 2
	state := map[*model.Datatype]int{}
	var path []*model.Field
	var visit func(d *model.Datatype)
	visit = func(d *model.Datatype) {
		state[d] = open
		for _, f := range needs[d] {
			path = append(path, f)
			switch state[f.References] {
			case unseen:
				visit(f.References)
			case open:
				l.circle(owner[d], f, path)
			}
			path = path[:len(path)-1]
		}
		state[d] = done
	}
	for _, def := range l.defs {
		if state[def.Datatype] == unseen {
			visit(def.Datatype)
		}
	}
}

// circle reports the reference that closes a circle, with the way round.
func (l *loader) circle(def *Definition, f *model.Field, path []*model.Field) {
	start := slices.IndexFunc(path, func(p *model.Field) bool { return p.References == f.References })
	if f.References == def.Datatype {
		def.f.wrong(node.Get(def.nodes[f], "to"), fmt.Sprintf("every %s needs another one first, so that none can be the first", def.Datatype.Name), "leave required out")
		return
	}
	names := []string{f.References.Name}
	for _, p := range path[start+1:] {
		names = append(names, p.References.Name)
	}
	if start == len(path)-1 { // the circle started where the search did
		names = names[:1]
		for _, p := range path {
			names = append(names, p.References.Name)
		}
	}
	def.f.wrong(node.Get(def.nodes[f], "to"), "these need one another, so that none can have a first row: "+strings.Join(names, " -> "), "leave required out of one of the references")
}

// indexNames reports names of indexes that a database keeps for itself.
func (l *loader) indexNames() {
	for _, def := range l.defs {
		for _, x := range def.Datatype.Indexes {
			at := def.names[x]
			if n := node.Get(at, "name"); n != nil {
				at = n
			}
			if owner := ownIndexName(x.Name); owner != "" {
				def.f.wrong(at, fmt.Sprintf("an index cannot be named %s: %s has that for itself", x.Name, owner), "give the index another name with name:")
			}
		}
	}
}

// ownIndexName returns the database that keeps an index's name for itself.
func ownIndexName(name string) string {
	switch {
	case strings.HasPrefix(name, "sqlite_"):
		return "SQLite"
	case name == "primary", name == "gen_clust_index":
		return "MySQL"
	}
	return ""
}

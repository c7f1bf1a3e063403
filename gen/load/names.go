package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/model"
)

// fixedNames are what every generated package declares beside its datatypes.
var fixedNames = []string{"DB", "Tx", "Tables", "Open", "Options", "Queries", "Workers", "Schema"}

// fixedAccessors are methods and fields of DB and Tx that a datatype's
// accessor would hide. A test holds the list to generated code.
var fixedAccessors = []string{"Tx", "Close", "Run", "Drain", "Store", "Queries", "Conn", "Now", "Tables"}

// gates is the row of the table that is added where there are queues.
const gates = "QueueGate"

// rowSuffixes name what is declared for each row type.
var rowSuffixes = []struct{ suffix, what string }{
	{"", "the row"},
	{"ID", "the id"},
	{"New", "the new row"},
	{"Patch", "the patch"},
	{"Fields", "the fields"},
	{"Table", "the table"},
	{"Query", "the query"},
	{"Filter", "the filter"},
	{"Sort", "the sort order"},
	{"Page", "the page"},
}

// goSpace is one space of Go names, and who has taken them.
type goSpace map[string]goOwner

type goOwner struct {
	what string
	at   model.Pos
}

// take claims a name; a second claim is reported at its own place.
func (s goSpace) take(f *file, at *yaml.Node, name, what, remedy string) {
	first, ok := s[name]
	if !ok {
		s[name] = goOwner{what, f.pos(at)}
		return
	}
	where := ""
	if first.at.Line > 0 {
		where = fmt.Sprintf("; the other is in %s:%d", first.at.File, first.at.Line)
	}
	if first.at.Line == 0 && first.at.File == "" && first.what != "the id" {
		f.wrong(at, fmt.Sprintf("%s would be %s in Go, which %s already", what, name, first.what), "choose another name")
		return
	}
	f.wrong(at, fmt.Sprintf("%s and %s would both be %s in Go", first.what, what, name), remedy+where)
}

// goNames reports names that would collide in the generated package.
func (l *loader) goNames() {
	space, accessors, workers := goSpace{}, goSpace{}, goSpace{}
	for _, name := range fixedNames {
		space[name] = goOwner{what: "every generated package has"}
	}
	for _, name := range fixedAccessors {
		accessors[name] = goOwner{what: "every database has"}
	}
	if slices.ContainsFunc(l.defs, func(def *definition) bool { return def.d.Queue != nil }) {
		for _, s := range rowSuffixes {
			space[gates+s.suffix] = goOwner{what: "every project with queues has"}
		}
		accessors[gates+"s"] = goOwner{what: "every database with queues has"}
	}
	seen := map[string]bool{}
	for _, def := range l.defs {
		if def.d.Name == "" || seen[def.d.Name] || !matches(language.NamePattern, def.d.Name) {
			continue
		}
		seen[def.d.Name] = true
		def.takeRow(space, accessors)
		def.takeWorker(workers)
	}
	for _, def := range l.defs {
		def.takeTypes(space)
		def.takeFields()
	}
}

func (def *definition) takeRow(space, accessors goSpace) {
	d := def.d
	at := or(get(def.n, "go_name"), get(def.n, "name"))
	before := len(def.f.found)
	for _, s := range rowSuffixes {
		space.take(def.f, at, d.GoRow+s.suffix, s.what+" of "+d.Name, "give one of them another go_name")
		if len(def.f.found) > before { // its other names collide as well
			return
		}
	}
	if d.Queue != nil {
		space.take(def.f, at, d.GoRow+"Handler", "the handler of "+d.Name, "give one of them another go_name")
		space.take(def.f, at, d.GoRow+"Event", "the events of "+d.Name, "give one of them another go_name")
	}
	accessors.take(def.f, get(def.n, "name"), d.GoAccessor, "the accessor of "+d.Name, "choose another name")
}

// takeWorker claims a queue's handler and options in the struct of all of them.
func (def *definition) takeWorker(workers goSpace) {
	if def.d.Queue == nil {
		return
	}
	at := get(def.n, "name")
	for _, s := range []struct{ suffix, what string }{{"", "the handler of "}, {"Options", "the options of "}} {
		workers.take(def.f, at, def.d.GoAccessor+s.suffix, s.what+def.d.Name, "choose another name")
	}
}

// takeTypes claims the types of a datatype's fields and kinds.
func (def *definition) takeTypes(space goSpace) {
	for _, f := range def.d.Fields {
		def.takeField(space, f, def.d.Name)
		if f.JSONGoName != "" {
			space.take(def.f, def.nameOf(f), f.JSONGoName, "the struct of "+def.d.Name+"."+f.Name, "give the field a go_name")
			for _, m := range f.JSONFields {
				def.takeField(space, m, def.d.Name+"."+f.Name)
			}
		}
	}
	if def.d.Queue != nil {
		def.takeKinds(space)
	}
}

// takeKinds claims what is declared for each kind: its payloads, and the
// methods that are named after them.
func (def *definition) takeKinds(space goSpace) {
	const remedy = "give the kind a go_name"
	kinds, methods := section(section(def.n, "queue"), "kinds"), goSpace{}
	for _, k := range def.d.Queue.Kinds {
		at, n := pair(kinds, k.Name)
		at = or(get(n, "go_name"), at)
		before := len(def.f.found)
		space.take(def.f, at, k.GoName, "the kind "+k.Name, remedy)
		for _, name := range []string{k.GoName + "Job", "Enqueue" + k.GoName, "Enqueue" + k.GoName + "Many"} {
			if len(def.f.found) > before { // the others collide as well
				break
			}
			if strings.HasPrefix(name, "Enqueue") {
				methods.take(def.f, at, name, "the method of kind "+k.Name, remedy)
				continue
			}
			space.take(def.f, at, name, "the job of kind "+k.Name, remedy)
		}
		if len(def.f.found) == before {
			methods.take(def.f, at, k.GoName, "the method of kind "+k.Name, remedy)
		}
		for _, m := range k.Fields {
			def.takeField(space, m, "kind "+k.Name)
		}
	}
	for _, k := range def.d.Queue.Kinds {
		older := section(section(kinds, k.Name), "older")
		if key, _ := pair(section(kinds, k.Name), "older"); len(k.Older) > 0 {
			space.take(def.f, key, k.GoName+"Upcaster", "the upcaster of kind "+k.Name, remedy)
		}
		for _, o := range k.Older {
			at, _ := pair(older, strconv.Itoa(o.Version))
			what := fmt.Sprintf("version %d of kind %s", o.Version, k.Name)
			before := len(def.f.found)
			space.take(def.f, at, o.GoName, what, remedy)
			if len(def.f.found) == before {
				methods.take(def.f, at, fmt.Sprintf("%sFromV%d", k.GoName, o.Version), "the upcaster from "+what, remedy)
			}
			for _, m := range o.Fields {
				def.takeField(space, m, what)
			}
		}
	}
}

// takeField claims the enum of a select and its values.
func (def *definition) takeField(space goSpace, f *model.Field, owner string) {
	if f.EnumGoName == "" {
		return
	}
	at, before := def.nameOf(f), len(def.f.found)
	space.take(def.f, at, f.EnumGoName, "the values of "+owner+"."+f.Name, "give the field a go_name")
	if len(def.f.found) > before {
		return
	}
	space.take(def.f, at, f.EnumGoName+"Values", "the list of values of "+owner+"."+f.Name, "give the field a go_name")
	for _, o := range f.Options {
		space.take(def.f, at, o.GoName, fmt.Sprintf("option %q of %s.%s", o.Value, owner, f.Name), "write the option as {value: ..., go_name: ...}")
	}
}

func (def *definition) nameOf(f *model.Field) *yaml.Node {
	n := def.nodes[f]
	return or(get(n, "go_name"), get(n, "name"), n)
}

// takeFields reports fields of one struct that Go could not tell apart.
func (def *definition) takeFields() {
	id := goSpace{"ID": {what: "the id"}}
	def.takeScope(id, scope{def.d.Name, def.d.Fields})
	for _, s := range def.inner {
		def.takeScope(goSpace{}, s)
	}
}

func (def *definition) takeScope(space goSpace, s scope) {
	for _, f := range s.fields {
		if strings.Trim(f.Name, "_") == "" {
			continue
		}
		space.take(def.f, def.nameOf(f), f.GoName, "field "+f.Name, "rename one, or give it a go_name")
	}
}

package worker

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker/source"
)

// Lack is something that a datatype needs and the package of handlers does not have.
type Lack struct {
	File       string `json:"file"`              // in which it is missing
	What       string `json:"what"`              // "method JobQueue.ImageOptimize"
	For        string `json:"for"`               // "kind image_optimize"
	Definition string `json:"definition"`        // where that is defined: file:line:column
	ByHand     string `json:"by_hand,omitempty"` // what a person has to add; "": the tool does
}

// String returns the lack as a line.
func (l Lack) String() string {
	if l.ByHand != "" {
		return fmt.Sprintf("%s lacks %s, which the tool cannot add: %s", l.File, l.What, l.ByHand)
	}
	return fmt.Sprintf("%s lacks %s, for %s (%s)", l.File, l.What, l.For, l.Definition)
}

// Folder is the package of a program's handlers.
type Folder struct {
	*source.Package
	// Bodies are those of methods that are not to be left to a person, by "Type.Method".
	Bodies map[string][]string
	Lacks  []Lack // of what was added so far
}

// Open reads the package in a folder of a project.
func Open(root *os.Root, dir string, imports source.Imports) (*Folder, error) {
	pkg, err := source.Read(root, dir, imports)
	if err != nil {
		return nil, err
	}
	return &Folder{Package: pkg}, nil
}

// Scaffolded reports whether the package has the type of a datatype.
func (f *Folder) Scaffolded(d *model.Datatype) bool { return f.Has(d.GoAccessor) }

// Add adds what of the parts of a datatype is missing.
func (f *Folder) Add(d *model.Datatype, parts []*Part) error {
	a := &adding{Folder: f, d: d, name: d.GoAccessor, file: path.Join(f.Dir, goname.File(d.Name)+".go"), added: map[string]bool{}}
	a.tests = strings.TrimSuffix(a.file, ".go") + "_test.go"
	if err := a.typeOf(parts); err != nil {
		return err
	}
	if a.isNew { // above what is only needed until methods are written
		for _, p := range parts {
			for _, w := range p.Wiring {
				if err := a.shared(w.Shared...); err != nil {
					return err
				}
			}
		}
	}
	for _, p := range parts {
		if err := a.part(p); err != nil {
			return err
		}
	}
	return nil
}

// adding is what is done for one datatype.
type adding struct {
	*Folder
	d           *model.Datatype
	name        string
	file, tests string
	t           *source.Type
	isNew       bool            // the type was not there
	added       map[string]bool // methods
}

func (a *adding) lack(file, what, of string, pos model.Pos) {
	if pos.Line == 0 {
		of, pos = "datatype "+a.d.Name, a.d.Pos
	}
	a.Lacks = append(a.Lacks, Lack{File: file, What: what, For: of, Definition: fmt.Sprintf("%s:%d:%d", pos.File, pos.Line, pos.Column)})
}

// typeOf finds the type, or declares it.
func (a *adding) typeOf(parts []*Part) (err error) {
	known := map[string][]string{}
	for _, p := range parts {
		if p.Implements == "" {
			continue
		}
		var methods []string
		for _, m := range p.Methods {
			methods = append(methods, m.Name)
		}
		known[a.generatedPath()+"."+p.Implements] = methods
	}
	if a.t, err = a.Type(a.name, known); err != nil || a.t != nil {
		return err
	}
	a.isNew = true
	a.lack(a.file, "type "+a.name, "", model.Pos{})
	if err := a.Package.Add(a.file, "", a.declaration(parts)); err != nil {
		return err
	}
	if a.t, err = a.Type(a.name, known); err != nil {
		return err
	}
	a.t.Receiver = strings.ToLower(a.name[:1]) + " *" + a.name
	return nil
}

func (a *adding) generatedPath() string { return a.Imports()["generated"].Path }

// declaration is the type, with a line for each interface that does not compile where a method is
// missing. The alias is the name that the compiler's error has for the interface.
func (a *adding) declaration(parts []*Part) string {
	doc := []string{a.name + " has the handlers of " + a.d.Name + "."}
	fields := []string{"DB *@generated.DB"}
	for _, p := range parts {
		if p.Doc != "" {
			doc[0] += " " + p.Doc
		}
		fields = append(fields, p.Fields...)
	}
	doc[0] += " Its fields are what they need; New fills them in."
	text := comment(doc) + "type " + a.name + " struct {\n" + aligned(fields) + "}\n"
	for _, p := range parts {
		if p.Implements == "" {
			continue
		}
		alias := "runModulagenScaffold" + a.name
		text += "\n" + comment([]string{
			"A method that is missing is a compile error here. This adds it:", "\tgo tool modulagen scaffold " + a.d.Name,
		}) + "type " + alias + " = @generated." + p.Implements + "\n\nvar _ " + alias + " = (*" + a.name + ")(nil)\n"
	}
	return text
}

// aligned are fields of a struct as gofmt prints them.
func aligned(fields []string) string {
	width := 0
	for _, f := range fields {
		name, _, _ := strings.Cut(f, " ")
		width = max(width, len(name))
	}
	var b strings.Builder
	for _, f := range fields {
		name, rest, _ := strings.Cut(f, " ")
		fmt.Fprintf(&b, "\t%-*s %s\n", width, name, rest)
	}
	return b.String()
}

// part adds what is missing of one part.
func (a *adding) part(p *Part) error {
	missing, err := a.missing(p)
	if err != nil {
		return err
	}
	for _, d := range p.Types {
		if (a.isNew || slices.ContainsFunc(missing, func(m Method) bool { return m.Name == d.With })) && !a.Has(d.Name) {
			a.lack(a.t.Path, "type "+d.Name, d.For, d.Pos)
			if err := a.Package.Add(a.t.Path, "", d.text()); err != nil {
				return err
			}
		}
	}
	for _, m := range missing {
		if err := a.method(m); err != nil {
			return err
		}
	}
	for _, w := range p.Wiring {
		if err := a.wire(w); err != nil {
			return err
		}
	}
	return a.test(p)
}

// missing are the methods that the type does not have. Those that only a new type gets are left to
// those who have removed them.
func (a *adding) missing(p *Part) ([]Method, error) {
	var out []Method
	for _, m := range p.Methods {
		if m.Once && !a.isNew {
			continue
		}
		has, err := a.t.Method(m.Name)
		if err != nil {
			return nil, err
		}
		if !has {
			out = append(out, m)
		}
	}
	return out, nil
}

func (a *adding) method(m Method) error {
	if body, ok := a.Bodies[a.name+"."+m.Name]; ok {
		m.Body = body
	}
	a.lack(a.t.Path, "method "+a.name+"."+m.Name, m.For, m.Pos)
	a.added[m.Name] = true
	if m.Body == nil {
		if err := a.shared(notWritten, notImplementedFunc); err != nil {
			return err
		}
	}
	return a.Package.Add(a.t.Path, "", m.text(a.name, a.t.Receiver))
}

// shared adds declarations that the package has once.
func (a *adding) shared(all ...Decl) error {
	for _, d := range all {
		if a.Has(d.Name) {
			continue
		}
		if err := a.Package.Add(path.Join(a.Dir, "workers.go"), fmt.Sprintf(sharedHeader, a.Name), d.text()); err != nil {
			return err
		}
	}
	return nil
}

// test adds the tests of what was added.
func (a *adding) test(p *Part) error {
	var tests []Decl
	for _, t := range p.Tests {
		if (a.isNew || a.added[t.With]) && !a.Has(t.Name) {
			tests = append(tests, t)
		}
	}
	if len(tests) == 0 {
		return nil
	}
	if err := a.shared(notWritten); err != nil { // which they know
		return err
	}
	for _, d := range []Decl{testDB, checkEnd} {
		if !a.Has(d.Name) {
			if err := a.Package.Add(path.Join(a.Dir, "workers_test.go"), "", d.text(), sqlitePath); err != nil {
				return err
			}
		}
	}
	for _, d := range append(slices.Clone(p.Helpers), tests...) {
		if a.Has(d.Name) {
			continue
		}
		if err := a.Package.Add(a.tests, "", d.text()); err != nil {
			return err
		}
	}
	for _, d := range tests {
		a.lack(a.tests, "test "+d.Name, d.For, d.Pos)
	}
	return nil
}

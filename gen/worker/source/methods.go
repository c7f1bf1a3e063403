package source

import (
	"fmt"
	"go/ast"
	"strings"
)

// Type is a type of the package, and how methods are added to it.
type Type struct {
	p    *Package
	file *file
	spec *ast.TypeSpec

	Receiver string // of methods that are added, such as "q *JobQueue" or "q JobQueue[T]"
	Path     string // of the file that declares it

	methods map[string]bool
	foreign *ast.Field // what it embeds of another package; nil: nothing
	extern  *file      // where that stands
}

// Type finds a type by its name; nil if there is none. known are the types of other packages,
// as "path.Name", that it may embed without a question: their methods are looked up there. The
// error is a mistake.List: what has the name is no type that can have methods.
func (p *Package) Type(name string, known map[string][]string) (*Type, error) {
	var t *Type
	for _, f := range p.own(false) {
		for _, d := range f.ast.Decls {
			s, ok := named(d, name).(*ast.TypeSpec)
			if !ok {
				continue
			}
			if t != nil {
				return nil, f.at(s, name+" is declared here and in "+t.Path, "declare it once, in a file without build constraints, and its methods where you like")
			}
			t = &Type{p: p, file: f, spec: s, Path: f.path}
		}
	}
	if t == nil {
		if f, n := p.declared(name); n != nil {
			return nil, f.at(n, name+" is not a type with methods", "rename it: the handlers of the datatype need the name")
		}
		return nil, nil
	}
	if t.spec.Assign.IsValid() {
		return nil, t.file.at(t.spec, name+" is an alias, and has the methods of another type", "declare it as a type of its own, or write the methods there by hand")
	}
	if _, ok := t.spec.Type.(*ast.InterfaceType); ok {
		return nil, t.file.at(t.spec, name+" is an interface", "rename it: the handlers of the datatype need the name")
	}
	t.methods = map[string]bool{}
	t.receivers()
	t.embedded(name, known, map[string]bool{})
	return t, nil
}

// receivers finds the methods of the type, and what a further one's receiver is: a pointer if any
// has one. A type without methods gets values as receivers, which its pointers have too.
func (t *Type) receivers() {
	name, pointer := "", false
	for _, f := range t.p.own(false) {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || len(fn.Recv.List) != 1 {
				continue
			}
			of, isPointer := receiver(fn.Recv.List[0].Type)
			if of != t.spec.Name.Name {
				continue
			}
			t.methods[fn.Name.Name] = true
			pointer = pointer || isPointer
			if names := fn.Recv.List[0].Names; name == "" && len(names) == 1 && names[0].Name != "_" {
				name = names[0].Name
			}
		}
	}
	star := ""
	if pointer {
		star = "*"
	}
	if name != "" {
		name += " "
	}
	t.Receiver = name + star + t.spec.Name.Name + t.parameters()
}

// Literal is an expression that makes a value of the type: of a struct that has a field of that
// name, with its value. "" where only a person can say: of what has parameters.
func (t *Type) Literal(field, value string) string {
	of, isStruct := t.spec.Type.(*ast.StructType)
	switch {
	case t.spec.TypeParams != nil:
		return ""
	case !isStruct:
		return "new(" + t.spec.Name.Name + ")"
	}
	for _, f := range of.Fields.List {
		for _, n := range f.Names {
			if n.Name == field {
				return "&" + t.spec.Name.Name + "{" + field + ": " + value + "}"
			}
		}
	}
	return "&" + t.spec.Name.Name + "{}"
}

// parameters are the names of the type's parameters, as a receiver has them.
func (t *Type) parameters() string {
	if t.spec.TypeParams == nil {
		return ""
	}
	var names []string
	for _, f := range t.spec.TypeParams.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// receiver is the type of a receiver, without its parameters.
func receiver(e ast.Expr) (name string, pointer bool) {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e, pointer = x.X, true
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name, pointer
		default:
			return "", pointer
		}
	}
}

// embedded adds the methods of what a struct embeds.
func (t *Type) embedded(name string, known map[string][]string, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name] = true
	f, n := t.p.declared(name)
	s, ok := n.(*ast.TypeSpec)
	if !ok {
		return
	}
	if name != t.spec.Name.Name {
		other := &Type{p: t.p, file: f, spec: s, methods: t.methods}
		other.receivers()
	}
	switch of := s.Type.(type) {
	case *ast.StructType:
		t.fields(f, of.Fields, known, seen)
	case *ast.InterfaceType:
		for _, m := range of.Methods.List {
			for _, n := range m.Names {
				t.methods[n.Name] = true
			}
		}
		t.fields(f, of.Methods, known, seen)
	}
}

func (t *Type) fields(f *file, list *ast.FieldList, known map[string][]string, seen map[string]bool) {
	for _, field := range list.List {
		if len(field.Names) > 0 {
			continue
		}
		if name, _ := receiver(field.Type); name != "" {
			t.embedded(name, known, seen)
			continue
		}
		methods, ok := known[t.p.foreignType(f, field.Type)]
		for _, m := range methods {
			t.methods[m] = true
		}
		if !ok && t.foreign == nil {
			t.foreign, t.extern = field, f
		}
	}
}

// foreignType is a type of another package as "path.Name"; "" for what is none.
func (p *Package) foreignType(f *file, e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	for _, i := range f.ast.Imports {
		if p.importName(i) == pkg.Name {
			return importPath(i) + "." + sel.Sel.Name
		}
	}
	return ""
}

// Method reports whether the type has a method. The error is a mistake.List: it may have it of a
// type of another package that it embeds, which one here would hide.
func (t *Type) Method(name string) (bool, error) {
	if t.methods[name] {
		return true, nil
	}
	if t.foreign != nil {
		return false, t.extern.at(t.foreign, fmt.Sprintf("%s embeds a type of another package, which may have the method %s: one that is added would hide it", t.spec.Name.Name, name),
			"write the method by hand, or give the field a name")
	}
	return false, nil
}

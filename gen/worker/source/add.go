package source

import (
	"bytes"
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// Add adds a declaration at the end of a file, which need not be there yet: then header is what
// stands above its package clause. The packages of linked are imported for what they do when they
// are.
func (p *Package) Add(name, header, text string, linked ...string) error {
	f := p.find(name)
	if f == nil {
		return p.create(name, header, text, linked)
	}
	if f.foreign {
		return f.at(f.ast.Name, fmt.Sprintf("the file is of package %s, and those beside it of %s", f.ast.Name.Name, p.Name), "rename one of the packages, or the file")
	}
	text, more := p.qualified(f, text)
	if !bytes.HasSuffix(f.text, []byte("\n\n")) && !bytes.HasSuffix(f.text, []byte("\n\r\n")) {
		text = "\n" + text
	}
	if err := f.splice(len(f.text), text); err != nil {
		return err
	}
	for _, path := range linked {
		if !slices.ContainsFunc(f.ast.Imports, func(i *ast.ImportSpec) bool { return importPath(i) == path }) {
			more = append(more, Import{"_", path})
		}
	}
	return p.addImports(f, more)
}

func (p *Package) create(name, header, text string, linked []string) error {
	f := &file{path: name, mode: 0o644}
	text, more := p.qualified(f, text)
	for _, path := range linked {
		more = append(more, Import{"_", path})
	}
	imports := ""
	if len(more) > 0 {
		imports = p.block(more) + "\n"
	}
	f.text = []byte(header + "package " + p.Name + "\n\n" + imports + text)
	if err := f.reparse(); err != nil {
		return err
	}
	p.files = append(p.files, f)
	return nil
}

// Func is a function of the package, or a method, to which statements are added.
type Func struct {
	p    *Package
	file *file
	decl *ast.FuncDecl
	Path string
}

// Func finds a function by its name and, of a method, the type of its receiver; nil if there is none.
func (p *Package) Func(receiverType, name string) *Func {
	for _, f := range p.own(true) {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Name.Name != name || (fn.Recv != nil) != (receiverType != "") {
				continue
			}
			if fn.Recv != nil {
				if of, _ := receiver(fn.Recv.List[0].Type); of != receiverType {
					continue
				}
			}
			return &Func{p, f, fn, f.path}
		}
	}
	return nil
}

// Line is the line on which the function begins.
func (fn *Func) Line() int {
	line, _ := fn.file.place(fn.file.offset(fn.decl.Name.Pos()))
	return line
}

// Mentions reports whether the function has a selector or a key of a composite literal with a
// name, or a text that is the name in quotes.
func (fn *Func) Mentions(name string) bool {
	found := false
	ast.Inspect(fn.decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == name
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			found = found || ok && key.Name == name
		case *ast.BasicLit:
			found = found || n.Value == `"`+name+`"`
		}
		return !found
	})
	return found
}

// Insert adds statements before the return that ends the function, of which %[1]s in the text is
// what is returned and %[2]s the first parameter, or the receiver. It returns false where the
// function does not end in the return of a variable on a line of its own.
func (fn *Func) Insert(text string) (bool, error) {
	f, body := fn.file, fn.decl.Body
	if body == nil || len(body.List) == 0 {
		return false, nil
	}
	ret, ok := body.List[len(body.List)-1].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false, nil
	}
	returned, ok := ret.Results[0].(*ast.Ident)
	param := fn.parameter()
	if !ok || returned.Name == "nil" || param == "" {
		return false, nil
	}
	offset := f.lineStart(f.offset(ret.Pos()))
	if strings.TrimSpace(string(f.text[offset:f.offset(ret.Pos())])) != "" {
		return false, nil
	}
	for { // its comment stays with it
		before := f.lineStart(max(offset-1, 0))
		if before >= offset || !strings.HasPrefix(strings.TrimSpace(string(f.text[before:offset])), "//") {
			break
		}
		offset = before
	}
	text, more := fn.p.qualified(f, fmt.Sprintf(text, returned.Name, param))
	if err := f.splice(offset, text); err != nil {
		return false, err
	}
	if err := fn.p.addImports(f, more); err != nil {
		return false, err
	}
	return true, nil
}

func (fn *Func) parameter() string {
	list := fn.decl.Type.Params.List
	if fn.decl.Recv != nil {
		list = fn.decl.Recv.List
	}
	if len(list) == 0 || len(list[0].Names) == 0 || list[0].Names[0].Name == "_" {
		return ""
	}
	return list[0].Names[0].Name
}

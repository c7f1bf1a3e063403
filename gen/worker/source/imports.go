package source

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Import is a package that added text names.
type Import struct{ Name, Path string }

// Imports are the packages that added text names, by how it does: the text @queue.Claim names the
// one under "queue", whatever the file calls it.
type Imports map[string]Import

var qualifier = regexp.MustCompile(`\B@([a-z][a-z0-9_]*)\.`)

// Plain is a text as a file has it that imports every package under its own name.
func (imports Imports) Plain(text string) string {
	return qualifier.ReplaceAllStringFunc(text, func(m string) string {
		return imports[strings.Trim(m, "@.")].Name + "."
	})
}

// qualified is a text as a file is to have it, and the packages that the file has to import yet.
func (p *Package) qualified(f *file, text string) (string, []Import) {
	var more []Import
	text = qualifier.ReplaceAllStringFunc(text, func(m string) string {
		in, ok := p.imports[strings.Trim(m, "@.")]
		if !ok {
			panic("source: no import for " + m)
		}
		name, ok := p.imported(f, in.Path)
		if !ok {
			if i := slices.IndexFunc(more, func(o Import) bool { return o.Path == in.Path }); i >= 0 {
				name = more[i].Name
			} else {
				name = p.free(f, in.Name, more)
				more = append(more, Import{name, in.Path})
			}
		}
		if name == "." {
			return ""
		}
		return name + "."
	})
	return text, more
}

// imported returns the name under which a file has a package.
func (p *Package) imported(f *file, path string) (string, bool) {
	if f.ast == nil {
		return "", false
	}
	for _, i := range f.ast.Imports {
		if name := p.importName(i); importPath(i) == path && name != "_" {
			return name, true
		}
	}
	return "", false
}

// free is a name for a package that neither the file nor the package has.
func (p *Package) free(f *file, name string, more []Import) string {
	for p.Has(name) || f.ast != nil && slices.ContainsFunc(f.ast.Imports, func(i *ast.ImportSpec) bool { return p.importName(i) == name }) ||
		slices.ContainsFunc(more, func(i Import) bool { return i.Name == name }) {
		name += "pkg"
	}
	return name
}

func importPath(i *ast.ImportSpec) string {
	text, err := strconv.Unquote(i.Path.Value)
	if err != nil {
		return "" // the parser refuses it
	}
	return text
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// importName is the name that a file has for a package; of one without a name there, that of the
// package as far as its path shows it.
func (p *Package) importName(i *ast.ImportSpec) string {
	if i.Name != nil {
		return i.Name.Name
	}
	of := importPath(i)
	for _, known := range p.imports {
		if known.Path == of {
			return known.Name
		}
	}
	name := path.Base(of)
	if dir := path.Dir(of); majorVersion.MatchString(name) && dir != "." {
		name = path.Base(dir)
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

// line is the import as a line of a list, without its end.
func (p *Package) line(i Import) string {
	for _, known := range p.imports {
		if known == i {
			return strconv.Quote(i.Path)
		}
	}
	return i.Name + " " + strconv.Quote(i.Path)
}

// standard reports whether a package is of the standard library.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	known, _, _ := strings.Cut("archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html image index io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique unsafe weak", "\n")
	return slices.Contains(strings.Fields(known), first)
}

// block is a list of imports: the standard library's, those of modules, and the program's own.
func (p *Package) block(all []Import) string {
	if len(all) == 1 {
		return "import " + p.line(all[0]) + "\n"
	}
	slices.SortFunc(all, func(a, b Import) int { return strings.Compare(a.Path, b.Path) })
	var groups [3][]string
	for _, i := range all {
		n := 1
		switch {
		case standard(i.Path):
			n = 0
		case i.Path == p.imports["generated"].Path:
			n = 2
		}
		groups[n] = append(groups[n], "\t"+p.line(i)+"\n")
	}
	var out []string
	for _, g := range groups {
		if len(g) > 0 {
			out = append(out, strings.Join(g, ""))
		}
	}
	return "import (\n" + strings.Join(out, "\n") + ")\n"
}

// renewed replaces the list of imports of a file that was not there before.
func (p *Package) renewed(f *file, more []Import) error {
	begin := f.lineEnd(f.offset(f.ast.Name.End()))
	end, all := begin, slices.Clone(more)
	for _, i := range f.ast.Imports {
		all = append(all, Import{p.importName(i), importPath(i)})
	}
	for _, d := range f.ast.Decls {
		if list, ok := d.(*ast.GenDecl); ok && list.Tok == token.IMPORT {
			end = f.lineEnd(f.offset(d.End()))
		}
	}
	f.text = slices.Concat(f.text[:begin], []byte("\n"+p.block(all)), f.text[end:])
	return f.reparse()
}

// addImports adds what a file has to import: in its list where gofmt has nothing against that,
// and otherwise by a declaration of its own.
func (p *Package) addImports(f *file, more []Import) error {
	if f.before == nil && len(more) > 0 {
		return p.renewed(f, more)
	}
	for _, i := range more {
		tidy := f.tidy()
		kept := f.text
		if offset, text, ok := p.listed(f, i); ok {
			if err := f.splice(offset, text); err == nil && (!tidy || f.tidy()) {
				continue
			}
			f.text = kept
			if err := f.reparse(); err != nil {
				return err
			}
		}
		offset, text := p.declaredImport(f, i)
		if err := f.splice(offset, text); err != nil {
			return err
		}
	}
	return nil
}

// listed is where an import goes in the first list of the file: in the group of lines that has its
// like, by its path.
func (p *Package) listed(f *file, in Import) (offset int, text string, ok bool) {
	for _, d := range f.ast.Decls {
		list, is := d.(*ast.GenDecl)
		if !is || list.Tok != token.IMPORT || !list.Lparen.IsValid() || len(list.Specs) == 0 {
			continue
		}
		best, groups := -1, f.groups(list)
		for i, g := range groups {
			if standard(importPath(g[0])) == standard(in.Path) && (best < 0 || alike(in.Path, importPath(g[0])) > alike(in.Path, importPath(groups[best][0]))) {
				best = i
			}
		}
		line := "\t" + p.line(in) + "\n"
		switch {
		case best < 0 && standard(in.Path):
			return f.lineStart(f.begin(groups[0][0])), line + "\n", true
		case best < 0:
			last := groups[len(groups)-1]
			return f.lineEnd(f.offset(last[len(last)-1].End())), "\n" + line, true
		}
		for _, spec := range groups[best] {
			if importPath(spec) > in.Path {
				return f.lineStart(f.begin(spec)), line, true
			}
		}
		last := groups[best][len(groups[best])-1]
		return f.lineEnd(f.offset(last.End())), line, true
	}
	return 0, "", false
}

// alike counts the elements with which two paths begin alike.
func alike(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// groups are the imports of a list, without empty lines between those of a group.
func (f *file) groups(list *ast.GenDecl) [][]*ast.ImportSpec {
	var out [][]*ast.ImportSpec
	last := 0
	for _, s := range list.Specs {
		spec := s.(*ast.ImportSpec)
		first, _ := f.place(f.begin(spec))
		if last == 0 || first > last+1 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], spec)
		last, _ = f.place(f.offset(spec.End()))
	}
	return out
}

// begin is where an import begins with its comment.
func (f *file) begin(spec *ast.ImportSpec) int {
	if spec.Doc != nil {
		return f.offset(spec.Doc.Pos())
	}
	return f.offset(spec.Pos())
}

// declaredImport is an import of its own, behind the others or the name of the package.
func (p *Package) declaredImport(f *file, in Import) (offset int, text string) {
	end := f.ast.Name.End()
	for _, d := range f.ast.Decls {
		if list, ok := d.(*ast.GenDecl); ok && list.Tok == token.IMPORT {
			end = d.End()
		}
	}
	return f.lineEnd(f.offset(end)), "\nimport " + p.line(in) + "\n"
}

// lineStart is where the line of an offset begins.
func (f *file) lineStart(offset int) int { return bytes.LastIndexByte(f.text[:offset], '\n') + 1 }

// lineEnd is where the line after that of an offset begins.
func (f *file) lineEnd(offset int) int {
	if i := bytes.IndexByte(f.text[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(f.text)
}

// tidy reports whether gofmt would leave the file as it is, but for the ends of its lines.
func (f *file) tidy() bool {
	text := bytes.ReplaceAll(f.text, []byte("\r\n"), []byte("\n"))
	formatted, err := format.Source(text)
	return err == nil && bytes.Equal(formatted, text)
}

// splice adds lines at an offset where a line begins, and parses the file anew.
func (f *file) splice(offset int, text string) error {
	end := "\n"
	if crlf := bytes.Count(f.text, []byte("\r\n")); crlf > 0 && 2*crlf >= bytes.Count(f.text, []byte("\n")) {
		end = "\r\n"
	}
	text = strings.ReplaceAll(text, "\n", end)
	if offset > 0 && f.text[offset-1] != '\n' {
		text = end + text // the last line had no end
	}
	kept := f.text
	f.text = slices.Concat(kept[:offset], []byte(text), kept[offset:])
	if err := f.reparse(); err != nil {
		f.text = kept
		return fmt.Errorf("source: nothing can be added to %s: %w", f.path, err)
	}
	return nil
}

func (f *file) reparse() error { return f.parse().Err() }

package mail

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"maps"
	"reflect"
	"strings"
	texttemplate "text/template"
	"text/template/parse"

	"github.com/hegner123/modulagen/runtime/internal/templatecheck"
)

// textPage is the text of a mail, with its subject.
type textPage struct {
	set   *texttemplate.Template
	entry string // what is executed: the page, or the layout
	trees map[string]*parse.Tree
}

// htmlPage is the HTML of a mail.
type htmlPage struct {
	set   *htmltemplate.Template
	entry string
	trees map[string]*parse.Tree // as written: html/template adds escapes when it executes
}

// Names that templates define.
const (
	layoutName  = "layout"
	contentName = "content"
	subjectName = "subject"
)

func parseText(parts []source, s source, funcs map[string]any) (*textPage, error) {
	set := texttemplate.New("").Option("missingkey=error").Funcs(funcs)
	for _, part := range parts {
		if _, err := set.New(part.name).Parse(part.content); err != nil {
			return nil, fmt.Errorf("mail: %s: %w", part.path, err)
		}
	}
	before := tree(set.Lookup(contentName))
	if _, err := set.New(s.path).Parse(s.content); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if set.Lookup(subjectName) == nil {
		return nil, fmt.Errorf("mail: %s defines no subject: {{define %q}}...{{end}}", s.path, subjectName)
	}
	p := &textPage{set: set, entry: s.path, trees: map[string]*parse.Tree{}}
	if tree(set.Lookup(contentName)) != before {
		if set.Lookup(layoutName) != nil {
			p.entry = layoutName
		} else if err := unplaced(s, tree(set.Lookup(s.path))); err != nil {
			return nil, err
		}
	}
	for _, t := range set.Templates() {
		p.trees[t.Name()] = t.Tree
	}
	return p, nil
}

// unplaced is that a page defines its content, and neither a layout nor the page itself shows it:
// the mail would be blank.
func unplaced(s source, page *parse.Tree) error {
	if page != nil && !parse.IsEmptyTree(page.Root) {
		return nil
	}
	return fmt.Errorf("mail: %s defines %q, and there is no _%s%s that places it; //go:embed FOLDER leaves out files whose names begin with _, //go:embed all:FOLDER does not",
		s.path, contentName, layoutName, s.kind)
}

func tree(t *texttemplate.Template) *parse.Tree {
	if t == nil {
		return nil
	}
	return t.Tree
}

func parseHTML(parts []source, s source, funcs map[string]any) (*htmlPage, error) {
	set := htmltemplate.New("").Option("missingkey=error").Funcs(funcs)
	for _, part := range parts {
		if _, err := set.New(part.name).Parse(part.content); err != nil {
			return nil, fmt.Errorf("mail: %s: %w", part.path, err)
		}
	}
	lookup := func(name string) *parse.Tree {
		if t := set.Lookup(name); t != nil {
			return t.Tree
		}
		return nil
	}
	before := lookup(contentName)
	if _, err := set.New(s.path).Parse(s.content); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	p := &htmlPage{set: set, entry: s.path, trees: map[string]*parse.Tree{}}
	if lookup(contentName) != before {
		if set.Lookup(layoutName) != nil {
			p.entry = layoutName
		} else if err := unplaced(s, lookup(s.path)); err != nil {
			return nil, err
		}
	}
	for _, t := range set.Templates() {
		if t.Tree != nil {
			p.trees[t.Name()] = t.Tree.Copy()
		}
	}
	return p, nil
}

// check reports what is wrong in the templates of a mail when their data is of a type.
func (p *page) check(data reflect.Type, funcs map[string]any) []error {
	errs := templatecheck.Check(p.text.trees, subjectName, data, funcs)
	errs = append(errs, templatecheck.Check(p.text.trees, p.text.entry, data, funcs)...)
	if p.html == nil {
		return errs
	}
	trees := maps.Clone(p.html.trees)
	errs = append(errs, templatecheck.Check(trees, p.html.entry, data, funcs)...)
	if len(errs) == 0 {
		if err := p.html.escapes(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// escapes reports HTML in which values cannot be escaped, such as one that ends in an attribute.
// html/template finds it when it executes; here it stops at the first byte.
func (p *htmlPage) escapes() error {
	err := p.set.ExecuteTemplate(stopped{}, p.entry, nil)
	var bad *htmltemplate.Error
	if errors.As(err, &bad) {
		return bad
	}
	return nil
}

var errStopped = errors.New("stopped")

type stopped struct{}

func (stopped) Write([]byte) (int, error) { return 0, errStopped }

// errTooLarge is a template that writes without end, or more than a mail may have.
var errTooLarge = errors.New("it writes more than is permitted")

// boundedBuilder is a strings.Builder with an end.
type boundedBuilder struct {
	b    strings.Builder
	left int
}

func (w *boundedBuilder) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errTooLarge
	}
	w.left -= len(p)
	return w.b.Write(p)
}

// executed returns what a template writes.
func executed(most int, execute func(io.Writer) error) (string, error) {
	w := &boundedBuilder{left: most}
	if err := execute(w); err != nil {
		if errors.Is(err, errTooLarge) {
			return "", fmt.Errorf("%w: %d bytes", errTooLarge, most)
		}
		return "", err
	}
	return w.b.String(), nil
}

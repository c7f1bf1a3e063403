package action

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	htmltemplate "html/template"
	"io"
	"reflect"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/internal/templatecheck"
)

// Bounds of the texts of a digest.
const (
	maxTemplate = 64 << 10
	maxBody     = 2 << 20
	maxSubject  = 500
	maxCell     = 200 // bytes of a value in the table without a template
	maxCells    = 12  // columns of it
)

// digestData is what templates see, but for the rows, which have a type of their own.
type digestData struct {
	Rows     digestRowList
	Count    int // of all rows that there are; Rows has the newest
	Since    time.Time
	Until    time.Time
	Job      string
	Datatype string
}

// digestText makes the texts of a mail.
type digestText struct {
	rows    *digestType
	data    reflect.Type
	subject *texttemplate.Template
	html    *htmltemplate.Template // nil with plain nil: a table
	plain   *texttemplate.Template
}

// funcs are the functions of templates, beside those of permitted.
var funcs = map[string]any{"date": date}

// date formats a datetime by a layout of package time; "" of none.
func date(layout string, t any) string {
	switch t := t.(type) {
	case time.Time:
		return t.Format(layout)
	case *time.Time:
		if t != nil {
			return t.Format(layout)
		}
	}
	return ""
}

func digestTextOf(c *digestConfig, rows *digestType) (*digestText, error) {
	t := &digestText{rows: rows}
	t.data = reflect.StructOf([]reflect.StructField{
		{Name: "Rows", Type: reflect.SliceOf(rows.typ)},
		{Name: "Count", Type: reflect.TypeFor[int]()},
		{Name: "Since", Type: reflect.TypeFor[time.Time]()},
		{Name: "Until", Type: reflect.TypeFor[time.Time]()},
		{Name: "Job", Type: reflect.TypeFor[string]()},
		{Name: "Datatype", Type: reflect.TypeFor[string]()},
	})
	var failed []error
	text := func(key, text string) *texttemplate.Template {
		out, err := texttemplate.New(key).Funcs(funcs).Parse(text)
		if err == nil {
			err = t.check(key, out.Tree, out.Templates())
		}
		if err != nil {
			failed = append(failed, wrong(key, "is not a template that can be used: %v", err))
		}
		return out
	}
	for key, text := range map[string]string{"subject": c.Subject, "template": c.Template, "plain": c.Plain} {
		if len(text) > maxTemplate {
			failed = append(failed, wrong(key, "has %d bytes, and %d are permitted", len(text), maxTemplate))
		}
	}
	if len(failed) > 0 {
		return nil, errors.Join(failed...)
	}
	t.subject = text("subject", c.Subject)
	if c.Plain != "" {
		t.plain = text("plain", c.Plain)
	}
	if c.Template != "" {
		var err error
		if t.html, err = t.parseHTML(c.Template); err != nil {
			failed = append(failed, wrong("template", "is not a template that can be used: %v", err))
		}
	}
	return t, errors.Join(failed...)
}

func (t *digestText) parseHTML(text string) (*htmltemplate.Template, error) {
	out, err := htmltemplate.New("template").Funcs(funcs).Parse(text)
	if err != nil {
		return nil, err
	}
	var all []*texttemplate.Template
	for range out.Templates() {
		all = append(all, nil)
	}
	return out, t.check("template", out.Tree, all)
}

// check permits what is bounded by the length of the template and the number of rows, and holds the fields to what there
// is.
func (t *digestText) check(name string, tree *parse.Tree, all []*texttemplate.Template) error {
	if tree == nil || tree.Root == nil {
		return nil // an empty text
	}
	if len(all) > 1 {
		return errors.New("a digest has one template: define and block are not permitted")
	}
	p := &permitter{}
	p.list(tree.Root, false)
	if len(p.failed) > 0 {
		return errors.Join(p.failed...)
	}
	return errors.Join(templatecheck.Check(map[string]*parse.Tree{name: tree}, name, t.data, funcs)...)
}

// value makes what templates are executed with.
func (t *digestText) value(d *digestData) any {
	v := reflect.New(t.data).Elem()
	if d.Rows.IsValid() {
		v.FieldByName("Rows").Set(d.Rows.Value)
	}
	v.FieldByName("Count").SetInt(int64(d.Count))
	v.FieldByName("Since").Set(reflect.ValueOf(d.Since))
	v.FieldByName("Until").Set(reflect.ValueOf(d.Until))
	v.FieldByName("Job").SetString(d.Job)
	v.FieldByName("Datatype").SetString(d.Datatype)
	return v.Interface()
}

// message makes the mail.
func (d *digest) message(data *digestData) (project.Message, error) {
	m := project.Message{From: d.config.From, To: d.config.To}
	t, value := d.text, d.text.value(data)
	var err error
	if m.Subject, err = executed(t.subject, value); err != nil {
		return m, err
	}
	m.Subject = printable(strings.Join(strings.Fields(m.Subject), " "), maxSubject) // a value may have a line break
	if t.html == nil && t.plain == nil {
		m.HTML, m.Plain = t.rows.table(data)
		return m, nil
	}
	if t.html != nil {
		if m.HTML, err = executed(t.html, value); err != nil {
			return m, err
		}
	}
	if t.plain != nil {
		m.Plain, err = executed(t.plain, value)
	}
	return m, err
}

// executed runs a template, whose output is bounded.
func executed(t interface{ Execute(io.Writer, any) error }, data any) (string, error) {
	w := &bounded{left: maxBody}
	if err := t.Execute(w, data); err != nil {
		return "", fmt.Errorf("cron: digest_email: %w", err)
	}
	return strings.ToValidUTF8(w.String(), "\uFFFD"), nil
}

type bounded struct {
	bytes.Buffer
	left int
}

// Write fails beyond the bound.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("the text is longer than %d bytes", maxBody)
	}
	return b.Buffer.Write(p)
}

// table is a digest without a template.
func (t *digestType) table(d *digestData) (asHTML, plain string) {
	var h, p strings.Builder
	shown := t.shown()
	heading := count(int64(d.Count), "row") + " of " + d.Datatype
	fmt.Fprintf(&h, "<p>%s</p>\n<table border=\"1\" cellpadding=\"4\" cellspacing=\"0\">\n<tr>", html.EscapeString(heading))
	p.WriteString(heading + "\n")
	for _, i := range shown {
		fmt.Fprintf(&h, "<th align=\"left\">%s</th>", html.EscapeString(t.fields[i].name))
	}
	h.WriteString("</tr>\n")
	for n := range d.Rows.Len() {
		row := d.Rows.Index(n)
		h.WriteString("<tr>")
		p.WriteString("\n")
		for _, i := range shown {
			text := cell(row.Field(i))
			fmt.Fprintf(&h, "<td>%s</td>", html.EscapeString(text))
			fmt.Fprintf(&p, "%s: %s\n", t.fields[i].name, strings.Join(strings.Fields(text), " "))
		}
		h.WriteString("</tr>\n")
	}
	h.WriteString("</table>\n")
	if more := d.Count - d.Rows.Len(); more > 0 {
		fmt.Fprintf(&h, "<p>and %d more</p>\n", more)
		fmt.Fprintf(&p, "\nand %d more\n", more)
	}
	return h.String(), p.String()
}

// shown are the fields of the table: the first ones, without JSON.
func (t *digestType) shown() []int {
	var out []int
	for i, f := range t.fields {
		if !f.json && len(out) < maxCells {
			out = append(out, i)
		}
	}
	return out
}

// cell is a value in a table.
func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if at, ok := v.Interface().(time.Time); ok {
		return at.Format("2006-01-02 15:04:05Z")
	}
	text := fmt.Sprint(v.Interface())
	if short := printable(text, maxCell); len(short) < len(text) {
		return short + "..."
	}
	return text
}

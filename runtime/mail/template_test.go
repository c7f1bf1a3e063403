package mail_test

import (
	"iter"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/runtime/mail"
)

// files makes a file system of paths and contents.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

type order struct {
	Name  string
	Items []item
	Notes map[string]string
	Buyer *buyer
	Any   any
	Each  iter.Seq2[int, item]
}

type item struct {
	Title string
	Price int
}

type buyer struct{ Email string }

func (b *buyer) Domain() string { return "example.com" }

func (o order) Total() int { return len(o.Items) }

const subject = `{{define "subject"}}Order of {{.Name}}{{end}}`

func TestTemplate(t *testing.T) {
	set := must(mail.ParseTemplates(files(
		"_layout.html.tmpl", `<html><body>{{block "content" .}}none{{end}}{{template "footer" .}}</body></html>`,
		"_layout.txt.tmpl", "{{template \"content\" .}}\n-- \n{{template \"footer\"}}",
		"_footer.html.tmpl", `<i>Bye, {{.Name}}</i>`,
		"_footer.de.html.tmpl", `<i>Tschüß, {{.Name}}</i>`,
		"_footer.txt.tmpl", `Bye`,
		"account/order.html.tmpl", `{{define "content"}}<p title="{{.Name}}">{{.Name}}</p>{{range .Items}}<b>{{.Title}}</b>{{end}}{{end}}`,
		"account/order.txt.tmpl", subject+`{{define "content"}}Dear {{.Name}}{{end}}`,
		"account/order.de.html.tmpl", `{{define "content"}}<p>Hallo {{.Name}}</p>{{end}}`,
		"account/order.de.txt.tmpl", "{{define \"subject\"}}\n  Bestellung &lt;{{.Name}}&gt;\n{{end}}",
		"account/order.pt-BR.html.tmpl", `<p>Olá</p>`,
		"account/order.pt-BR.txt.tmpl", subject,
		"README.md", "not a template",
	), mail.TemplateOptions{}))
	tmpl := must(mail.NewTemplate[order](set, "account/order"))
	data := order{Name: `<b>"Ann" & Co</b>`, Items: []item{{Title: "<Cup>"}}}

	m := must(tmpl.Render("", data))
	if m.Subject != `Order of <b>"Ann" & Co</b>` {
		t.Errorf("Subject %q", m.Subject)
	}
	if want := `<html><body><p title="&lt;b&gt;&#34;Ann&#34; &amp; Co&lt;/b&gt;">&lt;b&gt;&#34;Ann&#34; &amp; Co&lt;/b&gt;</p><b>&lt;Cup&gt;</b><i>Bye, &lt;b&gt;&#34;Ann&#34; &amp; Co&lt;/b&gt;</i></body></html>`; m.HTML != want {
		t.Errorf("HTML %s", m.HTML)
	}
	if want := "Dear <b>\"Ann\" & Co</b>\n-- \nBye\n"; m.Plain != want {
		t.Errorf("Plain %q", m.Plain)
	}
	data.Name = "Ann"
	for locale, subject := range map[string]string{
		"de": "Bestellung &lt;Ann&gt;", "de-AT": "Bestellung &lt;Ann&gt;", "DE_at": "Bestellung &lt;Ann&gt;", "de-Latn-AT": "Bestellung &lt;Ann&gt;",
		"fr": "Order of Ann", "pt": "Order of Ann", "pt-br": "Order of Ann", "deu": "Order of Ann",
	} {
		m := must(tmpl.Render(locale, data))
		if m.Subject != subject || m.Locale != locale {
			t.Errorf("%s: %q in %q", locale, m.Subject, m.Locale)
		}
		if german := strings.HasPrefix(subject, "B"); german != strings.Contains(m.HTML, "<p>Hallo Ann</p><i>Tschüß") || german && m.Plain != "" {
			t.Errorf("%s: %s %q", locale, m.HTML, m.Plain)
		}
	}
	m = must(tmpl.Render("pt-BR", data))
	m.From, m.To = "shop@example.com", []string{"ann@example.com"}
	o := must(m.Prepare(queued))
	if o.HTML != "<p>Olá</p>" || o.Plain != "Olá" {
		t.Errorf("a page without content: %q, %q", o.HTML, o.Plain)
	}
	o.Subject = "&lt;b&gt;"
	compare(t, o, must(o.Compose()))
}

// TestTemplateInjection holds that data cannot end a header.
func TestTemplateInjection(t *testing.T) {
	tmpl := must(mail.NewTemplate[order](must(mail.ParseTemplates(files("a.txt.tmpl", subject+"Hi"), mail.TemplateOptions{})), "a"))
	m := must(tmpl.Render("", order{Name: "Ann\r\nBcc: eve@example.com"}))
	m.From, m.To = "shop@example.com", []string{"ann@example.com"}
	if _, err := m.Prepare(queued); err == nil || !strings.Contains(err.Error(), "mail: Subject: a line break") {
		t.Errorf("the error is %v", err)
	}
}

// TestTemplateFields holds that wrong names are found when a template is loaded.
func TestTemplateFields(t *testing.T) {
	for text, problem := range map[string]string{
		"{{.Naem}}":                                              "a.txt.tmpl:1:68: mail_test.order has no field or method Naem; did you mean Name?",
		"{{.Name.First}}":                                        "string has no field or method First",
		"{{range .Items}}{{.Titel}}{{end}}":                      "mail_test.item has no field or method Titel; did you mean Title?",
		"{{range $i, $x := .Items}}{{$x.A}}{{end}}":              "item has no field or method A",
		"{{range $x := .Items}}{{$x.A}}{{end}}":                  "item has no field or method A",
		"{{range .Items}}{{$.A}}{{end}}":                         "order has no field or method A",
		"{{range .Items}}{{else}}{{.A}}{{end}}":                  "order has no field or method A",
		"{{range .Each}}{{.A}}{{end}}":                           "item has no field or method A",
		"{{range .Name}}{{end}}":                                 "cannot range over string",
		"{{with .Buyer}}{{.Name}}{{end}}":                        "buyer has no field or method Name",
		"{{with .Buyer}}{{else}}{{.A}}{{end}}":                   "order has no field or method A",
		"{{if .A}}{{end}}":                                       "order has no field or method A",
		"{{if eq .Name .A}}{{end}}":                              "order has no field or method A",
		"{{.Name | printf \"%s %s\" .A}}":                        "order has no field or method A",
		"{{(index .Items 0).A}}":                                 "",
		"{{len (.A)}}":                                           "order has no field or method A",
		"{{$x := .Buyer}}{{$x.A}}":                               "buyer has no field or method A",
		"{{template \"none\" .}}":                                "no template \"none\" is defined",
		"{{define \"p\"}}{{.A}}{{end}}{{template \"p\" .Buyer}}": "buyer has no field or method A",
		"{{define \"p\"}}{{.A}}{{end}}{{template \"p\"}}":        "there is no data with a field A",
		"{{(first .).A}}":                                        "buyer has no field or method A",
		// What is right.
		"{{.Total}} {{.Buyer.Email}} {{.Buyer.Domain}} {{.Notes.anything}} {{.Any.Thing}} {{len .Items}}":                      "",
		"{{range $i, $x := .Items}}{{$i}}{{$x.Title}}{{end}}{{range 3}}{{.}}{{end}}":                                           "",
		"{{$x := .Name}}{{if .Name}}{{$x = .Buyer}}{{end}}{{$x.Email}}":                                                        "",
		"{{define \"p\"}}{{.Title}}{{if .Price}}{{template \"p\" .}}{{end}}{{end}}{{range .Items}}{{template \"p\" .}}{{end}}": "",
		"{{range $k, $v := .Notes}}{{$k}}{{$v}}{{end}}{{with $b := .Buyer}}{{$b.Email}}{{end}}":                                "",
	} {
		options := mail.TemplateOptions{Funcs: map[string]any{"first": func(o any) *buyer { return nil }}}
		set, err := mail.ParseTemplates(files("a.txt.tmpl", `{{define "subject"}}{{if .Total}}{{end}}A long subject here{{end}}`+text), options)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		_, err = mail.NewTemplate[order](set, "a")
		if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, not %q", text, err, problem)
		}
	}
}

func TestTemplatesRefuse(t *testing.T) {
	good := "a.txt.tmpl"
	for problem, pairs := range map[string][]string{
		"a.txt.tmpl defines no subject":                        {good, "Hello"},
		"function \"nope\" not defined":                        {good, subject + "{{nope .}}"},
		"unexpected EOF":                                       {good, subject + "{{if .}}"},
		"_p.txt.tmpl: template":                                {good, subject, "_p.txt.tmpl", "{{if .}}"},
		"b.html.tmpl has no b.txt.tmpl beside it":              {good, subject, "b.html.tmpl", "x"},
		"a.de.txt.tmpl has no a.de.html.tmpl beside it":        {good, subject, "a.html.tmpl", "x", "a.de.txt.tmpl", subject},
		"b.de.txt.tmpl has no b.txt.tmpl":                      {good, subject, "b.de.txt.tmpl", subject},
		"a.de-AT.txt.tmpl and a.de_at.txt.tmpl are the sa":     {good, subject, "a.de-AT.txt.tmpl", subject, "a.de_at.txt.tmpl", subject},
		"x/_p.txt.tmpl and y/_p.txt.tmpl are the same":         {good, subject, "x/_p.txt.tmpl", "", "y/_p.txt.tmpl", ""},
		"a.html.tmpl defines \"content\", and there is no _la": {good, subject, "a.html.tmpl", `{{define "content"}}x{{end}}`},
		"a.txt.tmpl defines \"content\", and there is no _lay": {good, subject + `{{define "content"}}x{{end}}`},
		"over 1048576 bytes":                                   {good, subject + strings.Repeat("a", 1<<20)},
	} {
		if _, err := mail.ParseTemplates(files(pairs...), mail.TemplateOptions{}); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v, not %s", err, problem)
		}
	}
	set := must(mail.ParseTemplates(files(good, subject, "a.html.tmpl", `<a href="{{.Name}}`, "b.txt.tmpl", subject), mail.TemplateOptions{}))
	if _, err := mail.NewTemplate[order](set, "a"); err == nil || !strings.Contains(err.Error(), "a.html.tmpl") {
		t.Errorf("HTML that ends in an attribute: %v", err)
	}
	if _, err := mail.NewTemplate[order](set, "bb"); err == nil || !strings.Contains(err.Error(), `did you mean "b"?`) {
		t.Errorf("a wrong name: %v", err)
	}
}

// TestTemplateBounds holds that neither a template nor its data fill the memory, and that a key
// that is missing is no "<no value>".
func TestTemplateBounds(t *testing.T) {
	set := must(mail.ParseTemplates(files(
		"a.txt.tmpl", subject+`{{range $i := 100000}}{{$i}}{{end}}`,
		"b.txt.tmpl", subject+`{{.Notes.missing}}`,
		"c.txt.tmpl", `{{define "subject"}}{{range $i := 100000}}{{$i}}{{end}}{{end}}`,
		"d.txt.tmpl", subject+`{{.Buyer.Email}}`,
	), mail.TemplateOptions{MaxSize: 1000}))
	for name, problem := range map[string]string{"a": "1000 bytes", "b": "no entry for key", "c": "998 bytes", "d": "nil pointer"} {
		_, err := must(mail.NewTemplate[order](set, name)).Render("", order{Notes: map[string]string{"a": "b"}})
		if err == nil || !strings.Contains(err.Error(), problem) || !strings.HasPrefix(err.Error(), "mail: template "+name+": ") {
			t.Errorf("%s: %v, not %s", name, err, problem)
		}
	}
}

func TestTemplateInlineCSS(t *testing.T) {
	set := must(mail.ParseTemplates(files("a.txt.tmpl", subject, "a.html.tmpl",
		`<html><head><style>p{color:red} @media (max-width:1px){p{color:blue}}</style></head><body><p>{{.Name}}</p></body></html>`), mail.TemplateOptions{InlineCSS: true}))
	m := must(must(mail.NewTemplate[order](set, "a")).Render("", order{Name: "<b>Ann</b>"}))
	if !strings.Contains(m.HTML, `<p style="color:red">&lt;b&gt;Ann&lt;/b&gt;</p>`) || !strings.Contains(m.HTML, "@media") {
		t.Errorf("HTML %s", m.HTML)
	}
}

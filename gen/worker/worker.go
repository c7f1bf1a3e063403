package worker

import (
	"fmt"
	"go/format"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker/source"
)

// Behavior says what a program writes for datatypes with its section.
type Behavior interface {
	// Name is the name of the section.
	Name() string
	// Worker returns what a program writes for a datatype that has the section, after the passes;
	// nil: nothing.
	Worker(d *model.Datatype) *Part
}

// Part is what a program writes for one section of a datatype: methods of the type that is named
// after the datatype, and the rest.
type Part struct {
	Doc        string   // sentences about the type, such as "It has a method for each kind of job."
	Fields     []string // of the type, beside DB: "SMTP @mail.SMTP // the servers"
	Implements string   // the generated interface, "JobQueueHandler"; "": none
	Types      []Decl   // that methods need
	Methods    []Method
	Wiring     []Wiring
	Helpers    []Decl // of the tests
	Tests      []Decl

	Imports map[string]string // that the text names, by name, beside those of every part
}

// Decl is a declaration at the top of a file.
type Decl struct {
	Name string
	Doc  []string
	Text string // without the comment
	With string // the method with which it comes; "": with the type
	For  string // what it is for, such as "kind image_optimize"
	Pos  model.Pos
}

// Method is a method of the type.
type Method struct {
	Name      string
	Doc       []string // its comment, which begins with the name
	Signature string   // "(ctx @context.Context, job *@generated.PingJob) error"
	Body      []string // lines; nil: it returns that it is not implemented
	Zero      string   // what it returns before that error: "@generated.Ping{}, "
	Hint      string   // a comment behind that return, on what the method has at hand
	Once      bool     // it comes with the type alone: a program may do without it
	For       string
	Pos       model.Pos
}

// Wiring is a statement of a function that ends in "return x".
type Wiring struct {
	Method bool   // of a method of the type; otherwise of a function of the package
	Func   string // "New", "Options"
	Text   string // %[1]s is x, %[2]s the receiver or first parameter; {} the type's literal
	Has    string // the field or the text that shows that it is there
	Not    string // the field that is taken where it is mentioned and Has is not; "": none
	Shared []Decl // that the function needs, the function itself included
	For    string
	Pos    model.Pos
}

// notImplemented is the body of a method that a person has to write.
func notImplemented(typeName string, m Method) string {
	line := fmt.Sprintf("\treturn %snotImplemented(%q)", m.Zero, typeName+"."+m.Name)
	if m.Hint != "" {
		line += " // " + m.Hint
	}
	return line + "\n"
}

// text is the method as a declaration.
func (m Method) text(typeName, receiver string) string {
	variable, _, named := strings.Cut(receiver, " ")
	if !named {
		variable, receiver = "w", "w "+receiver
	}
	body := notImplemented(typeName, m)
	if m.Body != nil {
		body = ""
		for _, line := range m.Body {
			body += "\t" + line + "\n"
		}
	}
	body = strings.ReplaceAll(body, "$", variable)
	return comment(m.Doc) + fmt.Sprintf("func (%s) %s%s {\n%s}\n", receiver, m.Name, m.Signature, body)
}

func (d Decl) text() string { return comment(d.Doc) + d.Text + "\n" }

// comment breaks lines where they come to 100 characters.
func comment(paragraphs []string) string {
	var b strings.Builder
	for i, p := range paragraphs {
		if i > 0 {
			b.WriteString("//\n")
		}
		if strings.HasPrefix(p, "\t") { // code
			fmt.Fprintf(&b, "//%s\n", p)
			continue
		}
		line := "//"
		for word := range strings.FieldsSeq(p) {
			if len(line)+1+len(word) > 100 && line != "//" {
				b.WriteString(line + "\n")
				line = "//"
			}
			line += " " + word
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// std are the packages that every part may name.
var std = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "slog": "log/slog", "testing": "testing", "time": "time",
	"json": "encoding/json", "http": "net/http", "httptest": "net/http/httptest",
	"store":     "github.com/hegner123/modulagen/runtime/store",
	"decimal":   "github.com/shopspring/decimal",
	"queue":     "github.com/hegner123/modulagen/runtime/queue",
	"queuetest": "github.com/hegner123/modulagen/runtime/queue/queuetest",
}

// Imports are the packages that the text of parts names.
func Imports(generated source.Import, parts []*Part) source.Imports {
	out := source.Imports{"generated": generated}
	for name, path := range std {
		out[name] = source.Import{Name: name, Path: path}
	}
	for _, p := range parts {
		for name, path := range p.Imports {
			out[name] = source.Import{Name: name, Path: path}
		}
	}
	return out
}

// Formatted is a declaration as gofmt prints it.
func Formatted(declaration string) string {
	const clause = "package p\n\n"
	text, err := format.Source([]byte(clause + declaration))
	if err != nil {
		panic("worker: " + err.Error() + "\n" + declaration) // the behavior's own text
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(text), clause), "\n")
}

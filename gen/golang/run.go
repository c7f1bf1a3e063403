package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// Run is what a behavior has a program do while it runs. One behavior may have Work; of one
// with neither Work nor Begin, only Print counts.
type Run struct {
	Fields []jen.Code        // of the struct Workers
	Doc    string            // a sentence about them, for its comment
	Print  func(f *jen.File) // prints what else DB has; nil: nothing

	// Works says what DB.Run does, as the lines of a comment that go on behind "Run ";
	// nil: there is only a Beside. Work ends the body of Run. Where it is not alone, it
	// may also do nothing, so that Run waits for what goes on beside.
	Works []string
	Work  func(alone bool) []jen.Code

	// Beside says what goes on meanwhile, likewise in one line, and Begin begins it in
	// the body of Run, with a defer that ends it.
	Beside string
	Begin  jen.Code

	// Opened is what Open does once the tables are there, from ctx and the core.DB s: an
	// expression of type error, with which Open fails. nil: nothing.
	Opened jen.Code
}

// runs are what the behaviors of a project have it do.
func runs(p *model.Project, behaviors []Behavior) []Run {
	var out []Run
	for _, b := range behaviors {
		var all []*model.Datatype
		for _, d := range p.Datatypes {
			if d.Section(b.Name()) != nil {
				all = append(all, d)
			}
		}
		if len(all) > 0 {
			out = append(out, b.Run(all))
		}
	}
	return out
}

// printOpened prints what Open does once the tables are there.
func printOpened(g *jen.Group, all []Run) {
	for _, r := range all {
		if r.Opened != nil {
			g.If(jen.Err().Op(":=").Add(r.Opened), jen.Err().Op("!=").Nil()).Block(
				jen.Return(jen.Nil(), jen.Qual("errors", "Join").Call(jen.Err(), jen.Id("s").Dot("Close").Call())))
		}
	}
}

// printRun prints Workers and Run, if there is anything to run. A project in which
// things only go on beside has no workers to wait for.
func printRun(f *jen.File, all []Run) {
	var runs []Run
	for _, r := range all {
		switch {
		case r.Work != nil || r.Begin != nil:
			runs = append(runs, r)
		case r.Print != nil:
			r.Print(f)
		}
	}
	if len(runs) == 0 {
		return
	}
	doc := "Workers are the handlers of a program."
	for _, r := range runs {
		if r.Doc != "" {
			doc += " " + r.Doc
		}
	}
	f.Add(code.Comment(doc))
	f.Type().Id("Workers").StructFunc(func(g *jen.Group) {
		for _, r := range runs {
			for _, field := range r.Fields {
				g.Add(field)
			}
		}
	})
	f.Line()
	for _, r := range runs {
		if r.Print != nil {
			r.Print(f)
		}
	}
	f.Add(code.Comment(runDoc(runs)...))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Run").Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("w").Id("Workers")).Error().Block(
		jen.Return(jen.Id("db").Dot("store").Dot("WhileOpen").Call(jen.Id("ctx"),
			jen.Func().Params(jen.Id("ctx").Qual("context", "Context")).Error().BlockFunc(func(g *jen.Group) { runBody(g, runs) }))))
	f.Line()
}

func runBody(g *jen.Group, runs []Run) {
	for _, r := range runs {
		if r.Begin != nil {
			g.Add(r.Begin)
		}
	}
	alone := len(runs) == 1
	for _, r := range runs {
		if r.Work == nil {
			continue
		}
		for _, statement := range r.Work(alone) {
			g.Add(statement)
		}
		if alone {
			return
		}
	}
	g.Op("<-").Id("ctx").Dot("Done").Call()
	g.Return(jen.Nil())
}

func runDoc(runs []Run) []string {
	var doc []string
	for _, r := range runs {
		doc = append(doc, r.Works...)
	}
	if len(doc) > 0 {
		doc[0] = "Run " + doc[0]
	}
	for _, r := range runs {
		switch {
		case r.Beside == "":
		case doc == nil:
			doc = []string{"Run " + r.Beside + ", until ctx ends."}
		default:
			doc[len(doc)-1] += " Meanwhile it"
			doc = append(doc, r.Beside+".")
		}
	}
	return append(doc, "If db is closed before ctx ends, Run stops and returns store.ErrClosed.")
}

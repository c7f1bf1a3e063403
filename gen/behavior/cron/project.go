package cron

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/cache"
	"github.com/hegner123/modulagen/gen/behavior/mail"
	"github.com/hegner123/modulagen/gen/behavior/publish"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/behavior/retain"
	"github.com/hegner123/modulagen/gen/behavior/webhook"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// The packages that do what actions ask of datatypes.
const (
	publishPath  = "github.com/hegner123/modulagen/runtime/publish"
	backendPath  = "github.com/hegner123/modulagen/runtime/cache/backend"
	tablePath    = "github.com/hegner123/modulagen/runtime/cache/table"
	mailPath     = "github.com/hegner123/modulagen/runtime/mail"
	outboxPath   = mailPath + "/outbox"
	deliveryPath = "github.com/hegner123/modulagen/runtime/webhook/delivery"
)

func project(name string) *jen.Statement { return jen.Qual(projectPath, name) }

// project prints what actions can do with the datatypes of the project.
func (p printer) project(f *jen.File) {
	f.Func().Id(projectName(p.D)).Params(jen.Id("db").Op("*").Add(code.Core("DB"))).Op("*").Add(project("Project")).Block(
		jen.Return(jen.Op("&").Add(project("Project")).Values(jen.Dict{
			jen.Id("DB"): jen.Id("db"),
			jen.Id("Datatypes"): jen.Index().Add(project("Datatype")).ValuesFunc(func(g *jen.Group) {
				for _, d := range p.s.All {
					if d.AddedFor == "" {
						g.Line().Values(p.offers(d))
					}
				}
				g.Line()
			}),
		})),
	)
	f.Line()
}

// offers are what actions can do with one datatype.
func (p printer) offers(d *model.Datatype) jen.Dict {
	dict := jen.Dict{
		jen.Id("Name"):  jen.Lit(d.Name),
		jen.Id("Rows"):  specOf(d),
		jen.Id("New"):   made(d.GoRow + "New"),
		jen.Id("Patch"): made(d.GoRow + "Patch"),
	}
	if s := publish.Of(d); s != nil && s.Scheduled != "" {
		dict[jen.Id("Publish")] = hook(jen.Int64()).Block(jen.Return(jen.Qual(publishPath, "Due").Call(
			jen.Id("ctx"), bound(d), jen.Op("&").Id(publish.VariableName(d)))))
	}
	if d.Section(cache.Name) != nil {
		of := jen.Op("&").Id(cache.VariableName(d))
		dict[jen.Id("Cache")] = jen.Func().Params(adapter.Conn()).Qual(backendPath, "Backend").Block(
			jen.Return(jen.Id(d.GoRow + "Table").Values(bound(d)).Dot("CacheBackend").Call()))
		dict[jen.Id("Sweep")] = hook(jen.Int64()).Block(jen.Return(jen.Qual(tablePath, "Sweep").Call(jen.Id("ctx"), jen.Id("c"), of)))
		dict[jen.Id("Invalidate")] = hook(jen.Int64(), jen.Id("tags").Index().String()).Block(
			jen.Return(jen.Qual(tablePath, "Invalidate").Call(jen.Id("ctx"), jen.Id("c"), of, jen.Id("tags"))))
	}
	if q := queue.Of(d); q != nil && len(q.Kinds) > 0 {
		dict[jen.Id("Kinds")] = kinds(d, q)
	}
	if mail.Of(d) != nil {
		message := jen.Id("m").Add(project("Message"))
		spec := jen.Op("&").Id(mail.SpecName(d))
		dict[jen.Id("CheckMessage")] = jen.Func().Params(message).Error().Block(jen.Return(jen.Qual(outboxPath, "CheckMessage").Call(spec, sent())))
		dict[jen.Id("Send")] = hook(jen.Int64(), message).Block(jen.Return(jen.Qual(outboxPath, "SendOne").Call(jen.Id("ctx"), jen.Id("c"), spec, sent())))
	}
	if s := retain.Of(d); s != nil {
		dict[jen.Id("Cleanup")] = jen.Id(retain.Variable(d)).Dot("Cleanup")
		if s.Sessions {
			dict[jen.Id("Sessions")] = jen.True()
		}
	}
	if s := webhook.Of(d); s != nil && s.Named() {
		dict[jen.Id("Deliver")] = jen.Qual(deliveryPath, "Deliverer").Call(jen.Op("&").Id(webhook.SpecName(d)), jen.Lit("cron"))
	}
	return dict
}

// made prints a function that makes a value of a type.
func made(of string) jen.Code {
	return jen.Func().Params().Any().Block(jen.Return(jen.New(jen.Id(of))))
}

func specOf(d *model.Datatype) *jen.Statement { return jen.Op("&").Id(code.Table{D: d}.Spec()) }

func bound(d *model.Datatype) *jen.Statement {
	return code.Core("Bind").Call(jen.Id("c"), specOf(d))
}

// hook begins a function of a datatype: it returns a value and an error.
func hook(value jen.Code, params ...jen.Code) *jen.Statement {
	return jen.Func().Params(append([]jen.Code{code.Ctx(), adapter.Conn()}, params...)...).Params(value, jen.Error())
}

// kinds prints the kinds of jobs of a queue.
func kinds(d *model.Datatype, q *queue.Section) jen.Code {
	dict := jen.Dict{}
	for _, k := range q.Kinds {
		results := []jen.Code{jen.Id("row")}
		if k.Policy.Unique != nil {
			results = append(results, jen.Id("_"))
		}
		dict[jen.Lit(k.Name)] = project("KindOf").Call(jen.Lit(k.Name), jen.Id(queue.RulesName(k)),
			hook(jen.Any(), jen.Id("p").Id(k.GoName)).Block(
				jen.Id("t").Op(":=").Id(d.GoRow+"Table").Values(bound(d)),
				jen.List(append(results, jen.Err())...).Op(":=").Id("t").Dot("Enqueue"+k.GoName).Call(jen.Id("ctx"), jen.Id("p")),
				jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
				jen.Return(jen.Id("row").Dot("ID"), jen.Nil()),
			))
	}
	return jen.Map(jen.String()).Add(project("Kind")).Values(dict)
}

// sent is a message of an action as one of mail.
func sent() jen.Code {
	dict := jen.Dict{}
	for _, name := range []string{"From", "To", "Subject", "HTML", "Plain", "IdempotencyKey"} {
		dict[jen.Id(name)] = jen.Id("m").Dot(name)
	}
	return jen.Qual(mailPath, "Message").Values(dict)
}

package golang

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// printDB prints what holds the tables together: DB, Tx, Open and the schema.
func printDB(f *jen.File, p *model.Project, hasQueries bool) {
	f.PackageComment("Package " + p.Config.Package + " is typed access to the datatypes of this project.")
	f.PackageComment("It is generated from their definitions by modulagen.")
	ctx := jen.Id("ctx").Qual("context", "Context")

	f.Comment("This file was generated for this version of the runtime. Where the name does")
	f.Comment("not exist, run modulagen generate again.")
	f.Const().Id("_").Op("=").Add(store("GeneratedForRuntime2"))
	f.Line()
	f.Add(comment("Options of Open; the zero value is sensible."))
	f.Type().Id("Options").Op("=").Add(store("Options"))
	f.Line()
	printTables(f, p, hasQueries)

	f.Add(comment(
		"DB is an open database. Its tables' methods each are a transaction of their",
		"own; Tx makes one of several.",
	))
	f.Type().Id("DB").Struct(jen.Id("Tables"), jen.Line().Id("store").Op("*").Add(store("DB")))
	f.Line()
	f.Add(comment("Tx is a transaction: what it writes is seen by others when it has ended, or never."))
	f.Type().Id("Tx").Struct(jen.Id("Tables"), jen.Line().Id("conn").Op("*").Add(store("Conn")))
	f.Line()

	f.Add(comment(
		"Open opens the database that a DSN names: \"sqlite:app.db\", \"sqlite::memory:\",",
		"\"postgres://...\" or \"mysql://...\". It creates tables that are missing, and returns",
		"an error that is store.ErrSchema when existing ones do not match. The program",
		"imports the driver: _ \""+storePath+"/sqlite\", /postgres or /mysql.",
	))
	f.Func().Id("Open").Params(ctx, jen.Id("dsn").String(), jen.Id("opts").Id("Options")).Params(jen.Op("*").Id("DB"), jen.Error()).Block(
		jen.List(jen.Id("s"), jen.Err()).Op(":=").Add(store("Open")).Call(jen.Id("ctx"), jen.Id("dsn"), jen.Op("&").Id("schema"), jen.Id("opts")),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Return(jen.Op("&").Id("DB").Values(jen.Id("Tables").Op(":").Id("bind").Call(jen.Id("s").Dot("Conn").Call()), jen.Id("store").Op(":").Id("s")), jen.Nil()),
	)
	f.Line()
	f.Add(comment(
		"Tx runs fn in a transaction and commits it when fn returns nil. A conflict with",
		"another transaction runs fn again, a bounded number of times: fn must do nothing",
		"that cannot be done twice, but through tx.",
	))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Tx").Params(ctx, jen.Id("fn").Func().Params(jen.Id("tx").Op("*").Id("Tx")).Error()).Error().Block(
		jen.Return(jen.Id("db").Dot("store").Dot("Tx").Call(jen.Id("ctx"), jen.Func().Params(jen.Id("c").Op("*").Add(store("Conn"))).Error().Block(
			jen.Return(jen.Id("fn").Call(jen.Op("&").Id("Tx").Values(jen.Id("Tables").Op(":").Id("bind").Call(jen.Id("c")), jen.Id("conn").Op(":").Id("c")))),
		))),
	)
	f.Line()
	f.Add(comment("Close ends the database's connections; what runs ends first."))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Close").Params().Error().Block(jen.Return(jen.Id("db").Dot("store").Dot("Close").Call()))
	f.Line()
	f.Add(comment("Store returns the database below the tables, for SQL of your own."))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Store").Params().Op("*").Add(store("DB")).Block(jen.Return(jen.Id("db").Dot("store")))
	f.Line()
	f.Add(comment("Conn returns the transaction below the tables, for SQL of your own."))
	f.Func().Params(jen.Id("tx").Op("*").Id("Tx")).Id("Conn").Params().Op("*").Add(store("Conn")).Block(jen.Return(jen.Id("tx").Dot("conn")))
	f.Line()
	printSchema(f, p)
	printWorkers(f, p)
}

func printTables(f *jen.File, p *model.Project, hasQueries bool) {
	f.Add(comment("Tables are the datatypes of this project."))
	f.Type().Id("Tables").StructFunc(func(g *jen.Group) {
		for _, d := range own(p) {
			g.Id(d.GoAccessor).Id(d.GoRow + "Table").Comment(commentLine(d.Label)[3:])
		}
		if hasQueries {
			g.Id("Queries").Id("Queries").Comment("the project's own queries")
		}
	})
	f.Line()
	f.Func().Id("bind").Params(jen.Id("c").Op("*").Add(store("Conn"))).Id("Tables").Block(
		jen.Return(jen.Id("Tables").Values(jen.DictFunc(func(dict jen.Dict) {
			for _, d := range own(p) {
				dict[jen.Id(d.GoAccessor)] = jen.Id(d.GoRow + "Table").Values(
					jen.Add(store("Bind")).Call(jen.Id("c"), jen.Op("&").Id(tablePrinter{d: d}.specName())))
			}
			if hasQueries {
				dict[jen.Id("Queries")] = jen.Id("Queries").Values(jen.Id("c"))
			}
		}))),
	)
	f.Line()
}

// own returns the datatypes that a person has defined.
func own(p *model.Project) []*model.Datatype {
	return slices.DeleteFunc(slices.Clone(p.Datatypes), func(d *model.Datatype) bool { return d.AddedFor != "" })
}

func printSchema(f *jen.File, p *model.Project) {
	for _, db := range model.Databases {
		f.Comment("//go:embed sql/" + string(db) + "/schema.sql")
		f.Var().Id(string(db) + "Schema").String()
		f.Line()
	}
	f.Anon("embed")
	f.Add(comment("schema is what Open creates, and what it compares existing tables with."))
	f.Var().Id("schema").Op("=").Add(store("Schema")).Values(jen.Dict{
		jen.Id("DDL"): jen.Index(jen.Lit(3)).String().ValuesFunc(func(g *jen.Group) {
			for _, db := range model.Databases {
				g.Id(string(db) + "Schema")
			}
		}),
		jen.Id("Tables"): jen.Index().Add(store("TableDef")).ValuesFunc(func(g *jen.Group) {
			for _, d := range p.Datatypes {
				g.Line().Id(goname.Unexported(d.GoRow) + "TableDef")
			}
			g.Line()
		}),
	})
	f.Line()
}

// printWorkers prints how a program runs its queues and keeps its caches small,
// if it has any.
func printWorkers(f *jen.File, p *model.Project) {
	var queues, caches []*model.Datatype
	for _, d := range p.Datatypes {
		if d.Worker != nil {
			queues = append(queues, d)
		}
		if d.Cache != nil {
			caches = append(caches, d)
		}
	}
	if len(queues)+len(caches) == 0 {
		return
	}
	f.Add(comment("Workers are the handlers of a program. A queue whose handler is nil is not worked."))
	f.Type().Id("Workers").StructFunc(func(g *jen.Group) {
		for _, d := range queues {
			g.Id(d.GoAccessor).Id(d.GoRow + "Handler")
			g.Id(d.GoAccessor+"Options").Qual(queuePath, "Options")
		}
	})
	f.Line()
	if len(queues) > 0 {
		printQueues(f, queues)
	}
	printRun(f, queues, caches)
}

func printQueues(f *jen.File, queues []*model.Datatype) {
	f.Func().Params(jen.Id("w").Id("Workers")).Id("queues").Params(jen.Id("db").Op("*").Id("DB")).Index().Qual(queuePath, "Runner").BlockFunc(func(g *jen.Group) {
		g.Var().Id("out").Index().Qual(queuePath, "Runner")
		for _, d := range queues {
			g.If(jen.Id("w").Dot(d.GoAccessor).Op("!=").Nil()).Block(
				jen.Id("out").Op("=").Append(jen.Id("out"), jen.Qual(queuePath, "New").Call(
					jen.Id("db").Dot("store"), jen.Op("&").Id(queueName(d)), jen.Id(handleName(d)).Call(jen.Id("w").Dot(d.GoAccessor)), jen.Id("w").Dot(d.GoAccessor+"Options"),
				)))
		}
		g.Return(jen.Id("out"))
	})
	f.Line()
	f.Add(comment(
		"Drain runs all that is due, and what that adds, and returns when nothing is left",
		"that is due; rows that wait for a later time stay.",
	))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Drain").Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("w").Id("Workers")).Error().Block(
		jen.Return(jen.Qual(queuePath, "Drain").Call(jen.Id("ctx"), jen.Id("w").Dot("queues").Call(jen.Id("db")).Op("..."))),
	)
	f.Line()
}

// printRun prints Run. A project without caches has nothing to do where no
// handler is given, and says so.
func printRun(f *jen.File, queues, caches []*model.Datatype) {
	doc := []string{"Run works every queue that has a handler until ctx ends, lets running handlers", "finish, and returns when the last has ended."}
	switch {
	case len(queues) == 0:
		doc = []string{"Run removes from caches what has expired or is too much, until ctx ends."}
	case len(caches) > 0:
		doc[1] += " Meanwhile it"
		doc = append(doc, "removes from caches what has expired or is too much.")
	}
	f.Add(comment(doc...))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Run").Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("w").Id("Workers")).Error().BlockFunc(func(g *jen.Group) {
		if len(caches) > 0 {
			g.Defer().Add(cacheOf("Maintain")).CallFunc(func(g *jen.Group) {
				g.Id("db").Dot("store")
				for _, d := range caches {
					g.Op("&").Id(cacheName(d))
				}
			}).Call()
		}
		run := jen.Return(jen.Qual(queuePath, "Run").Call(jen.Id("ctx"), jen.Id("queues").Op("...")))
		switch {
		case len(caches) == 0:
			g.Return(jen.Qual(queuePath, "Run").Call(jen.Id("ctx"), jen.Id("w").Dot("queues").Call(jen.Id("db")).Op("...")))
			return
		case len(queues) > 0:
			g.If(jen.Id("queues").Op(":=").Id("w").Dot("queues").Call(jen.Id("db")), jen.Len(jen.Id("queues")).Op(">").Lit(0)).Block(run)
		}
		g.Op("<-").Id("ctx").Dot("Done").Call()
		g.Return(jen.Nil())
	})
	f.Line()
}

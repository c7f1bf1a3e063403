package golang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// printDB prints what holds the tables together: DB, Tx, Open and the schema.
func printDB(f *jen.File, p *model.Project, behaviors []Behavior, hasQueries bool) {
	f.PackageComment("Package " + p.Config.Package + " is typed access to the datatypes of this project.")
	f.PackageComment("It is generated from their definitions by modulagen.")
	ctx, all := jen.Id("ctx").Qual("context", "Context"), runs(p, behaviors)

	f.Comment("This file was generated for this version of the runtime. Where the name does")
	f.Comment("not exist, run modulagen generate again.")
	f.Const().Id("_").Op("=").Add(code.Core("GeneratedForRuntime3"))
	f.Line()
	f.Add(code.Comment("Options of Open; the zero value is sensible."))
	f.Type().Id("Options").Op("=").Add(code.Store("Options"))
	f.Line()
	f.Add(code.Comment("TxOptions are how a transaction of TxWith runs."))
	f.Type().Id("TxOptions").Op("=").Add(code.Store("TxOptions"))
	f.Line()
	printTables(f, p, hasQueries)

	f.Add(code.Comment(
		"DB is an open database. Its tables' methods each are a transaction of their",
		"own; Tx makes one of several.",
	))
	f.Type().Id("DB").Struct(jen.Id("Tables"), jen.Line().Id("store").Op("*").Add(code.Core("DB")))
	f.Line()
	f.Add(code.Comment("Tx is a transaction: what it writes is seen by others when it has ended, or never."))
	f.Type().Id("Tx").Struct(jen.Id("Tables"), jen.Line().Id("conn").Op("*").Add(code.Core("Conn")))
	f.Line()

	f.Add(openComment(p))
	f.Func().Id("Open").Params(ctx, jen.Id("dsn").String(), jen.Id("opts").Id("Options")).Params(jen.Op("*").Id("DB"), jen.Error()).BlockFunc(func(g *jen.Group) {
		g.List(jen.Id("s"), jen.Err()).Op(":=").Add(code.Core("Open")).Call(jen.Id("ctx"), jen.Id("dsn"), jen.Op("&").Id("schema"), jen.Id("opts"))
		g.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err()))
		if len(p.Migrations) > 0 {
			printMigratedOpened(g, all)
		} else {
			printOpened(g, all)
		}
		g.Return(jen.Op("&").Id("DB").Values(jen.Id("Tables").Op(":").Id("bind").Call(jen.Id("s").Dot("Conn").Call()), jen.Id("store").Op(":").Id("s")), jen.Nil())
	})
	f.Line()
	printTx(f, ctx)
	f.Add(code.Comment("Close ends the database's connections; what runs ends first."))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Close").Params().Error().Block(jen.Return(jen.Id("db").Dot("store").Dot("Close").Call()))
	f.Line()
	f.Add(code.Comment("Store returns the database below the tables, for SQL of your own."))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Store").Params().Op("*").Add(code.Core("DB")).Block(jen.Return(jen.Id("db").Dot("store")))
	f.Line()
	f.Add(code.Comment("Conn returns the transaction below the tables, for SQL of your own."))
	f.Func().Params(jen.Id("tx").Op("*").Id("Tx")).Id("Conn").Params().Op("*").Add(code.Core("Conn")).Block(jen.Return(jen.Id("tx").Dot("conn")))
	f.Line()
	printSchema(f, p)
	if len(p.Migrations) > 0 {
		printMigrations(f, p, all)
	}
	printRun(f, all)
}

// printTx prints the transactions.
func printTx(f *jen.File, ctx jen.Code) {
	fn := jen.Id("fn").Func().Params(jen.Id("tx").Op("*").Id("Tx")).Error()
	f.Add(code.Comment(
		"Tx runs fn in a transaction and commits it when fn returns nil. A conflict with",
		"another transaction runs fn again, a bounded number of times: fn must do nothing",
		"that cannot be done twice, but through tx. It does not keep others from changing what fn",
		"has read: for a write that depends on a read see GetForUpdate, UpdateIf and store.Add.",
	))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Tx").Params(ctx, fn).Error().Block(
		jen.Return(jen.Id("db").Dot("TxWith").Call(jen.Id("ctx"), jen.Id("TxOptions").Values(), jen.Id("fn"))),
	)
	f.Line()
	f.Add(code.Comment(
		"TxWith is Tx of a transaction that is isolated further, or only reads. Where it must not be",
		"interleaved with others in any way, store.Serializable has the database see to that.",
	))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("TxWith").Params(ctx, jen.Id("opts").Id("TxOptions"), fn).Error().Block(
		jen.Return(jen.Id("db").Dot("store").Dot("TxWith").Call(jen.Id("ctx"), jen.Id("opts"), jen.Func().Params(jen.Id("c").Op("*").Add(code.Core("Conn"))).Error().Block(
			jen.Return(jen.Id("fn").Call(jen.Op("&").Id("Tx").Values(jen.Id("Tables").Op(":").Id("bind").Call(jen.Id("c")), jen.Id("conn").Op(":").Id("c")))),
		))),
	)
	f.Line()
}

func openComment(p *model.Project) jen.Code {
	if len(p.Config.Databases) > 0 {
		return targetedComment(p)
	}
	tables := []string{
		"\"postgres://...\" or \"mysql://...\". It creates tables that are missing, and returns",
		"an error that is store.ErrSchema when existing ones do not match. The program",
	}
	if len(p.Migrations) > 0 {
		tables = []string{
			"\"postgres://...\" or \"mysql://...\". It creates the tables of a new database. One that",
			"lacks migrations, or does not match, is an error that is store.ErrSchema;",
			"Options{Migrate: store.MigrateUp} has Open apply what is missing. The program",
		}
	}
	lines := append([]string{"Open opens the database that a DSN names: \"sqlite:app.db\", \"sqlite::memory:\","}, tables...)
	return code.Comment(append(lines, "imports the driver: _ \""+code.StorePath+"/sqlite\", /postgres or /mysql.")...)
}

// targetedComment is the comment of Open in a project that names its databases.
func targetedComment(p *model.Project) jen.Code {
	examples := map[model.Database]string{
		model.SQLite: `"sqlite:app.db", "sqlite::memory:"`, model.Postgres: `"postgres://..."`, model.MySQL: `"mysql://..."`,
	}
	var dsns, drivers []string
	for _, db := range p.Databases() {
		dsns = append(dsns, examples[db])
		drivers = append(drivers, fmt.Sprintf("_ %q", code.StorePath+"/"+string(db)))
	}
	lines := []string{
		"Open opens the database that a DSN names: " + strings.Join(dsns, ", ") + ".",
		"The project targets " + model.List(p.Databases()) + " (databases in modulagen.yaml); the DSN of another database is refused.",
	}
	if len(p.Migrations) > 0 {
		lines = append(lines,
			"It creates the tables of a new database. One that lacks migrations, or does not match, is an error that is",
			"store.ErrSchema; Options{Migrate: store.MigrateUp} has Open apply what is missing.")
	} else {
		lines = append(lines,
			"It creates tables that are missing, and returns an error that is store.ErrSchema when existing ones do not",
			"match.")
	}
	return code.Comment(append(lines, "The program imports the driver: "+strings.Join(drivers, " or ")+".")...)
}

func printTables(f *jen.File, p *model.Project, hasQueries bool) {
	f.Add(code.Comment("Tables are the datatypes of this project."))
	f.Type().Id("Tables").StructFunc(func(g *jen.Group) {
		for _, d := range defined(p) {
			g.Id(d.GoAccessor).Id(d.GoRow + "Table").Comment(code.CommentLine(d.Label)[3:])
		}
		if hasQueries {
			g.Id("Queries").Id("Queries").Comment("the project's own queries")
		}
	})
	f.Line()
	f.Func().Id("bind").Params(jen.Id("c").Op("*").Add(code.Core("Conn"))).Id("Tables").Block(
		jen.Return(jen.Id("Tables").Values(jen.DictFunc(func(dict jen.Dict) {
			for _, d := range defined(p) {
				dict[jen.Id(d.GoAccessor)] = jen.Id(d.GoRow + "Table").Values(
					jen.Add(code.Core("Bind")).Call(jen.Id("c"), jen.Op("&").Id(code.Table{D: d}.Spec())))
			}
			if hasQueries {
				dict[jen.Id("Queries")] = jen.Id("Queries").Values(jen.Id("c"))
			}
		}))),
	)
	f.Line()
}

// defined returns the datatypes that a person has defined.
func defined(p *model.Project) []*model.Datatype {
	return slices.DeleteFunc(slices.Clone(p.Datatypes), func(d *model.Datatype) bool { return d.AddedFor != "" })
}

func printSchema(f *jen.File, p *model.Project) {
	for _, db := range p.Databases() {
		f.Comment("//go:embed sql/" + string(db) + "/schema.sql")
		f.Var().Id(string(db) + "Schema").String()
		f.Line()
	}
	f.Anon("embed")
	f.Add(code.Comment("schema is what Open creates, and what it compares existing tables with."))
	dict := jen.Dict{
		jen.Id("DDL"): jen.Index(jen.Lit(3)).String().ValuesFunc(func(g *jen.Group) {
			for _, db := range model.Databases {
				if p.Targets(db) {
					g.Id(string(db) + "Schema")
				} else {
					g.Lit("")
				}
			}
		}),
		jen.Id("Tables"): jen.Index().Add(code.Core("TableDef")).ValuesFunc(func(g *jen.Group) {
			for _, d := range p.Datatypes {
				g.Line().Id(goname.Unexported(d.GoRow) + "TableDef")
			}
			g.Line()
		}),
	}
	if len(p.Config.Databases) > 0 {
		dict[jen.Id("Targets")] = jen.Index().String().ValuesFunc(func(g *jen.Group) {
			for _, db := range p.Databases() {
				g.Lit(string(db))
			}
		})
	}
	if len(p.Migrations) > 0 {
		dict[jen.Id("Ensure")] = jen.Id("migrations").Dot("Ensure")
	}
	f.Var().Id("schema").Op("=").Add(code.Core("Schema")).Values(dict)
	f.Line()
}

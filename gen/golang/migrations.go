package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// MigrationsFolder is where the generated package has the SQL of migrations.
const MigrationsFolder = "sql/migrations"

const migratePath = code.StorePath + "/migrate"

// printMigrations prints the list of a project's migrations, and what applies them from code.
func printMigrations(f *jen.File, p *model.Project, all []Run) {
	f.Comment("//go:embed " + MigrationsFolder)
	f.Var().Id("migrationFiles").Qual("embed", "FS")
	f.Line()
	f.Add(code.Comment("migrations lead from what databases were to what they are, in order."))
	f.Var().Id("migrations").Op("=").Qual(migratePath, "Set").Values(jen.Dict{
		jen.Id("Files"):  jen.Id("migrationFiles"),
		jen.Id("Folder"): jen.Lit(MigrationsFolder),
		jen.Id("List"): jen.Index().Qual(migratePath, "Migration").ValuesFunc(func(g *jen.Group) {
			for _, m := range p.Migrations {
				values := []jen.Code{jen.Id("Name").Op(":").Lit(m.Name)}
				if m.Parent != "" {
					values = append(values, jen.Id("Parent").Op(":").Lit(m.Parent))
				}
				values = append(values, jen.Id("Checksums").Op(":").Index(jen.Lit(3)).String().ValuesFunc(func(g *jen.Group) {
					for _, sum := range m.Checksums {
						g.Line().Lit(sum)
					}
					g.Line()
				}))
				g.Line().Values(values...)
			}
			g.Line()
		}),
	})
	f.Line()
	f.Add(code.Comment(
		"Migrate applies the migrations that the database lacks, and compares its tables with the",
		"definitions, for a program that opened it with Options{Migrate: store.MigrateManual}; until then",
		"the other methods may fail. While another process migrates, it waits, as long as",
		"Options.MigrateWait says. A step that fails is a *store.MigrationError (store.ErrMigration): what",
		"was done before is recorded, and the next call goes on there. A database that does not match,",
		"or is newer than the program, is a *store.SchemaError (store.ErrSchema).",
	))
	f.Func().Params(jen.Id("db").Op("*").Id("DB")).Id("Migrate").Params(jen.Id("ctx").Qual("context", "Context")).Error().BlockFunc(func(g *jen.Group) {
		migrate := jen.Id("migrations").Dot("Migrate").Call(jen.Id("ctx"), jen.Id("db").Dot("store"), jen.Op("&").Id("schema"))
		if !opens(all) {
			g.Return(migrate)
			return
		}
		g.If(jen.Err().Op(":=").Add(migrate), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err()))
		g.Return(jen.Id("opened").Call(jen.Id("ctx"), jen.Id("db").Dot("store")))
	})
	f.Line()
	if opens(all) {
		f.Add(code.Comment("opened is what is done once the tables are there."))
		f.Func().Id("opened").Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("s").Op("*").Add(code.Core("DB"))).Error().BlockFunc(func(g *jen.Group) {
			for _, r := range all {
				if r.Opened != nil {
					g.If(jen.Err().Op(":=").Add(r.Opened), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err()))
				}
			}
			g.Return(jen.Nil())
		})
		f.Line()
	}
}

// opens reports whether some behavior does something once the tables are there.
func opens(all []Run) bool {
	for _, r := range all {
		if r.Opened != nil {
			return true
		}
	}
	return false
}

// printMigratedOpened prints what Open does of a project with migrations once the database is
// open: nothing with tables that are not there yet.
func printMigratedOpened(g *jen.Group, all []Run) {
	failed := func(err jen.Code) jen.Code {
		return jen.If(jen.Err().Op(":=").Add(err), jen.Err().Op("!=").Nil()).Block(
			jen.Return(jen.Nil(), jen.Qual("errors", "Join").Call(jen.Err(), jen.Id("s").Dot("Close").Call())))
	}
	manual := jen.Id("opts").Dot("Migrate").Op("!=").Add(code.Store("MigrateManual"))
	g.If(manual).BlockFunc(func(g *jen.Group) {
		g.Add(failed(jen.Id("migrations").Dot("Announce").Call(jen.Id("ctx"), jen.Id("s"))))
		if opens(all) {
			g.Add(failed(jen.Id("opened").Call(jen.Id("ctx"), jen.Id("s"))))
		}
	})
}

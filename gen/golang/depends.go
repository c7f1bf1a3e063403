package golang

import (
	"github.com/dave/jennifer/jen"
)

// invalidating prints the writes of a datatype that caches depend on. They take
// the place of the table's own: each is a transaction, or part of the caller's,
// in which the entries that were made of the rows are removed too.
func (t tablePrinter) invalidating(f *jen.File) {
	ctx := jen.Id("ctx").Qual("context", "Context")
	id, row := jen.Id(t.idType()), jen.Op("*").Id(t.d.GoRow)
	rowNew, rowPatch := jen.Id(t.d.GoRow+"New"), jen.Id(t.d.GoRow+"Patch")
	one := func(id jen.Code) jen.Code { return jen.Index().Any().Values(id) }

	t.shadow(f, "Create", "Create adds a row.", []jen.Code{ctx, jen.Id("n").Add(rowNew)}, row, []jen.Code{jen.Id("n")}, one(jen.Id("out").Dot("ID")))
	t.shadow(f, "CreateMany", "CreateMany adds all the rows, or none.", []jen.Code{ctx, jen.Id("ns").Index().Add(rowNew)}, jen.Index().Add(id),
		[]jen.Code{jen.Id("ns")}, cacheOf("IDs").Call(jen.Id("out")))
	t.shadow(f, "Update", "Update sets the columns that the patch sets.", []jen.Code{ctx, jen.Id("id").Add(id), jen.Id("p").Add(rowPatch)}, row,
		[]jen.Code{jen.Id("id"), jen.Id("p")}, one(jen.Id("id")))
	if len(t.d.Keys()) > 0 {
		t.shadow(f, "UpsertUnique", "UpsertUnique adds a row, or changes the one that has the key.",
			[]jen.Code{ctx, jen.Id("key").Int(), jen.Id("n").Add(rowNew)}, row, []jen.Code{jen.Id("key"), jen.Id("n")}, one(jen.Id("out").Dot("ID")))
	}
	t.shadow(f, "Delete", "Delete removes a row.", []jen.Code{ctx, jen.Id("id").Add(id)}, nil, []jen.Code{jen.Id("id")}, one(jen.Id("id")))
	t.shadow(f, "DeleteWhere", "DeleteWhere removes the rows that where keeps.", []jen.Code{ctx, jen.Id("where").Add(store("Cond").Types(id.Clone()))}, jen.Int64(),
		[]jen.Code{jen.Id("where")}, cacheOf("AllIDs").Call())
}

// shadow prints one write, in which the store's is followed by the removal of
// what was made of the rows: those with ids.
func (t tablePrinter) shadow(f *jen.File, name, doc string, params []jen.Code, result jen.Code, args []jen.Code, ids jen.Code) {
	f.Add(comment(doc, "In the same transaction, what caches hold of it is removed."))
	results := []jen.Code{jen.Err().Error()}
	assigned := jen.Err()
	if result != nil {
		results = []jen.Code{jen.Id("out").Add(result), jen.Err().Error()}
		assigned = jen.List(jen.Id("out"), jen.Err())
	}
	call := jen.Id("in").Dot(name).Call(append([]jen.Code{jen.Id("ctx")}, args...)...)
	f.Func().Params(jen.Id("t").Op("*").Id(t.tableType())).Id(name).Params(params...).Params(results...).BlockFunc(func(g *jen.Group) {
		g.Err().Op("=").Id("t").Dot("Conn").Call().Dot("InTx").Call(jen.Id("ctx"), jen.Func().Params(jen.Id("c").Op("*").Add(store("Conn"))).Error().BlockFunc(func(g *jen.Group) {
			g.Var().Err().Error()
			g.Id("in").Op(":=").Add(store("Bind")).Call(jen.Id("c"), jen.Op("&").Id(t.specName()))
			g.If(assigned.Clone().Op("=").Add(call), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err()))
			g.Return(cacheOf("Forget").CallFunc(func(g *jen.Group) {
				g.Id("ctx")
				g.Id("c")
				g.Lit(t.d.Name)
				g.Add(ids)
				for _, d := range t.d.Cached {
					g.Op("&").Id(cacheName(d))
				}
			}))
		}))
		if result == nil {
			g.Return(jen.Err())
			return
		}
		g.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Op("*").New(result), jen.Err())) // also when the commit failed
		g.Return(jen.Id("out"), jen.Err())
	})
	f.Line()
}

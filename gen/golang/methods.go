package golang

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// methods prints the table of a datatype: its methods add types to an untyped
// core.Table, and hold no logic. What is generic over datatypes would be compiled
// for each of them.
func (t tablePrinter) methods(f *jen.File) {
	f.Add(code.Comment(t.Type() + " reads and writes " + t.D.Name + "."))
	f.Type().Id(t.Type()).Struct(jen.Id("core").Add(code.Core("Table")))
	f.Line()
	t.Method(f, "Conn", "Conn returns what the table's statements run on: the database, or a transaction.").
		Params().Op("*").Add(code.Core("Conn")).Block(jen.Return(jen.Id("t").Dot("core").Dot("Conn").Call()))
	f.Line()
	t.single(f)
	for i, key := range t.D.Keys() {
		t.byKey(f, i, key)
	}
	t.many(f)
	t.questions(f)
}

// single prints what reads and writes one row by its id.
func (t tablePrinter) single(f *jen.File) {
	n, p, r := jen.Op("&").Id("n"), jen.Op("&").Id("p"), jen.Id("r")
	t.ReturnsRow(f, "Get", []string{"Get returns the row with this id, or store.ErrNotFound."},
		[]jen.Code{t.IDParam()}, code.OnCore("Get", t.PlainID(), r))
	t.ReturnsRow(f, "GetForUpdate", []string{
		"GetForUpdate is Get of a row that no one else can change until the transaction ends, so that",
		"what is written for what was read is right. Outside a transaction it is store.ErrInvalid.",
	}, []jen.Code{t.IDParam()}, code.OnCore("GetForUpdate", t.PlainID(), r))
	t.ReturnsRow(f, "Create", []string{
		"Create adds a row and returns it. The error is a *store.ValidationError, which names",
		"every broken rule, a *store.ConflictError, or store.ErrReference.",
	}, []jen.Code{jen.Id("n").Id(t.D.GoRow + "New")}, code.OnCore("Create", n, r))
	t.update(f, p, r)
	t.ReturnsRow(f, "UpdateIf", []string{
		"UpdateIf is Update of a row that where keeps at the moment of the write. One that it does not",
		"keep stays as it is, and the error is store.ErrStale; its other errors are those of Update.",
	}, []jen.Code{t.IDParam(), t.filter(), jen.Id("p").Id(t.D.GoRow + "Patch")}, code.OnCore("UpdateIf", t.PlainID(), untypedFilter, p, r))
	t.Method(f, "Delete",
		"Delete deletes the row. It returns store.ErrNotFound without the row, and",
		"store.ErrReference while a row refers to it that is not deleted with it.",
	).Params(code.Ctx(), t.IDParam()).Error().Block(jen.Return(code.OnCore("Delete", t.PlainID())))
	f.Line()
}

// update prints Update, which takes the version of the row where it has one.
func (t tablePrinter) update(f *jen.File, p, r *jen.Statement) {
	doc := []string{
		"Update sets the columns that p sets, and returns the row as it is then. An empty p only",
		"reads. It returns store.ErrNotFound without the row; its other errors are those of Create.",
	}
	patch := jen.Id("p").Id(t.D.GoRow + "Patch")
	version := t.D.Version()
	if version == nil {
		t.ReturnsRow(f, "Update", doc, []jen.Code{t.IDParam(), patch}, code.OnCore("Update", t.PlainID(), p, r))
		return
	}
	doc = append(doc, "version is that of the row that was read. If another write has raised it since, the row stays as it", "is, and the error is store.ErrStale.")
	same := jen.Id(t.D.GoRow + "Fields").Dot(version.GoName).Dot("Eq").Call(jen.Id("version")).Dot("Filter")
	t.ReturnsRow(f, "Update", doc, []jen.Code{t.IDParam(), jen.Id("version").Int64(), patch},
		code.OnCore("UpdateIf", t.PlainID(), code.Core("AnyCond").Values(jen.Id("Filter").Op(":").Add(same)), p, r))
}

// byKey prints what reads and writes one row by a unique key.
func (t tablePrinter) byKey(f *jen.File, i int, key *model.Index) {
	var params, fields []jen.Code
	var columns []string
	for _, c := range key.Columns {
		params = append(params, jen.Id(param(c.Field)).Add(code.Type(c.Field)))
		fields = append(fields, keyValue(c.Field))
		columns = append(columns, c.Field.Name)
	}
	name := "GetBy" + key.GoName
	t.ReturnsRow(f, name, []string{name + " returns the row with this " + strings.Join(columns, " and ") + ", or store.ErrNotFound."},
		params, code.OnCore("GetUnique", append([]jen.Code{jen.Lit(i), jen.Id("r")}, fields...)...))
	name = "UpsertBy" + key.GoName
	doc := []string{
		name + " adds a row, or changes the one that has this " + strings.Join(columns, " and ") + ": columns that n",
		"leaves unset keep what they hold there, and the id stays. It returns the row as it is",
		"then. A row that collides on another unique key is a *store.ConflictError; the other",
		"errors are those of Create.",
	}
	for _, field := range t.guarded() {
		doc = append(doc, "A row that was there keeps its "+field.Name+", which only moves change.")
	}
	t.ReturnsRow(f, name, doc, []jen.Code{jen.Id("n").Id(t.D.GoRow + "New")}, code.OnCore("UpsertUnique", jen.Lit(i), jen.Op("&").Id("n"), jen.Id("r")))
}

// keyValue passes a key's part as the plain type that the store binds.
func keyValue(f *model.Field) jen.Code {
	id := jen.Id(param(f))
	if f.References != nil || f.EnumGoName != "" {
		return jen.Id(f.Storage().Go).Parens(id)
	}
	if f.Storage().Kind == check.Decimal {
		return code.Core("DecimalField").Call(jen.Op("&").Add(id), jen.Lit(f.Scale))
	}
	return id
}

func (t tablePrinter) query() *jen.Statement { return jen.Id("q").Id(t.D.GoRow + "Query") }

func (t tablePrinter) filter() *jen.Statement { return jen.Id("where").Id(t.D.GoRow + "Filter") }

var (
	untypedQuery  = code.Core("QueryOf").Call(jen.Id("q"))
	untypedFilter = code.Core("AnyCond").Values(jen.Id("Filter").Op(":").Id("where").Dot("Filter"))
)

// many prints what writes several rows.
func (t tablePrinter) many(f *jen.File) {
	t.Method(f, "CreateMany",
		"CreateMany adds all the rows, or none, and returns their ids in order. Every row is",
		"checked before the first is written; a *store.ValidationError names the first row that",
		"breaks a rule.",
	).Params(code.Ctx(), jen.Id("ns").Index().Id(t.D.GoRow+"New")).Params(jen.Index().Id(t.IDType()), jen.Error()).Block(
		jen.Var().Id("ids").Index().Id(t.IDType()),
		jen.Err().Op(":=").Add(code.OnCore("CreateMany", jen.Id("ns"), jen.Op("&").Id("ids"))),
		jen.Return(jen.Id("ids"), jen.Err()),
	)
	f.Line()
	t.Method(f, "UpdateWhere",
		"UpdateWhere is Update of every row that where keeps, all or none, and returns how many. It",
		"refuses a where that keeps every row with store.ErrInvalid; store.Everything changes every row.",
	).Params(code.Ctx(), t.filter(), jen.Id("p").Id(t.D.GoRow+"Patch")).Params(jen.Int64(), jen.Error()).Block(
		jen.Return(code.OnCore("UpdateWhere", untypedFilter, jen.Op("&").Id("p"))))
	f.Line()
	t.Method(f, "DeleteWhere",
		"DeleteWhere deletes the rows that where keeps, and returns how many. It refuses a where",
		"that keeps every row with store.ErrInvalid; store.Everything deletes every row.",
	).Params(code.Ctx(), t.filter()).Params(jen.Int64(), jen.Error()).Block(jen.Return(code.OnCore("DeleteWhere", untypedFilter)))
	f.Line()
}

// questions prints what reads rows by a filter.
func (t tablePrinter) questions(f *jen.File) {
	page := jen.Id(t.D.GoRow + "Page")
	t.Method(f, "List",
		"List returns one page. A page after a cursor starts right behind the row that the",
		"cursor stands for, whatever was added or deleted meanwhile.",
	).Params(code.Ctx(), t.query()).Params(page.Clone(), jen.Error()).Block(
		jen.Var().Id("page").Add(page),
		jen.List(jen.Id("next"), jen.Err()).Op(":=").Add(code.OnCore("List", untypedQuery, jen.Op("&").Id("page").Dot("Items"))),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(page.Clone().Values(), jen.Err())),
		jen.Id("page").Dot("Next").Op("=").Id("next"),
		jen.Return(jen.Id("page"), jen.Nil()),
	)
	f.Line()
	t.Method(f, "ListForUpdate",
		"ListForUpdate returns the rows of a page, which no one else can change until the transaction",
		"ends. lock says what becomes of rows that another transaction has locked: they are waited for,",
		"or left out. Outside a transaction it is store.ErrInvalid.",
	).Params(code.Ctx(), t.query(), jen.Id("lock").Add(code.Store("Lock"))).Params(jen.Index().Id(t.D.GoRow), jen.Error()).Block(
		jen.Var().Id("rows").Index().Id(t.D.GoRow),
		jen.Err().Op(":=").Add(code.OnCore("ListForUpdate", untypedQuery, jen.Id("lock"), jen.Op("&").Id("rows"))),
		jen.Return(jen.Id("rows"), jen.Err()),
	)
	f.Line()
	row := func() *jen.Statement { return jen.Add(t.RowPointer()) }
	t.Method(f, "All",
		"All returns every row of the query. It reads them in pages: while the loop's body runs",
		"no connection is held, and rows that others add behind it are seen. It ends after an",
		"error.",
	).Params(code.Ctx(), t.query()).Qual("iter", "Seq2").Types(row(), jen.Error()).Block(
		jen.Return(jen.Func().Params(jen.Id("yield").Func().Params(row(), jen.Error()).Bool()).Block(
			code.OnCore("All", untypedQuery, jen.Func().Params(jen.Id("row").Any(), jen.Err().Error()).Bool().Block(
				jen.List(jen.Id("r"), jen.Id("_")).Op(":=").Id("row").Assert(row()),
				jen.Return(jen.Id("yield").Call(jen.Id("r"), jen.Err())),
			)),
		)),
	)
	f.Line()
	t.ReturnsRow(f, "First", []string{"First returns the first row of the query, or store.ErrNotFound."},
		[]jen.Code{t.query()}, code.OnCore("First", untypedQuery, jen.Id("r")))
	t.Method(f, "Count",
		"Count returns how many rows where keeps, at most limit; 0 is a limit of 10,000. A count",
		"costs as much as reading what it counts.",
	).Params(code.Ctx(), t.filter(), jen.Id("limit").Int()).Params(jen.Int(), jen.Error()).Block(
		jen.Return(code.OnCore("Count", untypedFilter, jen.Id("limit"))))
	f.Line()
	t.Method(f, "Exists", "Exists reports whether where keeps any row.").
		Params(code.Ctx(), t.filter()).Params(jen.Bool(), jen.Error()).Block(jen.Return(code.OnCore("Exists", untypedFilter)))
	f.Line()
}

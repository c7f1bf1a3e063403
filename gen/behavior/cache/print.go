package cache

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// The packages that generated code of a cache names: what a backend is, and the one in
// a table.
const (
	backendPath = "github.com/hegner123/modulagen/runtime/cache/backend"
	tablePath   = "github.com/hegner123/modulagen/runtime/cache/table"
)

// Imports names packages backend and table.
func (Behavior) Imports() map[string]string {
	return map[string]string{backendPath: "backend", tablePath: "table"}
}

func VariableName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Cache" }

func backend(name string) *jen.Statement { return jen.Qual(backendPath, name) }
func table(name string) *jen.Statement   { return jen.Qual(tablePath, name) }

// cachePrinter prints one cache.
type cachePrinter struct {
	code.Table
	c *Section
}

// Datatype prints what package table must know of a datatype whose rows are
// entries.
func (Behavior) Datatype(f *jen.File, of code.Table) {
	t := cachePrinter{of, Of(of.D)}
	f.Add(code.Comment("CacheBackend lets package cache keep values in " + t.D.Name + ": see cache.New."))
	f.Func().Params(jen.Id("t").Id(t.Type())).Id("CacheBackend").Params().Add(backend("Backend")).Block(
		jen.Return(table("New").Call(jen.Id("t").Dot("Conn").Call(), jen.Op("&").Id(VariableName(t.D)))),
	)
	f.Line()
	c := t.c
	tagsMax := 0
	if c.Tags != nil {
		tagsMax = int(c.Tags.Rules.Max.Int())
	}
	dict := jen.Dict{
		jen.Id("Name"):     jen.Lit(t.D.Name),
		jen.Id("KeyMax"):   jen.Lit(int(c.Key.Rules.Max.Int())),
		jen.Id("TagMax"):   jen.Lit(int(c.TagTable.Fields[0].Rules.Max.Int())),
		jen.Id("TagsMax"):  jen.Lit(tagsMax),
		jen.Id("ValueMax"): jen.Lit(int(c.Value.Rules.Max.Int())),
		jen.Id("Patch"):    t.cachePatch(),
		jen.Id("Own"):      jen.Index().String().ValuesFunc(t.cacheOwn),
	}
	if c.Value.Storage().Kind == check.JSON {
		dict[jen.Id("JSON")] = jen.True()
	}
	for _, bound := range []struct {
		name string
		n    int64
	}{{"MaxEntries", c.MaxEntries}, {"MaxBytes", c.MaxBytes}, {"MaxAge", int64(c.MaxAge)}} {
		if bound.n > 0 {
			dict[jen.Id(bound.name)] = jen.Lit(int(bound.n))
		}
	}
	for _, op := range []string{
		"Find", "FindMany", "Put", "PutInPlace", "Add", "Vacate", "Count", "Remove", "Touch", "Reseal", "RecordHits", "Take", "RenewLease", "Fill", "ReleaseLease", "Tag", "Untag",
		"DropTag", "DropTags", "DropKeys", "DropOld", "DropUnused", "DropAll", "Drop", "HasTag", "HasTags", "HasKeys", "Last", "Size", "AppendChange", "ReadChanges", "MissingChanges", "LastChange", "PruneChanges",
	} {
		dict[jen.Id(op)] = t.Statement(op + t.D.GoRow)
	}
	f.Var().Id(VariableName(t.D)).Op("=").Add(table("Spec")).Values(dict)
	f.Line()
}

// cacheOwn lists the fields that the cache keeps itself.
func (t cachePrinter) cacheOwn(g *jen.Group) {
	for _, f := range t.c.Kept() {
		if !f.Kept { // those are in no patch
			g.Lit(f.GoName)
		}
	}
}

// cachePatch prints how fields of the user's own are written beside a value.
func (t cachePrinter) cachePatch() jen.Code {
	var key string
	for _, k := range t.D.Keys() {
		if k.Columns[0].Field == t.c.Key {
			key = k.GoName
		}
	}
	return jen.Func().Params(
		jen.Id("ctx").Qual("context", "Context"), jen.Id("c").Op("*").Add(code.Core("Conn")), jen.Id("key").String(), jen.Id("patch").Any(),
	).Error().Block(
		jen.List(jen.Id("p"), jen.Id("ok")).Op(":=").Id("patch").Assert(jen.Id(t.D.GoRow+"Patch")),
		jen.If(jen.Op("!").Id("ok")).Block(jen.Return(table("WrongPatch").Call(jen.Id("patch"), jen.Id("p")))),
		jen.Id("t").Op(":=").Id(t.Type()).Values(code.Core("Bind").Call(jen.Id("c"), jen.Op("&").Id(t.Spec()))),
		jen.List(jen.Id("row"), jen.Err()).Op(":=").Id("t").Dot("GetBy"+key).Call(jen.Id("ctx"), jen.Id("key")),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err())),
		jen.List(jen.Id("_"), jen.Err()).Op("=").Id("t").Dot("Update").Call(jen.Id("ctx"), jen.Id("row").Dot("ID"), jen.Id("p")),
		jen.Return(jen.Err()),
	)
}

// Run keeps the caches within their bounds.
func (Behavior) Run(all []*model.Datatype) golang.Run {
	return golang.Run{
		Beside: "removes from caches what has expired or is too much",
		Begin: jen.Defer().Add(table("Maintain")).CallFunc(func(g *jen.Group) {
			g.Id("db").Dot("store")
			for _, d := range all {
				g.Op("&").Id(VariableName(d))
			}
		}).Call(),
	}
}

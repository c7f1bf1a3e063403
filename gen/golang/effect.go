package golang

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// effects prints what else happens with writes. An init function sets it: what
// it names may lead back to the spec, which Go does not allow of variables.
func (t tablePrinter) effects(f *jen.File) {
	if len(t.D.Effects)+len(t.D.Cascades) == 0 {
		return
	}
	spec := func() *jen.Statement { return jen.Id(t.Spec()) }
	f.Func().Id("init").Params().BlockFunc(func(g *jen.Group) {
		if len(t.D.Effects) > 0 {
			g.Add(spec()).Dot("Effects").Op("=").Index().Add(code.Core("Effect")).ValuesFunc(func(g *jen.Group) {
				for _, e := range t.D.Effects {
					g.Line().Add(effectValue(e))
				}
				g.Line()
			})
		}
		if len(t.D.Cascades) > 0 {
			g.Add(spec()).Dot("Cascades").Op("=").Index().Add(code.Core("Cascade")).ValuesFunc(func(g *jen.Group) {
				for _, c := range t.D.Cascades {
					g.Line().Add(cascadeValue(c))
				}
				g.Line()
			})
		}
	})
	f.Line()
}

func effectValue(e model.Effect) jen.Code {
	parts := []jen.Code{jen.Id("On").Op(":").Add(code.Writes(e.On))}
	if e.Rows {
		parts = append(parts, jen.Id("Rows").Op(":").True())
	}
	if e.Announce != "" {
		parts = append(parts, jen.Id("Announce").Op(":").Lit(e.Announce))
	}
	if e.Wanted != nil {
		parts = append(parts, jen.Id("Wanted").Op(":").Add(called(e.Wanted)))
	}
	if e.Run != nil {
		parts = append(parts, jen.Id("Run").Op(":").Add(called(e.Run)))
	}
	return jen.Values(parts...)
}

func cascadeValue(c model.Cascade) jen.Code {
	t := code.Table{D: c.Datatype}
	parts := []jen.Code{
		jen.Id("Spec").Op(":").Op("&").Id(t.Spec()),
		jen.Id("Column").Op(":").Lit(t.Position(c.Field)),
	}
	if c.SetsNull() {
		parts = append(parts, jen.Id("SetNull").Op(":").True())
	}
	return jen.Values(parts...)
}

// called prints a call.
func called(c *model.Call) *jen.Statement {
	return jen.Qual(c.Package, c.Func).CallFunc(func(g *jen.Group) {
		for _, arg := range c.Args {
			g.Id(arg)
		}
	})
}

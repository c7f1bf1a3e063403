package code

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// Statement prints a statement as the store takes it, with the names of
// its parameters where a person gave them some.
func Statement(texts [3]string, orders [3][]int, clock bool, params ...jen.Code) jen.Code {
	return Core("Statement").ValuesFunc(func(g *jen.Group) {
		g.Line().Id("Text").Op(":").Index(jen.Lit(3)).String().ValuesFunc(func(g *jen.Group) {
			for _, text := range texts {
				g.Line().Add(sqlText(text))
			}
			g.Line()
		})
		if orders[0] != nil || orders[1] != nil || orders[2] != nil {
			g.Line().Id("Order").Op(":").Index(jen.Lit(3)).Index().Int().Values(ints(orders[0]), ints(orders[1]), ints(orders[2]))
		}
		if len(params) > 0 {
			g.Line().Id("Params").Op(":").Index().String().Values(params...)
		}
		if clock {
			g.Line().Id("Clock").Op(":").True()
		}
		g.Line()
	})
}

// sqlText prints a statement as it reads, over several lines where it can: a
// raw string holds no backtick, and MySQL quotes names with it.
func sqlText(text string) jen.Code {
	if strings.ContainsAny(text, "`\r") {
		return jen.Lit(text)
	}
	return jen.Id("`" + text + "`")
}

func ints(values []int) jen.Code {
	if values == nil {
		return jen.Nil()
	}
	return jen.Values(jen.ListFunc(func(g *jen.Group) {
		for _, v := range values {
			g.Lit(v)
		}
	}))
}

package events

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang/code"
)

// printEmit prints an event that programs write: its payload, what handlers get, and the
// method that writes it.
func printEmit(f *jen.File, t code.Table, e *Emit) {
	payload, topic := e.payload(t.D), e.topic(t.D)
	code.Payload(f, t.D, payload, "is the payload of an event "+topic+".", e.Fields)
	f.Add(code.Comment(
		e.event(t.D)+" is an event "+topic+", of the row that "+e.method()+" was given. Secret fields of",
		"Payload are empty.",
	))
	f.Type().Id(e.event(t.D)).Struct(
		event("Event"),
		jen.Id("RowID").Id(t.IDType()),
		jen.Id("Payload").Id(payload),
	)
	f.Line()
	f.Var().Id(e.emission(t.D)).Op("=").Add(feed("Emission")).Values(jen.DictFunc(func(d jen.Dict) {
		d[jen.Id("Spec")], d[jen.Id("Topic")] = jen.Op("&").Id(feedName), jen.Lit(topic)
		if len(e.Fields) > 0 {
			d[jen.Id("Rules")] = code.Members(e.Fields)
		}
	}))
	f.Line()
	t.Method(f, e.method(),
		fmt.Sprintf("%s writes an event %s for a row, whether or not that exists: in the transaction, where t is", e.method(), topic),
		"that of a Tx. Nothing is written while no subscription reads it. The error is a",
		"*store.ValidationError if the payload breaks its rules, or one of the database.",
	).Params(code.Ctx(), t.IDParam(), jen.Id("payload").Id(payload)).Error().Block(
		jen.Return(feed("Emit").Call(jen.Id("ctx"), t.Conn(), jen.Op("&").Id(e.emission(t.D)), t.PlainID(), jen.Id("payload"))),
	)
	f.Line()
}

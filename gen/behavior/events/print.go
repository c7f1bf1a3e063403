package events

import (
	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// The packages that generated code of events names.
const (
	eventPath = "github.com/hegner123/modulagen/runtime/event"
	feedPath  = eventPath + "/feed"
	opsPath   = eventPath + "/ops"
)

// What is printed once for a project.
const (
	feedName     = "eventFeed"
	handlersName = "EventHandlers"
)

// Imports names packages event, feed and ops.
func (Behavior) Imports() map[string]string {
	return map[string]string{eventPath: "event", feedPath: "feed", opsPath: "ops"}
}

func event(name string) *jen.Statement { return jen.Qual(eventPath, name) }
func feed(name string) *jen.Statement  { return jen.Qual(feedPath, name) }

func changeName(d *model.Datatype) string { return d.GoRow + "Change" }

// OpsName is the variable that decides which events a write is.
func OpsName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Ops" }

// Datatype prints the event of a datatype, or the log.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	if LogOf(t.D) != nil {
		printLog(f, t)
		return
	}
	s := Of(t.D)
	if s.Writes() != 0 {
		printChange(f, t)
	}
	for _, e := range s.Emits {
		printEmit(f, t, e)
	}
}

// printChange prints the event of a datatype's writes.
func printChange(f *jen.File, t code.Table) {
	name := changeName(t.D)
	lines := []string{
		name + " is an event: what happened to a row of " + t.D.Name + ". Before is nil when the row was created,",
		"After when it was deleted. Secret fields are empty.",
	}
	if t.D.Section("queue") != nil {
		lines = append(lines, "", "Of a change that the queue itself makes to a job, such as a claim, Before is nil too.")
	}
	f.Add(code.Comment(lines...))
	f.Type().Id(name).Struct(
		event("Event"),
		jen.Id("Before").Op("*").Id(t.D.GoRow),
		jen.Id("After").Op("*").Id(t.D.GoRow),
	)
	f.Line()
	printOps(f, t)
	printFormer(f, t.D)
}

func printOps(f *jen.File, t code.Table) {
	dict := jen.Dict{}
	if on := Of(t.D).On; on != 0 {
		dict[jen.Id("On")] = code.Writes(on)
	}
	for _, field := range t.D.Fields {
		if field.Published != "" && Of(t.D).Publish {
			dict[jen.Id("Status")] = jen.Lit(t.Position(field))
			dict[jen.Id("Published")] = jen.Lit(field.Published)
			dict[jen.Id("Fields")] = jen.Id(t.Fields())
		}
	}
	f.Var().Id(OpsName(t.D)).Op("=").Qual(opsPath, "Spec").Values(dict)
	f.Line()
}

func printLog(f *jen.File, t code.Table) {
	dict := jen.Dict{jen.Id("Name"): jen.Lit(t.D.Name)}
	for _, op := range operations {
		dict[jen.Id(op.verb)] = t.Statement(op.verb + t.D.GoRow)
	}
	f.Var().Id(feedName).Op("=").Add(feed("Spec")).Values(dict)
	f.Line()
}

// Run prints what reads events. Nothing has to run for them to be written.
func (Behavior) Run(all []*model.Datatype) golang.Run {
	return golang.Run{Print: func(f *jen.File) { printSubscribe(f, all) }}
}

// handlerType is the type of a handler of events.
func handlerType(variable, event string) *jen.Statement {
	return jen.Func().Params(code.Ctx(), jen.Id(variable).Op("*").Id(event)).Error()
}

func printSubscribe(f *jen.File, all []*model.Datatype) {
	var with []*model.Datatype
	for _, d := range all {
		if Of(d) != nil {
			with = append(with, d)
		}
	}
	f.Add(code.Comment(
		handlersName+" are the handlers of a subscription, one for each datatype with events and each event",
		"that a program emits. What has a nil handler is not read.",
	))
	f.Type().Id(handlersName).StructFunc(func(g *jen.Group) {
		for _, d := range with {
			if Of(d).Writes() != 0 {
				g.Id(d.GoAccessor).Add(handlerType("c", changeName(d)))
			}
			for _, e := range Of(d).Emits {
				g.Id(e.payload(d)).Add(handlerType("e", e.event(d)))
			}
		}
	})
	f.Line()
	printTopics(f, with)
	db := jen.Id("db").Op("*").Id("DB")
	f.Add(code.Comment(
		"Subscribe hands events to handlers, in order and one at a time, until ctx ends, and",
		"returns when the last handler has. The subscription goes on where it was under this",
		"name; see package event. Of the processes that subscribe with one name, one gets the",
		"events. The error is event.ErrInvalid, one of the database when it begins,",
		"event.ErrUnsubscribed, or store.ErrClosed: Close ends it.",
	))
	f.Func().Params(db).Id("Subscribe").Params(code.Ctx(), jen.Id("name").String(), jen.Id("h").Id(handlersName), jen.Id("opts").Add(event("Options"))).Error().Block(
		jen.Return(jen.Id("db").Dot("store").Dot("UntilClose").Call(jen.Id("ctx"), jen.Func().Params(code.Ctx()).Error().Block(
			jen.Return(feed("Subscribe").Call(jen.Id("ctx"), jen.Id("db").Dot("store"), jen.Op("&").Id(feedName), jen.Id("name"), jen.Id("h").Dot("topics").Call(), jen.Id("opts"))),
		))),
	)
	f.Line()
	f.Add(code.Comment(
		"Unsubscribe removes a subscription, and reports whether there was one: events that",
		"only it has not read are kept no longer. The error is event.ErrInvalid, or one of the database.",
	))
	f.Func().Params(db).Id("Unsubscribe").Params(code.Ctx(), jen.Id("name").String()).Params(jen.Bool(), jen.Error()).Block(
		jen.Return(feed("Unsubscribe").Call(jen.Id("ctx"), jen.Id("db").Dot("store").Dot("Conn").Call(), jen.Op("&").Id(feedName), jen.Id("name"))),
	)
	f.Line()
}

// printTopics prints how handlers are found by their topics.
func printTopics(f *jen.File, with []*model.Datatype) {
	f.Func().Params(jen.Id("h").Id(handlersName)).Id("topics").Params().Map(jen.String()).Add(feed("Handler")).BlockFunc(func(g *jen.Group) {
		g.Id("out").Op(":=").Map(jen.String()).Add(feed("Handler")).Values()
		for _, d := range with {
			if Of(d).Writes() != 0 {
				row := jen.Op("*").Id(d.GoRow)
				topic(g, d, d.GoAccessor, d.Name, "Handle", changeName(d), "before", "after", jen.List(jen.Id("before"), jen.Id("after")).Add(row))
			}
			for _, e := range Of(d).Emits {
				topic(g, d, e.payload(d), e.topic(d), "HandleEmitted", e.event(d), "id", "payload", jen.Id("id").Id(d.GoRow+"ID"), jen.Id("payload").Id(e.payload(d)))
			}
		}
		g.Return(jen.Id("out"))
	})
	f.Line()
}

// topic prints how the handler in a field gets the events of a topic: as a struct of the event and two
// values, which are params of the function that handle takes.
func topic(g *jen.Group, d *model.Datatype, field, topic, handle, event, first, second string, params ...jen.Code) {
	handler := jen.Id("h").Dot(field)
	call := feed(handle).Call(
		jen.Func().Params(append([]jen.Code{code.Ctx(), jen.Id("e").Qual(eventPath, "Event")}, params...)...).Error().Block(
			jen.Return(jen.Add(handler).Call(jen.Id("ctx"), jen.Op("&").Id(event).Values(jen.Id("e"), jen.Id(first), jen.Id(second)))),
		))
	if topic == d.Name && formerOf(d).any() {
		call = feed("Renamed").Call(jen.Op("&").Id(formerName(d)), call)
	}
	g.If(jen.Add(handler).Op("!=").Nil()).Block(jen.Id("out").Index(jen.Lit(topic)).Op("=").Add(call))
}

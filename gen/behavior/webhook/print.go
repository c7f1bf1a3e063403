package webhook

import (
	"maps"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/events"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// The packages that generated code of webhooks names.
const (
	webhookPath  = "github.com/hegner123/modulagen/runtime/webhook"
	deliveryPath = webhookPath + "/delivery"
)

// field is the field of Workers that has webhooks delivered.
const field = "Webhooks"

// Imports names packages webhook and delivery.
func (Behavior) Imports() map[string]string {
	out := map[string]string{webhookPath: "webhook", deliveryPath: "delivery"}
	maps.Copy(out, adapter.Imports)
	return out
}

func delivery(name string) *jen.Statement { return jen.Qual(deliveryPath, name) }

// worked is how the queue of a datatype is worked.
func worked(d *model.Datatype) *queue.Worked {
	return &queue.Worked{
		Field: field, Type: jen.Qual(webhookPath, "Sender"),
		Runner: func() jen.Code {
			return delivery("Runner").Call(
				jen.Id("db").Dot("store"), jen.Op("&").Id(SpecName(d)), jen.Op("&").Id(queue.QueueName(d)), jen.Id(deliveryName(d)), jen.Id("w").Dot(field))
		},
	}
}

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Run has nothing to do beside the queue.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }

// Datatype prints how package delivery reads and writes the rows of webhooks.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	p := printer{Of(t.D), queue.Of(t.D), t}
	p.s.Requests.Reader(f, requestName, delivery("Request"), requestParts)
	p.s.Links.Reader(f, linkName, delivery("Link"), linkParts)
	p.s.Routes.Reader(f, routeName, delivery("Route"), adapter.Parts("Slug slug"))
	p.s.Deliveries.Reader(f, deliveryName(t.D), delivery("Delivery"), deliveryParts)
	p.spec(f)
	p.methods(f)
}

// printer prints the webhooks of a project.
type printer struct {
	s *Section
	q *queue.Section
	code.Table
}

// Which fields of the structs of package delivery have which columns.
var (
	requestParts = adapter.Parts(
		"URL url", "Method method", "Headers headers", "BodyTemplate body_template", "Timeout timeout", "RetryCount retry_count",
		"Active active", "Ordered ordered", "SigningKeys signing_keys", "FailingSince failing_since", "DisabledReason disabled_reason",
	)
	linkParts = adapter.Parts(
		"Request fetch_request_id", "Route route_id", "Event trigger_event", "Condition condition_json",
	)
	deliveryParts = adapter.Parts(
		"Request fetch_request_id", "Route route_id", "EventID event_id", "Type event_type", "Row content_data_id", "URL url",
		"Headers headers", "Body body",
	)
	attemptParts = adapter.Parts(
		"Request fetch_request_id", "Route route_id", "Row content_data_id", "Op trigger_event", "RequestBody request_body",
		"Status response_status", "ResponseBody response_body", "Error error", "At delivered_at", "Delivery delivery_id",
		"EventID event_id", "Number attempt", "Duration duration", "ResponseHeaders response_headers",
	)
	patchParts = adapter.Parts(
		"Active active", "SigningKeys signing_keys", "FailingSince failing_since", "DisabledReason disabled_reason",
	)
)

// spec prints what package delivery must know.
func (p printer) spec(f *jen.File) {
	s := p.s
	request := func() *jen.Statement { return delivery("Request") }
	link := func() *jen.Statement { return delivery("Link") }
	f.Var().Id(SpecName(p.D)).Op("=").Add(delivery("Spec")).Values(jen.Dict{
		jen.Id("RequestsName"): jen.Lit(s.Requests.Name),
		jen.Id("LinksName"):    jen.Lit(s.Links.Name),
		jen.Id("Topics"):       p.topics(),
		jen.Id("Requests"):     s.Requests.Each(request(), requestName, s.Requests.Query(s.Requests.Is("active", "Eq", jen.True()))),
		jen.Id("Request"):      p.get("Get"),
		jen.Id("Named"):        p.named(),
		jen.Id("Locked"):       p.get("GetLocked"),
		jen.Id("Links"):        s.Links.Each(link(), linkName, s.Links.Query(nil)),
		jen.Id("LinksOf"): s.Links.Each(link(), linkName,
			s.Links.Query(s.Links.Is("fetch_request_id", "Eq", s.Requests.ID(jen.Id("request")))), jen.Id("request").Int64()),
		jen.Id("Routes"):    s.Routes.Each(delivery("Route"), routeName, s.Routes.Query(nil)),
		jen.Id("Change"):    p.change(),
		jen.Id("Enqueue"):   s.Deliveries.Create(delivery("Delivery"), "EnqueueMany", p.newDelivery(false), true),
		jen.Id("Fail"):      s.Deliveries.Create(delivery("Delivery"), "CreateMany", p.newDelivery(true), false),
		jen.Id("Log"):       s.Log.Create(delivery("Attempt"), "CreateMany", s.Log.Row("New", s.Log.Values(attemptParts)), false),
		jen.Id("Earlier"):   p.earlier(),
		jen.Id("Wake"):      p.wake(),
		jen.Id("Matching"):  p.matching(),
		jen.Id("RequestOf"): s.Requests.Of(request(), requestName),
		jen.Id("LinkOf"):    s.Links.Of(link(), linkName),
	})
	f.Line()
}

// named prints how a request is found by its name.
func (p printer) named() jen.Code {
	r := p.s.Requests
	if !p.s.Named() {
		return jen.Nil()
	}
	return r.Each(delivery("Request"), requestName, r.Query(r.Is("name", "Eq", jen.Id("name"))), jen.Id("name").String())
}

// deliverTo prints the method that finds a request by its name, where they have one.
func (p printer) deliverTo(f *jen.File) {
	if !p.s.Named() {
		return
	}
	p.Method(f, "DeliverTo",
		"DeliverTo is Deliver for the only request with a name. It returns store.ErrNotFound without one, and",
		"store.ErrInvalid where several have it.",
	).Params(code.Ctx(), jen.Id("name").String(), jen.Id("eventType").String(), jen.Id("data").Add(code.Store("JSON"))).Params(jen.Id(p.D.GoRow+"ID"), jen.Error()).Block(
		jen.List(jen.Id("id"), jen.Err()).Op(":=").Add(delivery("Deliverer")).Call(jen.Op("&").Id(SpecName(p.D)), jen.Id("eventType")).
			Call(jen.Id("ctx"), p.Conn(), jen.Id("name"), jen.Id("data")),
		jen.Return(jen.Id(p.D.GoRow+"ID").Parens(jen.Id("id")), jen.Err()),
	)
	f.Line()
}

// topics prints the datatypes whose events fire webhooks.
func (p printer) topics() jen.Code {
	return jen.Index().Add(delivery("Topic")).ValuesFunc(func(g *jen.Group) {
		for _, d := range p.s.Topics {
			g.Line().Values(jen.Dict{
				jen.Id("Spec"):  jen.Op("&").Id(code.Table{D: d}.Spec()),
				jen.Id("Route"): jen.Lit(d.Route),
				jen.Id("Ops"):   jen.Op("&").Id(events.OpsName(d)),
			})
		}
		g.Line()
	})
}

// get prints a function that reads a request by its id.
func (p printer) get(method string) jen.Code {
	t := p.s.Requests
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("id").Int64()).Params(jen.Op("*").Add(delivery("Request")), jen.Error()).Block(
		jen.Id("r").Op(":=").New(jen.Id(t.GoRow)),
		jen.If(
			jen.Err().Op(":=").Add(code.Core("Bind")).Call(jen.Id("c"), t.Spec()).Dot(method).Call(jen.Id("ctx"), jen.Id("id"), jen.Id("r")),
			jen.Err().Op("!=").Nil(),
		).Block(jen.Return(jen.Nil(), jen.Err())),
		jen.Return(jen.Id(requestName).Call(jen.Id("r")), jen.Nil()),
	)
}

// change prints the function that changes a request.
func (p printer) change() jen.Code {
	t, patch := p.s.Requests, jen.Dict{}
	for _, part := range patchParts {
		patch[jen.Id(t.Fields[part.Column].GoName)] = jen.Id("p").Dot(part.Field)
	}
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("request").Int64(), jen.Id("p").Add(delivery("RequestPatch"))).Error().Block(
		t.Bound(),
		jen.List(jen.Id("_"), jen.Err()).Op(":=").Id("t").Dot("Update").Call(jen.Id("ctx"), t.ID(jen.Id("request")), jen.Id(t.GoRow+"Patch").Values(patch)),
		jen.Return(jen.Err()),
	)
}

// newDelivery is a row of the queue, of the struct d.
func (p printer) newDelivery(failed bool) jen.Code {
	q, t := p.q, p.s.Deliveries
	values := t.Values(deliveryParts)
	values[q.MaxAttempts] = code.Given(q.MaxAttempts, jen.Id("d").Dot("Attempts"))
	if failed {
		values[q.State] = code.Given(q.State, jen.Lit(q.Dead))
		values[q.Error] = code.Given(q.Error, jen.Id("d").Dot("Error"))
		if q.CompletedAt != nil {
			values[q.CompletedAt] = code.Given(q.CompletedAt, jen.Id("c").Dot("DB").Call().Dot("Clock").Call())
		}
	}
	return t.Row("New", values)
}

// neighbors prints a filter of the deliveries of the same row to the same request, with more
// conditions.
func (p printer) neighbors(op string, more ...jen.Code) jen.Code {
	t := p.s.Deliveries
	args := []jen.Code{
		jen.Line().Add(t.Is("fetch_request_id", "Eq", p.s.Requests.ID(jen.Id("d").Dot("Request")))),
		jen.Line().Add(t.Is("content_data_id", "Eq", jen.Id("d").Dot("Row"))),
		jen.Line().Add(t.Is("event_type", "In", delivery("Types").Call(jen.Id("d").Dot("Type")).Op("..."))),
	}
	for _, c := range more {
		args = append(args, jen.Line().Add(c))
	}
	return code.Store("And").Call(append(args, jen.Line().Add(p.fields()).Dot("ID").Dot(op).Call(t.ID(jen.Id("d").Dot("ID"))).Op(",").Line())...)
}

// fields is the value with the fields of the queue, for filters.
func (p printer) fields() *jen.Statement { return jen.Id(p.s.Deliveries.GoRow + "Fields") }

// unfinished is a condition on deliveries that wait or are sent.
func (p printer) unfinished() jen.Code {
	return p.fields().Dot(p.q.State.GoName).Dot("In").Call(code.Option(p.q.State, p.q.Ready), code.Option(p.q.State, p.q.Running))
}

// untried are conditions on deliveries that wait for their first attempt. One that has failed
// waits for its next, which only the schedule starts.
func (p printer) untried() []jen.Code {
	return []jen.Code{
		p.fields().Dot(p.q.State.GoName).Dot("Eq").Call(code.Option(p.q.State, p.q.Ready)),
		p.fields().Dot(p.q.Attempts.GoName).Dot("Eq").Call(jen.Lit(0)),
	}
}

// neighbor prints the reading of the nearest of neighbors.
func (p printer) neighbor(op, direction string, more ...jen.Code) jen.Code {
	t := p.s.Deliveries
	return jen.List(jen.Id("r"), jen.Err()).Op(":=").Id("t").Dot("First").Call(jen.Id("ctx"), jen.Id(t.GoRow+"Query").Values(jen.Dict{
		jen.Id("Where"): p.neighbors(op, more...),
		jen.Id("Sort"):  jen.Index().Id(t.GoRow + "Sort").Values(jen.Id(t.GoRow + "Fields").Dot("ID").Dot(direction).Call()),
	}))
}

func (p printer) earlier() jen.Code {
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("d").Op("*").Add(delivery("Delivery"))).Params(jen.Qual("time", "Time"), jen.Error()).Block(
		p.s.Deliveries.Bound(),
		p.neighbor("Lt", "Desc", p.unfinished()),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Qual("time", "Time").Values(), jen.Err())),
		jen.Return(code.Value("r", p.q.RunAt), jen.Nil()),
	)
}

func (p printer) wake() jen.Code {
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("d").Op("*").Add(delivery("Delivery"))).Error().Block(
		p.s.Deliveries.Bound(),
		p.neighbor("Gt", "Asc", p.untried()...),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Err())),
		jen.Return(jen.Id("t").Dot("Retry").Call(jen.Id("ctx"), jen.Id("r").Dot("ID"))),
	)
}

func (p printer) matching() jen.Code {
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("q").Add(code.Core("AnyQuery"))).Add(adapter.Seq(jen.Int64())).Block(
		jen.Return(adapter.IDs(p.s.Deliveries, jen.Id("q"))),
	)
}

// methods prints what the tables of deliveries and requests have beyond others.
func (p printer) methods(f *jen.File) {
	spec := func() jen.Code { return jen.Op("&").Id(SpecName(p.D)) }
	p.Method(f, "Redeliver",
		"Redeliver makes the deliveries that where keeps ready again, with all their attempts, and",
		"returns how many; those that are being delivered stay as they are. What is sent is what",
		"was frozen with the event, with the same webhook-id. Retry does it for one.",
	).Params(code.Ctx(), jen.Id("where").Id(p.D.GoRow+"Filter")).Params(jen.Int(), jen.Error()).Block(
		jen.Return(delivery("Redeliver").Call(
			jen.Id("ctx"), p.Conn(), spec(), jen.Op("&").Id(queue.QueueName(p.D)),
			code.Core("QueryOf").Call(p.s.Deliveries.Query(jen.Id("where"))))))
	f.Line()
	requests := p.s.Requests
	id := jen.Id("request").Id(requests.GoRow + "ID")
	plainID := jen.Int64().Parens(jen.Id("request"))
	p.Method(f, "Test",
		"Test adds a delivery that shows whether a request works: of the type webhook.test, with one",
		"attempt, and of a row whose texts are samples. It is delivered as any other; Await",
		"waits for its end, and the log has what was answered.",
	).Params(code.Ctx(), id).Params(jen.Id(p.D.GoRow+"ID"), jen.Error()).Block(
		jen.List(jen.Id("d"), jen.Err()).Op(":=").Add(delivery("Test")).Call(jen.Id("ctx"), p.Conn(), spec(), plainID),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Lit(0), jen.Err())),
		jen.Return(jen.Id(p.D.GoRow+"ID").Parens(jen.Id("d").Dot("ID")), jen.Nil()),
	)
	f.Line()
	p.Method(f, "Deliver",
		"Deliver adds a delivery to a request of what is no row: data, in an envelope with the type of",
		"the event that it says, such as invoice.paid. It is signed, delivered and logged as any other. A",
		"request that is switched off or has templates is store.ErrInvalid.",
	).Params(code.Ctx(), id, jen.Id("eventType").String(), jen.Id("data").Add(code.Store("JSON"))).Params(jen.Id(p.D.GoRow+"ID"), jen.Error()).Block(
		jen.List(jen.Id("id"), jen.Err()).Op(":=").Add(delivery("Deliver")).Call(jen.Id("ctx"), p.Conn(), spec(), plainID, jen.Id("eventType"), jen.Id("data")),
		jen.Return(jen.Id(p.D.GoRow+"ID").Parens(jen.Id("id")), jen.Err()),
	)
	f.Line()
	p.deliverTo(f)
	of := code.Table{D: requests.Datatype}
	overlap := jen.Id("overlap").Qual("time", "Duration")
	of.Method(f, "RotateSecret",
		"RotateSecret adds a new secret to those that sign the request, and returns it: show it to",
		"those who run the endpoint, for it is not shown again. Keys that the request has sign",
		"beside it until overlap has passed.",
	).Params(code.Ctx(), id, overlap).Params(jen.Qual(webhookPath, "Secret"), jen.Error()).Block(
		jen.Return(delivery("RotateSecret").Call(jen.Id("ctx"), of.Conn(), spec(), plainID, jen.Id("overlap"))))
	f.Line()
	of.Method(f, "RotateSigningKey",
		"RotateSigningKey is RotateSecret with a key pair of ed25519. It returns the public key, with",
		"which the endpoint can verify and not sign.",
	).Params(code.Ctx(), id, overlap).Params(jen.Qual(webhookPath, "PublicKey"), jen.Error()).Block(
		jen.Return(delivery("RotateSigningKey").Call(jen.Id("ctx"), of.Conn(), spec(), plainID, jen.Id("overlap"))))
	f.Line()
}

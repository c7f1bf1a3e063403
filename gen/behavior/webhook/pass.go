package webhook

import (
	"fmt"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/events"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Tables adds no table. It has each datatype with events write deliveries.
func (Behavior) Tables(p *model.Project) {
	for _, d := range p.Datatypes {
		if s := Of(d); s != nil {
			s.topics(p)
		}
	}
}

// topics leaves out the queue and the log: a webhook about deliveries would write deliveries
// about itself for ever.
func (s *Section) topics(p *model.Project) {
	for _, d := range p.Datatypes {
		of := events.Of(d)
		if of == nil || of.Writes() == 0 || d == s.Deliveries.Datatype || d == s.Log.Datatype { // else each delivery would cause the next
			continue
		}
		s.Topics = append(s.Topics, d)
		args := []string{"&" + SpecName(s.Deliveries.Datatype), fmt.Sprintf("%q", d.Name)}
		d.Effects = append(d.Effects, model.Effect{
			On: of.Writes(), Rows: true,
			Wanted: &model.Call{Package: deliveryPath, Func: "Wanted", Args: args},
			Run:    &model.Call{Package: deliveryPath, Func: "Fire", Args: args},
			Missed: "It writes " + d.Name + ", and fires no webhook.",
		})
	}
}

// Apply has requests and links checked when they are written, and declares what is printed.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	s := Of(d)
	for _, checked := range []struct {
		adapter.Table
		by string
	}{{s.Requests, "CheckRequests"}, {s.Links, "CheckLinks"}} {
		checked.Effects = append(checked.Effects, model.Effect{
			On: model.AllWrites, Rows: true,
			Run:    &model.Call{Package: deliveryPath, Func: checked.by, Args: []string{"&" + SpecName(d)}},
			Missed: "It writes " + checked.Name + ", and nothing checks whether webhooks can be delivered.",
		})
	}
	d.Names = append(d.Names, s.names()...)
	return nil
}

func (s *Section) names() []model.Name {
	d := s.Deliveries
	var out []model.Name
	add := func(space, text, what string) {
		out = append(out, model.Name{Space: space, Text: text, What: what, Pos: d.Pos, Owner: d.Datatype, Added: true})
	}
	for _, text := range []string{SpecName(d.Datatype), deliveryName(d.Datatype), requestName, linkName, routeName} {
		add(model.SpaceGo, text, "the code of webhooks")
	}
	methods := []string{"Redeliver", "Test", "Deliver"}
	if s.Named() {
		methods = append(methods, "DeliverTo")
	}
	for _, method := range methods {
		add(model.Members(d.GoRow+"Table"), method, "the method of every queue of webhooks")
	}
	for _, method := range []string{"RotateSecret", "RotateSigningKey"} {
		add(model.Members(s.Requests.GoRow+"Table"), method, "the method of every datatype of requests")
	}
	return out
}

// Named reports whether requests can be found by a name.
func (s *Section) Named() bool { return s.Requests.Fields["name"] != nil }

// SpecName is the name of the *delivery.Spec's variable of the queue d.
func SpecName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Webhooks" }

func deliveryName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Delivery" }

const (
	requestName = "webhookRequest"
	linkName    = "webhookLink"
	routeName   = "webhookRoute"
)

package delivery

import (
	"context"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// CheckRequests returns what the effect on requests runs: it refuses one that could not be
// sent, and has this process see the others at their commit.
func CheckRequests(s *Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		r := registryOf(c.DB(), s)
		c.AfterCommit(r.forget)
		for _, ch := range changes {
			if ch.After == nil || !concerns(s, ch) {
				continue
			}
			if err := r.checkRequest(ctx, c, checkRequest(s.RequestOf(ch.After))); err != nil {
				return err
			}
		}
		return nil
	}
}

// concerns reports whether a change of a request changes what is sent. The runtime's own
// changes do not: a request that has become invalid must be switched off all the same.
func concerns(s *Spec, ch core.Change) bool {
	if ch.Before == nil {
		return true
	}
	was, is := s.RequestOf(ch.Before), s.RequestOf(ch.After)
	return was.URL != is.URL || was.Method != is.Method || string(was.Headers) != string(is.Headers) || was.BodyTemplate != is.BodyTemplate ||
		was.Timeout != is.Timeout || was.RetryCount != is.RetryCount || string(was.SigningKeys) != string(is.SigningKeys) || is.Active && !was.Active
}

// checkRequest checks a request by itself, and on the rows of the datatypes that it is linked to.
func (r *registry) checkRequest(ctx context.Context, c *core.Conn, req *request) error {
	if len(req.wrong) > 0 {
		return &store.ValidationError{Datatype: r.spec.RequestsName, Violations: req.wrong}
	}
	if len(req.texts()) == 0 {
		return nil
	}
	routes, err := r.routes(ctx, c)
	if err != nil {
		return err
	}
	var wrong []store.Violation
	for link, err := range r.spec.LinksOf(ctx, c, req.ID) {
		if err != nil {
			return err
		}
		for _, t := range r.linked(link, routes) {
			wrong = append(wrong, t.templatesOf(req)...)
		}
	}
	return violations(r.spec.RequestsName, wrong)
}

// violations is an error about what is wrong with a row; nil if nothing is.
func violations(datatype string, wrong []store.Violation) error {
	if len(wrong) == 0 {
		return nil
	}
	return &store.ValidationError{Datatype: datatype, Violations: slices.Compact(wrong)}
}

// templatesOf checks the templates of a request on the topic's rows. The compilation itself
// ends in no error, so that all that is wrong is found.
func (t *topic) templatesOf(req *request) []store.Violation {
	var wrong []store.Violation
	_, _ = req.compile(func(text templateText) (*rowtemplate.Template, error) {
		made, err := t.compile(text)
		if err != nil {
			wrong = append(wrong, store.Violation{Field: text.field, Rule: "webhook", Message: fmt.Sprintf("does not fit %s: %s", t.Spec.Name, text.in(err))})
		}
		return made, nil
	})
	return wrong
}

// in says where in the field an error is.
func (text templateText) in(err error) string {
	if text.name != "" {
		return text.name + ", " + message(err)
	}
	return message(err)
}

// CheckLinks returns what the effect on links runs: it refuses one whose request or condition
// does not fit the datatypes that it is about, and has this process see the others at their
// commit.
func CheckLinks(s *Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		r := registryOf(c.DB(), s)
		c.AfterCommit(r.forget)
		routes, err := r.routes(ctx, c)
		if err != nil {
			return err
		}
		for _, ch := range changes {
			if ch.After == nil {
				continue
			}
			if err := r.checkLink(ctx, c, s.LinkOf(ch.After), routes); err != nil {
				return err
			}
		}
		return nil
	}
}

func (r *registry) checkLink(ctx context.Context, c *core.Conn, link *Link, routes map[int64]string) error {
	row, err := r.spec.Request(ctx, c, link.Request)
	if err != nil {
		return err // the database checks references
	}
	req, about := checkRequest(row), r.linked(link, routes)
	var wrong []store.Violation
	violates := func(field, format string, args ...any) {
		wrong = append(wrong, store.Violation{Field: field, Rule: "webhook", Message: fmt.Sprintf(format, args...)})
	}
	if len(about) == 0 {
		violates("route_id", "is of the route %q, whose datatype has no events, or is the queue or the log of webhooks; add events to a definition of your own", routes[link.Route])
	}
	for _, t := range about {
		if !t.Ops.Has(event.Op(link.Event)) && link.Route != 0 {
			violates("trigger_event", "is %s, which is not in the events of %s", link.Event, t.Spec.Name)
		}
		if _, err := t.condition(link); err != nil {
			violates("condition_json", "does not fit %s: %s", t.Spec.Name, message(err))
		}
		for _, v := range t.templatesOf(req) {
			violates("fetch_request_id", "is of a request whose %s %s", v.Field, v.Message)
		}
	}
	return violations(r.spec.LinksName, wrong)
}

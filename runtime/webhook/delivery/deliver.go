package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/protocol"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// ownType is what the type of an event that a program names looks like.
var ownType = regexp.MustCompile(`^[A-Za-z0-9_]+([.:-][A-Za-z0-9_]+)*$`)

// Deliver enqueues a delivery to a request, with an envelope around data, which is JSON. It is
// delivered as one of a row is. A request that is switched off or has templates, which are over
// rows, is store.ErrInvalid; store.ErrNotFound without the row.
func Deliver(ctx context.Context, c *core.Conn, s *Spec, request int64, eventType string, data store.JSON) (id int64, err error) {
	row, err := s.Request(ctx, c, request)
	if err != nil {
		return 0, err
	}
	return deliverTo(ctx, c, s, row, eventType, data)
}

// Deliverer returns Deliver for the request with a name, and a type of events.
func Deliverer(s *Spec, eventType string) func(ctx context.Context, c *core.Conn, request string, data store.JSON) (id int64, err error) {
	return func(ctx context.Context, c *core.Conn, request string, data store.JSON) (int64, error) {
		row, err := s.named(ctx, c, request)
		if err != nil {
			return 0, err
		}
		return deliverTo(ctx, c, s, row, eventType, data)
	}
}

// named returns the only request with a name.
func (s *Spec) named(ctx context.Context, c *core.Conn, name string) (found *Request, err error) {
	if s.Named == nil {
		return nil, fmt.Errorf("webhook: %w: %s has no field name to find a request by; add {name: name, type: text}", store.ErrInvalid, s.RequestsName)
	}
	for row, err := range s.Named(ctx, c, name) {
		switch {
		case err != nil:
			return nil, err
		case found != nil:
			return nil, fmt.Errorf("webhook: %w: several rows of %s are named %q, and one of them is meant; rename the others", store.ErrInvalid, s.RequestsName, name)
		}
		found = row
	}
	if found == nil {
		return nil, fmt.Errorf("webhook: no row of %s is named %q: %w", s.RequestsName, name, store.ErrNotFound)
	}
	return found, nil
}

func deliverTo(ctx context.Context, c *core.Conn, s *Spec, row *Request, eventType string, data store.JSON) (int64, error) {
	d, err := own(c, checkRequest(row), eventType, data)
	if err != nil {
		return 0, fmt.Errorf("webhook: %w: %w", store.ErrInvalid, err)
	}
	err = s.Enqueue(ctx, c, []*Delivery{d})
	return d.ID, err
}

// own makes a delivery of what a program says.
func own(c *core.Conn, r *request, eventType string, data store.JSON) (*Delivery, error) {
	if len(data) == 0 {
		data = store.JSON("{}")
	}
	switch {
	case !ownType.MatchString(eventType):
		return nil, fmt.Errorf("an event is of a type such as invoice.paid, not %q", eventType)
	case !json.Valid(data):
		return nil, errors.New("the data is not valid JSON")
	case r.err() != nil:
		return nil, r.err()
	case !r.Active && r.DisabledReason != "":
		return nil, fmt.Errorf("the request is switched off: %s", r.DisabledReason)
	case !r.Active:
		return nil, errors.New("the request is not active")
	case len(r.texts()) > 0:
		return nil, fmt.Errorf("the request has a template in %s, and templates are over rows; use a request without", r.texts()[0].field)
	case r.Method != http.MethodGet && r.kind != rowtemplate.JSON:
		return nil, fmt.Errorf("headers: the Content-Type is %s, and the body is JSON", r.header.Get("Content-Type"))
	}
	d := &Delivery{Request: r.ID, EventID: core.NewULID(), Type: eventType, Attempts: r.attempts()}
	if r.Method == http.MethodGet {
		return d, nil // a GET has no body
	}
	text, err := json.Marshal(envelope{ID: d.EventID, Type: eventType, Timestamp: c.DB().Clock().UTC(), Data: json.RawMessage(data)})
	if err == nil && len(text) > protocol.MaxBody {
		err = fmt.Errorf("the body has %d bytes, and %d are permitted", len(text), protocol.MaxBody)
	}
	d.Body = string(text)
	return d, err
}

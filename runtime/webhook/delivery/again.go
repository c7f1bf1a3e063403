package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Redeliver makes deliveries ready again, with all their attempts, and returns how many. Those
// that a worker has stay as they are.
func Redeliver[R any](ctx context.Context, c *core.Conn, s *Spec, q *engine.Spec[R], where core.AnyQuery) (n int, err error) {
	for id, err := range s.Matching(ctx, c, where) {
		if err != nil {
			return n, err
		}
		switch err := engine.RetryRow(ctx, c, q, id); {
		case errors.Is(err, queue.ErrRunning), errors.Is(err, store.ErrNotFound):
		case err != nil:
			return n, err
		default:
			n++
		}
	}
	return n, nil
}

// testType is the type of a delivery that tests a request.
const testType = "webhook.test"

// Test enqueues a delivery that shows whether a request works, with one attempt. Its
// templates are executed on a sample of a row.
func Test(ctx context.Context, c *core.Conn, s *Spec, request int64) (*Delivery, error) {
	row, err := s.Request(ctx, c, request)
	if err != nil {
		return nil, err
	}
	r := registryOf(c.DB(), s)
	req := checkRequest(row)
	if err := req.err(); err != nil {
		return nil, err
	}
	k, e, err := r.example(ctx, c, req)
	if err != nil {
		return nil, err
	}
	d := e.delivery(k)
	d.Type, d.Row, d.Attempts = testType, "", 1
	if d.Error != "" {
		return nil, fmt.Errorf("webhook: %w: the request cannot be tested: %s", store.ErrInvalid, d.Error)
	}
	return d, s.Enqueue(ctx, c, []*Delivery{d})
}

// sample returns a row whose texts say that it is a test, for a URL's path must not be empty
// where a template has a value in it. Other fields are zero or null.
func sample(s *core.Spec) any {
	row := s.Row()
	for i, place := range s.Fields(row, nil) {
		rules := s.Columns[i].Rules
		if rules.Kind != check.Text || rules.Secret || len(rules.Options) > 0 {
			continue
		}
		text := "test"
		switch rules.Format {
		case check.URL:
			text = "https://example.com/test"
		case check.Email:
			text = "test@example.com"
		}
		switch place := place.(type) {
		case *string:
			*place = text
		case *store.Null[string]:
			*place = store.Null[string]{V: text, Valid: true}
		}
	}
	return row
}

// example makes an event for a request, of a sample of the first datatype that it is linked to.
func (r *registry) example(ctx context.Context, c *core.Conn, req *request) (*hook, *occurrence, error) {
	e := &occurrence{op: "test", at: c.DB().Clock(), id: core.NewULID()}
	k := &hook{request: req}
	routes, err := r.routes(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	for link, err := range r.spec.LinksOf(ctx, c, req.ID) {
		if err != nil {
			return nil, nil, err
		}
		for _, t := range r.linked(link, routes) {
			e.topic, e.change.After = t, sample(t.Spec)
			k.templates, err = req.compile(t.compile)
			return k, e, err
		}
	}
	if len(req.texts()) > 0 {
		return nil, nil, fmt.Errorf("webhook: %w: the request has templates and no link, so that there is no datatype to test it with", store.ErrInvalid)
	}
	text, err := json.Marshal(envelope{ID: e.id, Type: testType, Timestamp: e.at.UTC(), Data: json.RawMessage("{}")})
	e.envelope = string(text)
	e.topic = &topic{}
	e.topic.Spec = &core.Spec{}
	return k, e, err
}

package delivery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/protocol"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// templates are those of a request, compiled for the rows of a topic.
type templates struct {
	url     *rowtemplate.Template // nil: none
	body    *rowtemplate.Template // nil: the envelope
	headers []compiledHeader
}

type compiledHeader struct {
	name  string
	value *rowtemplate.Template
}

// compile compiles the templates of the request. Its first error ends it.
func (r *request) compile(one func(templateText) (*rowtemplate.Template, error)) (out templates, err error) {
	for _, text := range r.texts() {
		t, err := one(text)
		if err != nil {
			return out, fmt.Errorf("%s: %w", text.field, err)
		}
		switch text.field {
		case "url":
			out.url = t
		case "headers":
			out.headers = append(out.headers, compiledHeader{text.name, t})
		default:
			out.body = t
		}
	}
	return out, nil
}

// occurrence is one event of a change.
type occurrence struct {
	op     event.Op
	topic  *topic
	change core.Change
	at     time.Time
	id     string

	envelope    string // made once
	envelopeErr error
}

// row is what templates are executed on.
func (e *occurrence) row() any {
	if e.change.After != nil {
		return e.change.After
	}
	return e.change.Before
}

// delivery is what a hook sends because of the event. What cannot be made is an Error of
// it: a webhook must not undo the write that it is about.
func (e *occurrence) delivery(k *hook) *Delivery {
	d := &Delivery{
		Request: k.request.ID, Route: k.route, EventID: e.id, Type: typeOf(e.topic.Spec.Name, e.op),
		Row: fmt.Sprint(e.change.ID), Attempts: k.request.attempts(),
	}
	err := k.err
	if err == nil {
		err = e.freeze(d, k)
	}
	if err != nil {
		d.fail(err)
	}
	return d
}

// fail makes a delivery one that cannot be sent.
func (d *Delivery) fail(err error) {
	d.Error, d.URL, d.Headers, d.Body = printable(message(err), protocol.MaxError), "", nil, ""
}

// freeze executes the templates.
func (e *occurrence) freeze(d *Delivery, k *hook) error {
	if k.url != nil {
		text, err := k.url.Execute(e.row())
		if err != nil {
			return fmt.Errorf("url: %w", err)
		}
		d.URL = string(text)
	}
	if len(k.headers) > 0 {
		headers := map[string]string{}
		for _, h := range k.headers {
			text, err := h.value.Execute(e.row())
			if err != nil {
				return fmt.Errorf("headers: %s: %w", h.name, err)
			}
			headers[h.name] = string(text)
		}
		text, err := json.Marshal(headers)
		if err != nil {
			return err
		}
		d.Headers = text
	}
	return e.freezeBody(d, k)
}

func (e *occurrence) freezeBody(d *Delivery, k *hook) (err error) {
	switch {
	case k.body != nil:
		text, failed := k.body.Execute(e.row())
		if failed != nil {
			return fmt.Errorf("body_template: %w", failed)
		}
		d.Body = string(text)
	case k.request.Method == "GET":
	case k.request.kind != rowtemplate.JSON:
		return fmt.Errorf("headers: the Content-Type is %s, and without a body_template the body is JSON", k.request.header.Get("Content-Type"))
	default:
		d.Body, err = e.asEnvelope()
	}
	return err
}

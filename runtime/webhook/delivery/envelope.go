package delivery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/event/document"
	"github.com/hegner123/modulagen/runtime/webhook/protocol"
)

// envelope is the body of a request without a template, with the names of Standard
// Webhooks.
type envelope struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"` // of the change
	Route     string          `json:"route,omitempty"`
	Data      json.RawMessage `json:"data"`               // the row after the change, or before it where it was deleted
	Previous  json.RawMessage `json:"previous,omitempty"` // before it, of an update
}

// asEnvelope returns the event as a body, made once for all requests.
func (e *occurrence) asEnvelope() (string, error) {
	if e.envelope == "" && e.envelopeErr == nil {
		e.envelope, e.envelopeErr = e.makeEnvelope()
	}
	return e.envelope, e.envelopeErr
}

func (e *occurrence) makeEnvelope() (string, error) {
	data, err := document.Of(e.row())
	if err != nil {
		return "", err
	}
	out := envelope{ID: e.id, Type: typeOf(e.topic.Spec.Name, e.op), Timestamp: e.at.UTC(), Route: e.topic.Route, Data: json.RawMessage(data)}
	if e.change.Before != nil && e.change.After != nil {
		previous, err := document.Of(e.change.Before)
		if err != nil {
			return "", err
		}
		out.Previous = json.RawMessage(previous)
	}
	text, err := json.Marshal(out)
	if err == nil && len(text) > protocol.MaxBody {
		err = fmt.Errorf("the body has %d bytes, and %d are permitted; write a body_template with the fields that the receiver needs", len(text), protocol.MaxBody)
	}
	return string(text), err
}

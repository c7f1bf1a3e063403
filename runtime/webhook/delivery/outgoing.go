package delivery

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/egress/redact"
)

// outgoing is what is sent of a delivery, and what no log may have of it.
type outgoing struct {
	egress.Request
	secrets redact.Secrets
}

// outgoing makes what is sent from the request as it is by now, and what was frozen with the
// event. Of that, only what is still a template is taken: what an operator has written out
// since then holds.
func (r *request) outgoing(d *Delivery) (*outgoing, error) {
	m := &outgoing{Request: egress.Request{Method: r.Method, URL: r.URL, Header: r.header.Clone()}, secrets: r.secrets[:len(r.secrets):len(r.secrets)]}
	if r.url != "" {
		if m.URL = d.URL; m.URL == "" {
			return nil, errors.New("the URL of the request has become a template since the event; write it out, and deliver this again")
		}
		m.secrets = append(m.secrets, redact.URL(m.URL)...)
	}
	if d.Body != "" && r.Method != http.MethodGet { // it may have been another method
		m.Body = []byte(d.Body)
	}
	if len(d.Headers) == 0 {
		return m, nil
	}
	var frozen map[string]string
	if json.Unmarshal(d.Headers, &frozen) != nil {
		return nil, errors.New("the headers of the delivery are no object of texts")
	}
	for _, h := range r.templated {
		if value, ok := frozen[h.name]; ok {
			m.Header.Set(h.name, value)
			m.secrets = append(m.secrets, redact.Header(h.name, value)...)
		}
	}
	return m, nil
}

package delivery

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/egress/redact"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// Limits of a request.
const (
	maxHeaders = 50
	maxTimeout = 300 // seconds
	maxRetries = 1000
)

// request is a Request that was read.
type request struct {
	*Request
	header    http.Header       // those that are no templates
	templated []headerTemplate  // the others, by name
	url       string            // a template; "": URL is none
	kind      rowtemplate.Kind  // of the body
	keys      []keyUntil        // that sign
	secrets   redact.Secrets    // what no log may have: values of headers, keys, parts of the URL
	wrong     []store.Violation // what keeps it from being sent
}

type headerTemplate struct{ name, text string }

// templateText is a template of a request, and the field that has it.
type templateText struct {
	kind  rowtemplate.Kind
	text  string
	field string
	name  string // of the header
}

// methods are those that a request may have.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// kinds are the kinds of bodies, by content type: they say how values are escaped.
var kinds = map[string]rowtemplate.Kind{
	"application/json":                  rowtemplate.JSON,
	"application/x-www-form-urlencoded": rowtemplate.Form,
	"application/xml":                   rowtemplate.XML,
	"text/xml":                          rowtemplate.XML,
	"text/plain":                        rowtemplate.Text,
}

const jsonType = "application/json"

// checkRequest reads a row, and notes everything that is wrong with it.
func checkRequest(row *Request) *request {
	r := &request{Request: row, header: http.Header{}, kind: rowtemplate.JSON}
	if !slices.Contains(methods, row.Method) {
		r.violates("method", "is "+row.Method+"; write one of "+strings.Join(methods, ", "))
	}
	if row.Timeout < 1 || row.Timeout > maxTimeout {
		r.violates("timeout", fmt.Sprintf("is %d; write seconds, 1 to %d", row.Timeout, maxTimeout))
	}
	if row.RetryCount < 0 || row.RetryCount > maxRetries {
		r.violates("retry_count", fmt.Sprintf("is %d; write the attempts after the first, 0 to %d", row.RetryCount, maxRetries))
	}
	r.checkURL()
	r.checkHeaders()
	r.checkKeys()
	if row.Method == http.MethodGet && row.BodyTemplate != "" {
		r.violates("body_template", "is there, and a GET has no body; remove it, or write another method")
	}
	return r
}

func (r *request) violates(field, message string) {
	r.wrong = append(r.wrong, store.Violation{Field: field, Rule: "webhook", Message: message})
}

// err is what is wrong with the request; nil if it can be sent.
func (r *request) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return &store.ValidationError{Datatype: "the request", Violations: r.wrong}
}

// attempts is how many attempts a delivery has. It is one that the queue takes also where
// the request is invalid: its deliveries are written, to show that they failed.
func (r *request) attempts() int64 { return min(max(r.RetryCount, 0), maxRetries) + 1 }

// checkURL checks the form of a URL. The guard of the client that delivers judges where it
// leads: this process may have another one, or none.
func (r *request) checkURL() {
	if isTemplate(r.URL) {
		r.url = r.URL
		return
	}
	if err := egress.CheckURL(r.URL, egress.Options{DangerouslyAllowAnyAddress: true}); err != nil {
		r.violates("url", message(err))
	}
	r.secrets = append(r.secrets, redact.URL(r.URL)...)
}

// isTemplate reports whether a text has an action in it.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// checkHeaders reads the headers. No message has a value in it.
func (r *request) checkHeaders() {
	if len(r.Headers) > 0 {
		var headers map[string]string
		if err := json.Unmarshal(r.Headers, &headers); err != nil {
			r.violates("headers", `is not an object of texts; write {"Authorization": "Bearer ..."}`)
			return
		}
		if len(headers) > maxHeaders {
			r.violates("headers", fmt.Sprintf("has %d headers; %d are permitted", len(headers), maxHeaders))
			return
		}
		r.addHeaders(headers)
	}
	if r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", jsonType)
	}
	name, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	kind, known := kinds[name]
	if err != nil || !known {
		r.violates("headers", "has a Content-Type that webhooks do not know, so that values could not be escaped; write one of "+strings.Join(sortedKeys(kinds), ", "))
		return
	}
	r.kind = kind
}

func (r *request) addHeaders(headers map[string]string) {
	for _, name := range sortedKeys(headers) {
		value := headers[name]
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case strings.HasPrefix(canonical, "Webhook-"):
			r.violates("headers", "has "+canonical+", which the delivery itself sets; remove it")
		case r.header.Get(name) != "":
			r.violates("headers", "has "+canonical+" twice; remove one")
		case isTemplate(value) && canonical == "Content-Type":
			r.violates("headers", "has a template as its Content-Type, by which values are escaped; write the type itself")
		case isTemplate(value):
			if err := egress.CheckHeader(name, ""); err != nil {
				r.violates("headers", message(err))
			}
			r.templated = append(r.templated, headerTemplate{canonical, value})
		default:
			if err := egress.CheckHeader(name, value); err != nil {
				r.violates("headers", message(err))
				continue
			}
			r.header.Set(name, value)
			r.secrets = append(r.secrets, redact.Header(canonical, value)...)
		}
	}
}

func (r *request) checkKeys() {
	var err error
	if r.keys, err = parseKeys(r.SigningKeys); err != nil {
		r.violates("signing_keys", message(err))
	}
	for _, k := range r.keys {
		r.secrets = append(r.secrets, k.Key)
	}
}

// texts returns the templates of the request.
func (r *request) texts() []templateText {
	var out []templateText
	if r.url != "" {
		out = append(out, templateText{rowtemplate.URL, r.url, "url", ""})
	}
	for _, h := range r.templated {
		out = append(out, templateText{rowtemplate.Header, h.text, "headers", h.name})
	}
	if r.BodyTemplate != "" {
		out = append(out, templateText{r.kind, r.BodyTemplate, "body_template", ""})
	}
	return out
}

// signers returns the keys that sign at some time, newest first.
func (r *request) signers(now time.Time) []webhook.Signer {
	var out []webhook.Signer
	for _, k := range r.keys {
		if k.Until == nil || now.Before(*k.Until) {
			out = append(out, k.signer)
		}
	}
	return out
}

// message is what an error says, without the names of packages in front.
func message(err error) string {
	text := err.Error()
	for _, prefix := range []string{"egress: invalid: ", "webhook: invalid key: ", "egress: ", "rowtemplate: ", "condition: ", "webhook: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

package mail

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"time"
)

// maxUnsubscribeBody bounds the body of a POST, in bytes.
const maxUnsubscribeBody = 4 << 10

// Handler returns what serves the links. GET shows a page with a button and changes nothing:
// programs that scan mail follow links. POST, of the button or of a mail program (RFC 8058),
// calls suppress with the address and the stream, the reason Unsubscribed and the time. Suppress
// writes them where Send and the worker look for them; it is called again when a link is used
// again. Its error is answered by 500 and shown to nobody, so that it is suppress who logs it.
//
// The handler redirects nowhere, sets no cookie and needs none.
func (u *Unsubscribe) Handler(suppress func(context.Context, Suppression) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, stream, err := u.open(r.URL.Query().Get("t"))
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, HEAD, POST")
			showPage(w, http.StatusMethodNotAllowed, unsubscribePage{Text: "This address takes GET and POST."})
		case err != nil:
			showPage(w, http.StatusBadRequest, unsubscribePage{Text: "This link is not valid. It may have been copied in part."})
		case r.Method != http.MethodPost:
			showPage(w, http.StatusOK, unsubscribePage{Ask: true, Stream: stream})
		default:
			u.post(w, r, suppress, Suppression{Address: address, Stream: stream, Reason: Unsubscribed, Detail: "by a link in a message", At: time.Now()})
		}
	})
}

// post answers a POST with a valid link.
func (u *Unsubscribe) post(w http.ResponseWriter, r *http.Request, suppress func(context.Context, Suppression) error, s Suppression) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUnsubscribeBody)
	err := r.ParseMultipartForm(maxUnsubscribeBody)
	if err != nil && !errors.Is(err, http.ErrNotMultipart) || r.PostForm.Get("List-Unsubscribe") != "One-Click" {
		showPage(w, http.StatusBadRequest, unsubscribePage{Text: "This request does not unsubscribe. Open the link and press the button."})
		return
	}
	if err := suppress(r.Context(), s); err != nil {
		showPage(w, http.StatusInternalServerError, unsubscribePage{Text: "You are not unsubscribed yet, because of an error here. Please try again later."})
		return
	}
	showPage(w, http.StatusOK, unsubscribePage{Text: "You are unsubscribed."})
}

// unsubscribePage is what a page shows.
type unsubscribePage struct {
	Ask    bool
	Stream string
	Text   string
}

// unsubscribeHTML does not show the address: a message is forwarded with its links. The form is
// sent to where the page came from.
var unsubscribeHTML = template.Must(template.New("unsubscribe").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Unsubscribe</title></head>
<body>
{{if .Ask}}<form method="post">
<p>{{if .Stream}}Receive no more mail of the kind “{{.Stream}}”?{{else}}Receive no more mail?{{end}}</p>
<button name="List-Unsubscribe" value="One-Click">Unsubscribe</button>
</form>{{else}}<p>{{.Text}}</p>{{end}}
</body>
</html>
`))

// showPage answers with a page.
func showPage(w http.ResponseWriter, status int, page unsubscribePage) {
	var body bytes.Buffer
	if err := unsubscribeHTML.Execute(&body, page); err != nil {
		http.Error(w, "an error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer") // the link unsubscribes
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	w.Write(body.Bytes()) // a client that is gone has no page
}

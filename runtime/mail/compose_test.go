package mail_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	gomail "github.com/emersion/go-message/mail"

	"github.com/hegner123/modulagen/runtime/mail"
)

// TestComposeArrives composes a message with everything in it, and compares what another library
// reads of it.
func TestComposeArrives(t *testing.T) {
	m := mail.Message{
		From:    `"Müller & Söhne, GmbH" <shop@müller.example>`,
		To:      []string{"Ann <ann@example.com>", `"Bob \"B\" 🎉" <bob@example.com>`},
		Cc:      []string{"carl@example.com", "דוד <david@example.com>"},
		Bcc:     []string{"secret@example.com"},
		ReplyTo: []string{"Hilfe <hilfe@müller.example>"},
		Subject: "Grüße &lt;an&gt; alle: " + strings.Repeat("Überraschung ", 20) + "=?utf-8?q?x?=",
		HTML:    "<p>Grüße, <img src=\"cid:logo@shop\"></p>\n.\n..\n" + strings.Repeat("<b>x</b>", 1000) + "\r\n.\r\nFrom here\rand there",
		Plain:   "Grüße\n.\n\nFrom here\r\n--\r\nShop  \n",
		Headers: map[string]string{"X-Shop": "a  b " + strings.Repeat("word ", 60) + "end", "X-Umlaut": strings.Repeat("ä ", 30) + "ö", "x-small": "=?", "In-Reply-To": "<a@b.example>"},
		Attachments: []mail.Attachment{
			{Name: "Rechnung für 2026 – „Müller“.pdf", Data: []byte("%PDF")},
			{Name: "логотип.png", Data: bytes.Repeat([]byte{0, 1, 2, '\r', '\n', '.'}, 1000), ContentID: "logo@shop"},
			{Name: `a "b"; c=d%20'e'.txt`, Type: "text/plain; charset=iso-8859-1", Data: []byte("\xfc\n.\n")},
			{Name: "empty", Data: []byte{}},
		},
		ListUnsubscribe: "https://shop.example/u?t=a,b, mailto:u@shop.example",
		Stream:          "newsletter",
	}
	o := must(m.Prepare(queued))
	data := must(o.Compose())
	wire(t, data)
	compare(t, o, data)
	if again := must(o.Compose()); !bytes.Equal(again, data) {
		t.Error("composed twice, the message differs")
	}
	if bytes.Contains(data, []byte("secret@")) {
		t.Error("a recipient of Bcc can be read")
	}
	if o.NeedsUTF8() {
		t.Error("needs SMTPUTF8")
	}
}

// wire holds what SMTP asks of bytes: no CR and no LF alone, no NUL, lines of at most 998 bytes,
// nothing but ASCII.
func wire(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasSuffix(data, []byte("\r\n")) {
		t.Error("the last line does not end")
	}
	for _, line := range bytes.Split(data, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes: %.100q", len(line), line)
		}
		if i := bytes.IndexAny(line, "\r\n\x00"); i >= 0 {
			t.Fatalf("a bare %q: %.200q", line[i], line)
		}
	}
	if i := bytes.IndexFunc(data, func(r rune) bool { return r >= 0x80 }); i >= 0 {
		t.Errorf("not ASCII: %.100q", data[i:])
	}
}

// arrived is a message as another library reads it.
type arrived struct {
	header gomail.Header
	bodies map[string]string // by media type
	files  map[string]file   // by name
}

type file struct{ kind, id, data string }

func parse(t *testing.T, data []byte) arrived {
	t.Helper()
	r, err := gomail.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	a := arrived{header: r.Header, bodies: map[string]string{}, files: map[string]file{}}
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return a
		}
		if err != nil {
			t.Fatal(err)
		}
		body := string(must(io.ReadAll(part.Body)))
		switch h := part.Header.(type) {
		case *gomail.InlineHeader:
			kind, _, err := h.ContentType()
			if id := h.Get("Content-Id"); id != "" {
				name := gomail.AttachmentHeader{Header: h.Header}
				a.files[must(name.Filename())] = file{kind, strings.Trim(id, "<>"), body}
			} else if err == nil {
				a.bodies[kind] = body
			}
		case *gomail.AttachmentHeader:
			kind, _, _ := h.ContentType()
			a.files[must(h.Filename())] = file{kind, "", body}
		}
	}
}

// crlf returns text with the line ends of MIME.
func crlf(text string) string {
	return strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(text)
}

// compare compares a message with what arrived, field by field.
func compare(t *testing.T, o *mail.Outgoing, data []byte) {
	t.Helper()
	a := parse(t, data)
	same := func(field string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %.300q, not %.300q", field, got, want)
		}
	}
	same("Subject", must(a.header.Subject()), o.Subject)
	same("Message-ID", must(a.header.MessageID()), o.MessageID)
	same("Date", must(a.header.Date()).Unix(), o.Date.Unix())
	for name, want := range map[string][]mail.Address{"From": {o.From}, "To": o.To, "Cc": o.Cc, "Reply-To": o.ReplyTo, "Bcc": nil} {
		got := must(a.header.AddressList(name))
		same("the number in "+name, len(got), len(want))
		for i := range min(len(got), len(want)) {
			email, _ := want[i].ASCII()
			same(name, *got[i], gomail.Address{Name: want[i].Name, Address: email})
		}
	}
	for name, want := range o.Headers {
		got, err := new(mime.WordDecoder).DecodeHeader(a.header.Get(name))
		if err != nil {
			t.Error(err)
		}
		same(name, got, want)
	}
	if o.ListUnsubscribe != "" {
		urls := strings.NewReplacer("<", "", ">", "").Replace(a.header.Get("List-Unsubscribe"))
		same("List-Unsubscribe", urls, o.ListUnsubscribe)
		same("List-Unsubscribe-Post", a.header.Get("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click")
	}
	bodies := map[string]string{}
	if o.HTML != "" {
		bodies["text/html"] = crlf(o.HTML)
	}
	if o.Plain != "" {
		bodies["text/plain"] = crlf(o.Plain)
	}
	if !bytes.Contains(data, []byte("Content-Type: multipart/")) { // the message's last line ends
		for kind, body := range a.bodies {
			if !strings.HasSuffix(bodies[kind], "\r\n") {
				a.bodies[kind] = strings.TrimSuffix(body, "\r\n")
			}
		}
	}
	if !maps.Equal(a.bodies, bodies) {
		t.Errorf("the bodies are\n%.2000q, not\n%.2000q", a.bodies, bodies)
	}
	same("the number of files", len(a.files), len(o.Attachments))
	for _, want := range o.Attachments {
		kind, params, _ := mime.ParseMediaType(want.Type)
		data := string(want.Data)
		if params["charset"] == "iso-8859-1" { // which the other library decodes
			data = string([]rune{rune(data[0])}) + data[1:]
		}
		got := a.files[want.Name]
		same(want.Name+" is", got.kind+got.id, kind+want.ContentID)
		if got.data != data {
			t.Errorf("%s has %.100q, not %.100q", want.Name, got.data, data)
		}
	}
}

// TestComposeStructure wants the structure that clients show best.
func TestComposeStructure(t *testing.T) {
	pdf := mail.Attachment{Name: "a.pdf", Data: []byte("a")}
	logo := mail.Attachment{Name: "l.png", Data: []byte("l"), ContentID: "l"}
	for want, m := range map[string]mail.Message{
		"text/plain": {Plain: "a"},
		"multipart/alternative(text/plain text/html)": {HTML: "<p>a"},
		"text/html": {HTML: "<img src=https://a.example/a.png>"},
		"multipart/alternative(text/plain multipart/related(text/html image/png))":                                  {HTML: "<p>a", Attachments: []mail.Attachment{logo}},
		"multipart/mixed(text/plain application/pdf)":                                                               {Plain: "a", Attachments: []mail.Attachment{pdf}},
		"multipart/mixed(application/pdf)":                                                                          {Attachments: []mail.Attachment{pdf}},
		"multipart/mixed(multipart/alternative(text/plain multipart/related(text/html image/png)) application/pdf)": {HTML: "<p>a", Attachments: []mail.Attachment{logo, pdf}},
	} {
		m.From, m.To = "a@b.example", []string{"c@d.example"}
		e, err := message.Read(bytes.NewReader(must(must(m.Prepare(queued)).Compose())))
		if err != nil {
			t.Fatal(err)
		}
		if got := structure(e); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func structure(e *message.Entity) string {
	kind, _, _ := e.Header.ContentType()
	r := e.MultipartReader()
	if r == nil {
		return kind
	}
	var parts []string
	for {
		part, err := r.NextPart()
		if err != nil {
			return kind + "(" + strings.Join(parts, " ") + ")"
		}
		parts = append(parts, structure(part))
	}
}

// TestComposeSubjects holds that subjects arrive as they were: those whose encoded words fill
// lines were lost by servers that found nothing behind the colon.
func TestComposeSubjects(t *testing.T) {
	for _, subject := range []string{
		"", "a", "&lt;b&gt;", "=?utf-8?q?a?=", "a =?x", strings.Repeat("ü", 150), strings.Repeat("Größe ", 30) + "x",
		strings.Repeat("a", 985), strings.Repeat("ab  ", 200) + "c", "日本語の件名" + strings.Repeat("件名", 40), "🎉🎉 " + strings.Repeat("🎉", 30), "a" + strings.Repeat(" ", 100) + "b", "\u2067דוד\u2069 a", "a: b", strings.Repeat("ä", 13) + " " + strings.Repeat("ö", 13),
	} {
		o := must(good(func(m *mail.Message) { m.Subject = subject }).Prepare(queued))
		data := must(o.Compose())
		wire(t, data)
		compare(t, o, data)
		if bytes.Contains(data, []byte("Subject: \r\n")) || bytes.Contains(data, []byte("Subject:\r\n")) {
			t.Errorf("%q: nothing stands behind the colon", subject)
		}
	}
}

// TestComposeLines holds that lines end in one way, whatever ended them, in each encoding.
func TestComposeLines(t *testing.T) {
	for _, word := range []string{"line", strings.Repeat("строка", 20), strings.Repeat("x", 5000)} {
		for _, end := range []string{"\n", "\r\n", "\r", "\n\n", "\r\r\n", " \n", "\t\r\n.\r\n"} {
			text := strings.Repeat(word+end, 9) + "end\r\n"
			o := must(good(func(m *mail.Message) { m.Plain, m.HTML = text, text }).Prepare(queued))
			data := must(o.Compose())
			wire(t, data)
			compare(t, o, data)
		}
	}
}

func TestRecipients(t *testing.T) {
	o := must(good(func(m *mail.Message) {
		m.To = []string{"Ann <ann@example.com>", "bob@example.com"}
		m.Cc = []string{"ANN@example.com", "c@müller.example"}
		m.Bcc = []string{"c@xn--mller-kva.example", "dora@example.com"}
	}).Prepare(queued))
	var got []string
	for _, a := range o.Recipients() {
		email, _ := a.ASCII()
		got = append(got, email)
	}
	if want := []string{"ann@example.com", "bob@example.com", "c@xn--mller-kva.example", "dora@example.com"}; !slices.Equal(got, want) {
		t.Errorf("the recipients are %q", got)
	}
	hidden := must(mail.Message{From: "a@b.example", Bcc: []string{"c@d.example"}, Plain: "a"}.Prepare(queued))
	if data := must(hidden.Compose()); !bytes.Contains(data, []byte("\r\nTo: undisclosed-recipients:;\r\n")) || bytes.Contains(data, []byte("c@d")) {
		t.Errorf("with Bcc alone:\n%s", data)
	}
}

func TestNeedsUTF8(t *testing.T) {
	for _, change := range []func(*mail.Message){
		func(m *mail.Message) { m.From = "jürgen@example.com" },
		func(m *mail.Message) { m.To = []string{"jürgen@example.com"} },
		func(m *mail.Message) { m.Bcc = []string{"jürgen@example.com"} },
		func(m *mail.Message) { m.ReplyTo = []string{"jürgen@example.com"} },
	} {
		o := must(good(change).Prepare(queued))
		if !o.NeedsUTF8() {
			t.Errorf("%v needs no SMTPUTF8", o)
		}
		if _, err := o.Compose(); err != nil {
			t.Error(err)
		}
	}
}

// TestComposeChecksAgain holds that what a hook makes of a message cannot be worse than what Send
// accepts.
func TestComposeChecksAgain(t *testing.T) {
	for name, change := range map[string]func(*mail.Outgoing){
		"From":      func(o *mail.Outgoing) { o.From.Email = "a@b.example\r\nX: y" },
		"From name": func(o *mail.Outgoing) { o.From.Name = "a\r\nX: y" },
		"To":        func(o *mail.Outgoing) { o.To = append(o.To, mail.Address{Email: "a@b.example> SIZE=1"}) },
		"nobody":    func(o *mail.Outgoing) { o.To = nil },
		"Subject":   func(o *mail.Outgoing) { o.Subject = "a\r\nBcc: b@c.example" },
		"Headers":   func(o *mail.Outgoing) { o.Headers = map[string]string{"X-A": "a\nb"} },
		"reserved":  func(o *mail.Outgoing) { o.Headers = map[string]string{"bcc": "a"} },
		"name":      func(o *mail.Outgoing) { o.Attachments = []mail.Attachment{{Name: "a\"\r\nX: y"}} },
		"type":      func(o *mail.Outgoing) { o.Attachments = []mail.Attachment{{Name: "a", Type: "a/b\r\nX: y"}} },
		"unread":    func(o *mail.Outgoing) { o.Attachments = []mail.Attachment{{Name: "a", Ref: "r"}} },
		"id":        func(o *mail.Outgoing) { o.MessageID = "a@b>\r\nX: y" },
		"no id":     func(o *mail.Outgoing) { o.MessageID = "" },
		"URL":       func(o *mail.Outgoing) { o.ListUnsubscribe = "https://a.example/>\r\nX: y" },
		"body":      func(o *mail.Outgoing) { o.Plain = "a\x00" },
	} {
		o := must(good(nil).Prepare(queued))
		change(o)
		if data, err := o.Compose(); !errors.Is(err, mail.ErrInvalid) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

// raceDetector reports whether the tests were built with -race.
var raceDetector = false

// TestComposeMemory holds that a large message is in memory once: what it is read from, and what
// it is written to.
func TestComposeMemory(t *testing.T) {
	o := must(good(func(m *mail.Message) {
		m.HTML, m.Plain = strings.Repeat("<p>Hello.</p>\n", 1<<20/14), "Hello."
		m.Attachments = []mail.Attachment{{Name: "a", Data: make([]byte, 1<<20)}}
	}).Prepare(queued))
	size := len(must(o.Compose()))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	data := must(o.Compose())
	runtime.ReadMemStats(&after)
	most := size + size/4
	if raceDetector {
		most = 3 * size
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(most) {
		t.Errorf("%d bytes of memory for a message of %d", used, len(data))
	}
}

// FuzzCompose holds that what Prepare accepts can be composed, is fit for SMTP, and arrives as it
// was.
func FuzzCompose(f *testing.F) {
	f.Add("Shop <shop@example.com>", "ann@example.com", "Hello", "X-A", "b", "<p>a</p>", "a\r\n.\r\n", "a.txt", "https://a.example/")
	f.Add(`"a, \"b\"" <a@müller.example>`, "🎉 <a@b.example>", "=?utf-8?q?a?=", "In-Reply-To", "ü ö", "\r", "\n.\n", "ü \"'%.pdf", "")
	f.Fuzz(func(t *testing.T, from, to, subject, name, value, html, plain, filename, link string) {
		m := mail.Message{From: from, To: []string{to}, Subject: subject, HTML: html, Plain: plain, ListUnsubscribe: link}
		if name != "" {
			m.Headers = map[string]string{name: value}
		}
		if filename != "" {
			m.Attachments = []mail.Attachment{{Name: filename, Type: "application/pdf", Data: []byte(html)}}
		}
		o, err := m.Prepare(queued)
		if err != nil {
			if !errors.Is(err, mail.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		data, err := o.Compose()
		if err != nil {
			t.Fatalf("Prepare accepted what Compose refuses: %v", err)
		}
		if !o.NeedsUTF8() {
			wire(t, data)
			compare(t, o, data)
		}
	})
}

package mail_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

var queued = time.Date(2026, 11, 26, 14, 0, 0, 123, time.UTC)

// good returns a message that can be sent, changed by change.
func good(change func(*mail.Message)) mail.Message {
	m := mail.Message{From: "Shop <shop@example.com>", To: []string{"ann@example.com"}, Subject: "Welcome", Plain: "Hello."}
	if change != nil {
		change(&m)
	}
	return m
}

func TestPrepare(t *testing.T) {
	m := good(func(m *mail.Message) {
		m.From = "Shop <shop@SHOP.example>"
		m.Plain = ""
		m.HTML = `<p>Hello Ann, see <a href="https://shop.example/?a=1&amp;b=2">the shop</a>.</p>`
		m.Headers = map[string]string{"X-Shop": " a "}
		m.Attachments = []mail.Attachment{{Name: "a.pdf", Data: []byte("pdf")}, {Name: "a.unknown", Ref: "s3://a"}}
		m.ListUnsubscribe = "<https://shop.example/u?t=a,b>, <mailto:u@shop.example?subject=x>"
	})
	o, err := m.Prepare(queued)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(o.MessageID, "@shop.example") || len(o.MessageID) != 26+len("@shop.example") {
		t.Errorf("Message-ID %q", o.MessageID)
	}
	if !o.Date.Equal(queued.Truncate(time.Second)) {
		t.Errorf("Date %v", o.Date)
	}
	if o.From != (mail.Address{Name: "Shop", Email: "shop@shop.example"}) {
		t.Errorf("From %v", o.From)
	}
	if !strings.Contains(o.Plain, "Hello Ann, see the shop") || !strings.Contains(o.Plain, "https://shop.example/?a=1&b=2") {
		t.Errorf("Plain %q", o.Plain)
	}
	if o.Headers["X-Shop"] != "a" {
		t.Errorf("Headers %q", o.Headers)
	}
	if o.Attachments[0].Type != "application/pdf" || o.Attachments[1].Type != "application/octet-stream" {
		t.Errorf("types %q and %q", o.Attachments[0].Type, o.Attachments[1].Type)
	}
	if o.ListUnsubscribe != "https://shop.example/u?t=a,b, mailto:u@shop.example?subject=x" {
		t.Errorf("ListUnsubscribe %q", o.ListUnsubscribe)
	}
	other, err := m.Prepare(queued)
	if err != nil || other.MessageID == o.MessageID {
		t.Errorf("two messages have the Message-ID %q, %v", o.MessageID, err)
	}
}

// TestPlainText holds that derived text has no words that run together, and nothing that HTML does
// not show.
func TestPlainText(t *testing.T) {
	o := must(good(func(m *mail.Message) {
		m.Plain = ""
		m.HTML = `<head><title>T</title><style>p{color:red}</style></head><!-- a > b --><h1 class="x">Your order</h1>
			<p style="x">Grüße &amp; &lt;b&gt;<br />Second line</p><div>One</div><div>5 > 3</div>
			<table><tr><td>Cup</td><td>2</td></tr><tr><td>Tea</td><td>34</td></tr></table>
			<ul><li>a</li><li>b</li></ul><a href="https://shop.example/?a=1&amp;b=2">Pay</a><script>alert(1)</script>`
	}).Prepare(queued))
	want := []string{"Your order", "Grüße & <b>\nSecond line", "One\n5 > 3", "Cup 2", "Tea 34", "* a\n* b", "Pay ( https://shop.example/?a=1&b=2 )"}
	for _, one := range want {
		if !strings.Contains(o.Plain, one) {
			t.Errorf("%q is not in\n%s", one, o.Plain)
		}
	}
	for _, one := range []string{"color", "alert", "a > b", "T\n"} {
		if strings.Contains(o.Plain, one) {
			t.Errorf("%q is in\n%s", one, o.Plain)
		}
	}
}

func TestPrepareDate(t *testing.T) {
	later := queued.Add(72 * time.Hour)
	for _, c := range []struct{ sendAt, date time.Time }{{time.Time{}, queued}, {queued.Add(-time.Hour), queued}, {later, later}} {
		o, err := good(func(m *mail.Message) { m.SendAt = c.sendAt }).Prepare(queued)
		if err != nil || !o.Date.Equal(c.date.Truncate(time.Second)) {
			t.Errorf("due %v: Date %v, %v", c.sendAt, o.Date, err)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	many := func(n int) (list []string) {
		for range n {
			list = append(list, "ann@example.com")
		}
		return list
	}
	file := func(change func(*mail.Attachment)) func(*mail.Message) {
		return func(m *mail.Message) {
			m.Attachments = []mail.Attachment{{Name: "a.txt", Data: []byte("a")}}
			change(&m.Attachments[0])
		}
	}
	header := func(name, value string) func(*mail.Message) {
		return func(m *mail.Message) { m.Headers = map[string]string{name: value} }
	}
	inline := func(id string) func(*mail.Message) {
		return func(m *mail.Message) {
			m.HTML = "<img src=cid:" + id + ">"
			m.Attachments = []mail.Attachment{{Name: "a.png", Data: []byte("a"), ContentID: id}}
		}
	}
	for name, c := range map[string]struct {
		change func(*mail.Message)
		err    string
	}{
		"no sender":               {func(m *mail.Message) { m.From = "" }, "mail: From: \"\" is not an address"},
		"line break in sender":    {func(m *mail.Message) { m.From = "a@b.example\r\nX: y" }, "mail: From: \"a@b.example\\r\\nX: y\": a line break"},
		"two senders":             {func(m *mail.Message) { m.From = "a@b.example, c@d.example" }, "mail: From: "},
		"no recipient":            {func(m *mail.Message) { m.To = nil }, "mail: To: no recipient"},
		"a list in one entry":     {func(m *mail.Message) { m.To = []string{"a@b.example, c@d.example"} }, "mail: To[0]: "},
		"bad recipient":           {func(m *mail.Message) { m.Cc = []string{"ann@example.com", "bob"} }, "mail: Cc[1]: \"bob\" is not an address"},
		"bad hidden recipient":    {func(m *mail.Message) { m.Bcc = []string{"ann@example.com\n"} }, "mail: Bcc[0]: "},
		"bad reply":               {func(m *mail.Message) { m.ReplyTo = []string{""} }, "mail: ReplyTo[0]: "},
		"many recipients":         {func(m *mail.Message) { m.To, m.Bcc = many(60), many(41) }, "mail: To: 101 recipients"},
		"many replies":            {func(m *mail.Message) { m.ReplyTo = many(11) }, "mail: ReplyTo: 11 addresses"},
		"ESMTP parameters":        {func(m *mail.Message) { m.To = []string{`"a> NOTIFY=NEVER"@example.com`} }, "quoted local parts"},
		"line break in subject":   {func(m *mail.Message) { m.Subject = "a\r\nBcc: eve@example.com" }, "mail: Subject: a line break"},
		"bare LF in subject":      {func(m *mail.Message) { m.Subject = "a\nb" }, "mail: Subject: a line break"},
		"bare CR in subject":      {func(m *mail.Message) { m.Subject = "a\rb" }, "mail: Subject: a line break"},
		"NUL in subject":          {func(m *mail.Message) { m.Subject = "a\x00b" }, "mail: Subject: a NUL"},
		"surrogate in subject":    {func(m *mail.Message) { m.Subject = "a\xed\xa0\xbd" }, "mail: Subject: not valid UTF-8"},
		"long subject":            {func(m *mail.Message) { m.Subject = strings.Repeat("a", 990) }, "mail: Subject: 999 bytes"},
		"long subject, encoded":   {func(m *mail.Message) { m.Subject = strings.Repeat("ü", 400) }, "as it is encoded"},
		"no content":              {func(m *mail.Message) { m.Plain = "" }, "mail: Plain: no content"},
		"NUL in body":             {func(m *mail.Message) { m.Plain = "a\x00b" }, "mail: Plain: a NUL"},
		"surrogate in body":       {func(m *mail.Message) { m.HTML = "a\xed\xa0\xbd" }, "mail: HTML: not valid UTF-8"},
		"large body":              {func(m *mail.Message) { m.HTML = strings.Repeat("a", 10<<20+1) }, "mail: HTML: 10485761 bytes"},
		"line break in header":    {header("X-A", "a\r\nb"), "mail: Headers[\"X-A\"]: a line break"},
		"folded header":           {header("X-A", "a\r\n b"), "mail: Headers[\"X-A\"]: a line break"},
		"tab in header":           {header("X-A", "a\tb"), "mail: Headers[\"X-A\"]: a control"},
		"line break in name":      {header("X-A: b\r\nX-B", "c"), "mail: Headers[\"X-A: b\\r\\nX-B\"]: "},
		"colon in name":           {header("X-A:", "c"), "no colon"},
		"umlaut in name":          {header("X-Ä", "c"), "ASCII"},
		"no name":                 {header("", "c"), "no name"},
		"long name":               {header(strings.Repeat("a", 77), "c"), "77 bytes"},
		"long word":               {header("X-A", strings.Repeat("a", 901)), "a word of 901 bytes"},
		"long run of spaces":      {header("X-A", "a"+strings.Repeat("  b", 400)), "a word of"},
		"from as header":          {header("from", "a"), "mail: Headers[\"from\"]: a reserved header"},
		"bcc as header":           {header("BCC", "a"), "reserved"},
		"message-id as header":    {header("message-ID", "a"), "reserved"},
		"content type as header":  {header("CONTENT-type", "a"), "reserved"},
		"unsubscribing as header": {header("List-Unsubscribe", "<https://a.example>"), "reserved"},
		"resent header":           {header("Resent-Bcc", "a"), "reserved"},
		"signature as header":     {header("DKIM-Signature", "a"), "reserved"},
		"a header twice":          {func(m *mail.Message) { m.Headers = map[string]string{"X-A": "a", "x-a": "b"} }, "mail: Headers[\"x-a\"]: the same header as \"X-A\""},
		"many headers": {func(m *mail.Message) {
			m.Headers = map[string]string{}
			for i := range 51 {
				m.Headers[strings.Repeat("x", i+1)] = "a"
			}
		}, "51 headers"},
		"large headers": {func(m *mail.Message) {
			m.Headers = map[string]string{}
			for i := range 40 {
				m.Headers[strings.Repeat("x", i+1)] = strings.Repeat("a", 900)
			}
		}, "over 32768 bytes"},
		"no file name":             {file(func(a *mail.Attachment) { a.Name = "" }), "mail: Attachments[0].Name: no name"},
		"path":                     {file(func(a *mail.Attachment) { a.Name = "../../etc/passwd" }), "is a path"},
		"path of Windows":          {file(func(a *mail.Attachment) { a.Name = `C:\a.txt` }), "is a path"},
		"dots":                     {file(func(a *mail.Attachment) { a.Name = ".." }), "is a path"},
		"override in a name":       {file(func(a *mail.Attachment) { a.Name = "a\u202egnp.exe" }), "mail: Attachments[0].Name: U+202E"},
		"zero width in a name":     {file(func(a *mail.Attachment) { a.Name = "a\u200b.exe" }), "U+200B"},
		"line break in file name":  {file(func(a *mail.Attachment) { a.Name = "a\r\nb" }), "a line break"},
		"surrogate in a name":      {file(func(a *mail.Attachment) { a.Name = "\xed\xa0\xbd" }), "not valid UTF-8"},
		"long file name":           {file(func(a *mail.Attachment) { a.Name = strings.Repeat("a", 256) }), "256 bytes"},
		"line break in type":       {file(func(a *mail.Attachment) { a.Type = "text/plain\r\nX-A: b" }), "mail: Attachments[0].Type: a line break"},
		"no type":                  {file(func(a *mail.Attachment) { a.Type = "text" }), "not a media type"},
		"multipart type":           {file(func(a *mail.Attachment) { a.Type = "multipart/mixed; boundary=a" }), "cannot be encoded"},
		"a message":                {file(func(a *mail.Attachment) { a.Type = "message/rfc822" }), "cannot be encoded"},
		"no data":                  {file(func(a *mail.Attachment) { a.Data = nil }), "mail: Attachments[0]: exactly one of Data and Ref"},
		"data and reference":       {file(func(a *mail.Attachment) { a.Ref = "a" }), "exactly one of Data and Ref"},
		"line break in reference":  {file(func(a *mail.Attachment) { a.Data, a.Ref = nil, "a\nb" }), "mail: Attachments[0].Ref: a line break"},
		"large attachments":        {file(func(a *mail.Attachment) { a.Data = make([]byte, 35<<20+1) }), "mail: Attachments: 36700161 bytes"},
		"many attachments":         {func(m *mail.Message) { m.Attachments = make([]mail.Attachment, 101) }, "101 files"},
		"content id with brackets": {inline("<a>"), "mail: Attachments[0].ContentID: '<' in it"},
		"line break in content id": {inline("a\r\nb"), "'\\r' in it"},
		"content id without HTML":  {file(func(a *mail.Attachment) { a.ContentID = "a" }), "no HTML that shows it"},
		"a content id twice": {func(m *mail.Message) {
			inline("a")(m)
			m.Attachments = append(m.Attachments, m.Attachments[0])
		}, "mail: Attachments[1].ContentID: two attachments have \"a\""},
		"plain unsubscribe URL":      {func(m *mail.Message) { m.ListUnsubscribe = "http://shop.example/u" }, "mail: ListUnsubscribe: one-click"},
		"unsubscribing by mail only": {func(m *mail.Message) { m.ListUnsubscribe = "mailto:u@shop.example" }, "one-click"},
		"a password in the URL":      {func(m *mail.Message) { m.ListUnsubscribe = "https://a:b@shop.example/u" }, "one-click"},
		"line break in URL":          {func(m *mail.Message) { m.ListUnsubscribe = "https://shop.example/\r\nX: y" }, "in a URL"},
		"a URL that grows":           {func(m *mail.Message) { m.ListUnsubscribe = strings.Repeat("\u0130", 20) + ",mailto:" }, "in a URL"},
		"bracket in URL":             {func(m *mail.Message) { m.ListUnsubscribe = "https://shop.example/>,<http://a.example" }, "in a URL"},
		"bad mailbox in URL":         {func(m *mail.Message) { m.ListUnsubscribe = "https://shop.example/, mailto:a%0Ab@c.example" }, "mailto URL"},
		"long URL":                   {func(m *mail.Message) { m.ListUnsubscribe = "https://shop.example/" + strings.Repeat("a", 900) }, "921 bytes"},
		"line break in stream":       {func(m *mail.Message) { m.Stream = "a\nb" }, "mail: Stream: a line break"},
		"long locale":                {func(m *mail.Message) { m.Locale = strings.Repeat("a", 36) }, "mail: Locale: 36 bytes"},
		"empty tag":                  {func(m *mail.Message) { m.Tags = []string{"a", ""} }, "mail: Tags[1]: an empty tag"},
		"many tags":                  {func(m *mail.Message) { m.Tags = make([]string, 21) }, "mail: Tags: 21 tags"},
		"long key":                   {func(m *mail.Message) { m.IdempotencyKey = strings.Repeat("a", 256) }, "mail: IdempotencyKey: 256 bytes"},
	} {
		o, err := good(c.change).Prepare(queued)
		if err == nil {
			t.Errorf("%s: was accepted as %+v", name, o)
			continue
		}
		if !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: the error is %.300v, without %q", name, err, c.err)
		}
		var field *mail.InvalidError
		if !errors.As(err, &field) || field.Field == "" || field.Problem == "" {
			t.Errorf("%s: no field in %v", name, err)
		}
		if strings.ContainsAny(err.Error(), "\r\x00") {
			t.Errorf("%s: the error has a control character: %q", name, err)
		}
	}
}

// TestPrepareReportsEverything wants all that is wrong at once, and an end to it.
func TestPrepareReportsEverything(t *testing.T) {
	_, err := mail.Message{From: "a", To: []string{"b", "c@d.example"}, Subject: "a\n", Headers: map[string]string{"Bcc": "x"}}.Prepare(queued)
	want := []string{"mail: From: ", "mail: To[0]: ", "mail: Subject: ", `mail: Headers["Bcc"]: `, "mail: Plain: "}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d errors: %v", len(lines), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %q, not %q", i, line, want[i])
		}
	}
	to := slices.Repeat([]string{"nobody"}, 90)
	_, err = good(func(m *mail.Message) { m.To = to }).Prepare(queued)
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 21 || !strings.HasSuffix(err.Error(), "mail: message: 70 more errors") {
		t.Errorf("%d lines: %v", lines, err)
	}
}

package mail_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing/fstest"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

func ExampleParseAddress() {
	a, err := mail.ParseAddress(`"Doe, Ann" <Ann@MÜNCHEN.example>`)
	if err != nil {
		panic(err)
	}
	ascii, _ := a.ASCII()
	fmt.Println(a.Name)
	fmt.Println(a.Email)
	fmt.Println(ascii)
	fmt.Println(a.Key())

	_, err = mail.ParseAddress("ann@example.com\r\nBcc: eve@example.com")
	fmt.Println(errors.Is(err, mail.ErrInvalid))
	// Output:
	// Doe, Ann
	// Ann@münchen.example
	// Ann@xn--mnchen-3ya.example
	// ann@xn--mnchen-3ya.example
	// true
}

func ExampleFormatAddressList() {
	list, err := mail.ParseAddressList(`=?utf-8?q?J=C3=BCrgen?= <j@example.com>, "Doe, Ann" <ann@example.com>`)
	if err != nil {
		panic(err)
	}
	fmt.Println(mail.FormatAddressList(list))
	// Output:
	// Jürgen <j@example.com>, "Doe, Ann" <ann@example.com>
}

func ExampleMessage_Prepare() {
	_, err := mail.Message{
		From:    "Shop <shop@example.com>",
		To:      []string{"ann"},
		Subject: "Welcome\r\nBcc: eve@example.com",
		Plain:   "Hello.",
		Headers: map[string]string{"X-Shop": "1", "Received": "from nowhere"},
	}.Prepare(time.Now())
	fmt.Println(err)
	// Output:
	// mail: To[0]: "ann" is not an address: no @
	// mail: Subject: a line break
	// mail: Headers["Received"]: a reserved header; fields of Message and servers write it
}

func ExampleTemplate() {
	type welcome struct{ Name string }
	files := fstest.MapFS{ // in a program, an embed.FS
		"welcome.txt.tmpl":     {Data: []byte(`{{define "subject"}}Welcome, {{.Name}}{{end}}`)},
		"welcome.html.tmpl":    {Data: []byte(`<p>Hello, <b>{{.Name}}</b>!</p>`)},
		"welcome.de.txt.tmpl":  {Data: []byte(`{{define "subject"}}Willkommen, {{.Name}}{{end}}`)},
		"welcome.de.html.tmpl": {Data: []byte(`<p>Hallo <b>{{.Nam}}</b>!</p>`)},
	}
	set, err := mail.ParseTemplates(files, mail.TemplateOptions{})
	if err != nil {
		panic(err)
	}
	_, err = mail.NewTemplate[welcome](set, "welcome")
	fmt.Println(err)

	files["welcome.de.html.tmpl"].Data = []byte(`<p>Hallo <b>{{.Name}}</b>!</p>`)
	set, err = mail.ParseTemplates(files, mail.TemplateOptions{})
	if err != nil {
		panic(err)
	}
	t, err := mail.NewTemplate[welcome](set, "welcome")
	if err != nil {
		panic(err)
	}
	m, err := t.Render("de-AT", welcome{Name: "Ann & Bob"})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Subject)
	fmt.Println(m.HTML)
	// Output:
	// mail: welcome.de.html.tmpl:1:14: mail_test.welcome has no field or method Nam; did you mean Name?
	// Willkommen, Ann & Bob
	// <p>Hallo <b>Ann &amp; Bob</b>!</p>
}

func ExampleParseBounce() {
	report := strings.NewReader(dsn(`Final-Recipient: rfc822; ann@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown
`))
	b, err := mail.ParseBounce(report)
	if err != nil {
		panic(err)
	}
	fmt.Println(b.MessageID)
	for _, s := range b.Suppressions(time.Now()) {
		fmt.Println(s.Address, s.Reason, s.Detail)
	}
	// Output:
	// 01KXYZ@example.com
	// ann@example.com hard_bounce 5.1.1 550 5.1.1 user unknown
}

func ExampleUnsubscribe() {
	key := mail.NewSecret("rPqfKqXkJ0mOVWIEG7Ltq2cP1Uqg0Jm1wB5nTzF3yXQ=") // openssl rand -base64 32
	u, err := mail.NewUnsubscribe("https://shop.example/unsubscribe", key)
	if err != nil {
		panic(err)
	}
	http.Handle("/unsubscribe", u.Handler(func(ctx context.Context, s mail.Suppression) error {
		return nil // write s into the datatype of suppressions
	}))
	link, err := u.Link("ann@example.com", "newsletter")
	if err != nil {
		panic(err)
	}
	m := mail.Message{To: []string{"ann@example.com"}, Stream: "newsletter", ListUnsubscribe: link}
	fmt.Println(strings.HasPrefix(m.ListUnsubscribe, "https://shop.example/unsubscribe?t="))
	// Output:
	// true
}

package mail_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

// dsn is a report as Postfix writes it, with the fields about its recipients.
func dsn(recipients string) string {
	return crlf(`From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: shop@example.com
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="B/x.example"

This is a MIME-encapsulated message.

--B/x.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

This is the mail system at host mx.example.com. 5.1.1

--B/x.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4F2A
Original-Envelope-Id: 17
Arrival-Date: Thu, 26 Nov 2026 14:00:00 +0000 (UTC)

` + recipients + `
--B/x.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <shop@example.com>
From: shop@example.com
To: ann@example.com
Message-ID: <01KXYZ@example.com>
Subject: Hello

--B/x.example--
`)
}

func TestParseBounce(t *testing.T) {
	b := must(mail.ParseBounce(strings.NewReader(dsn(`Final-Recipient: rfc822; ann@example.com
Original-Recipient: rfc822;Ann@Example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <ann@example.com>: Recipient address
    rejected: User unknown

Final-Recipient: rfc822; bob@example.com
Action: delayed
Status: 4.2.2
`))))
	want := &mail.Bounce{
		Kind: mail.BounceDelivery, MessageID: "01KXYZ@example.com", EnvelopeID: "17", Reporter: "mx.example.com",
		Recipients: []mail.BouncedRecipient{
			{
				Address: "Ann@example.com", Action: "failed", Status: "5.1.1", Class: mail.Hard,
				Diagnostic: "550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown",
			},
			{Address: "bob@example.com", Action: "delayed", Status: "4.2.2", Class: mail.NoBounce},
		},
	}
	if !reflect.DeepEqual(b, want) {
		t.Errorf("%+v, not\n%+v", b, want)
	}
	suppressed := []mail.Suppression{{
		Address: "ann@example.com", Reason: mail.HardBounce, At: queued,
		Detail: "5.1.1 550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown",
	}}
	if got := b.Suppressions(queued); !reflect.DeepEqual(got, suppressed) {
		t.Errorf("suppressed: %+v", got)
	}
}

// TestBounceClasses holds that an address is suppressed only for what is its own fault.
func TestBounceClasses(t *testing.T) {
	for _, c := range []struct {
		action, status, diagnostic string
		class                      mail.BounceClass
	}{
		{"failed", "5.1.1", "", mail.Hard},
		{"Failed", "5.1.1 (bad destination mailbox address)", "", mail.Hard},
		{"failed", "5.1.10", "", mail.Hard},
		{"failed", "5.2.1", "", mail.Hard},
		{"failed", "5.0.0", "smtp; 550-5.1.1 The email account does not exist", mail.Hard}, // Exim
		{"failed", "", "smtp;550 5.1.1 unknown", mail.Hard},
		{"failed", "5.0.0", "smtp; 550 User unknown", mail.Soft},
		{"failed", "5.0.0", "smtp; 550 rejected, see 5.1.1.7", mail.Soft}, // an IP address
		{"failed", "5.0.0", "smtp; 550 blocked [15.1.1]", mail.Soft},
		{"failed", "5.2.2", "smtp; 552 mailbox full", mail.Soft},
		{"failed", "5.7.1", "smtp; 550 5.7.1 spam", mail.Soft},
		{"failed", "5.7.26", "", mail.Soft},
		{"failed", "5.3.4", "", mail.Soft},
		{"failed", "4.4.7", "", mail.Soft},
		{"failed", "", "", mail.Soft},
		{"delayed", "5.1.1", "", mail.NoBounce},
		{"delivered", "2.0.0", "", mail.NoBounce},
		{"", "5.1.1", "", mail.NoBounce},
	} {
		text := fmt.Sprintf("Final-Recipient: rfc822; ann@example.com\nAction: %s\nStatus: %s\nDiagnostic-Code: %s\n", c.action, c.status, c.diagnostic)
		b, err := mail.ParseBounce(strings.NewReader(dsn(text)))
		if err != nil || len(b.Recipients) != 1 || b.Recipients[0].Class != c.class {
			t.Errorf("%+v: %+v, %v", c, b, err)
		}
	}
}

// TestParseBounceTolerates reads what servers send that no standard has.
func TestParseBounceTolerates(t *testing.T) {
	good := dsn("Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\n")
	for name, text := range map[string]string{
		"bare LF":               strings.ReplaceAll(good, "\r\n", "\n"),
		"no type of an address": strings.Replace(good, "rfc822; ann", "ann", 1),
		"brackets":              strings.Replace(good, "rfc822; ann@example.com", "RFC822;<ann@example.com>", 1),
		"cases":                 strings.NewReplacer("Final-Recipient", "FINAL-RECIPIENT", "Action: failed", "action:FAILED", "message/delivery", "Message/Delivery").Replace(good),
		"no report-type":        strings.Replace(good, "report-type=delivery-status;", "", 1),
		"mixed":                 strings.Replace(good, "multipart/report; report-type=delivery-status;", "multipart/mixed;", 1),
		"several empty lines":   strings.Replace(good, "\r\n\r\nFinal", "\r\n\r\n\r\n\r\nFinal", 1),
		"no end":                strings.Replace(good, "--B/x.example--", "", 1),
		"a comment in fields":   strings.Replace(good, "Action: failed", "Action: failed (gave up)", 1),
		"a whole message":       strings.Replace(good, "text/rfc822-headers", "message/rfc822", 1),
		"a broken line":         strings.Replace(good, "Status: 5.1.1", "broken\r\nStatus: 5.1.1", 1),
		"a charset":             strings.Replace(good, "text/plain; charset=utf-8", "text/plain; charset=unheard-of", 1),
		"a forwarded address":   strings.Replace(good, "Action", "Original-Recipient: rfc822;ann+40example.com\r\nAction", 1),
	} {
		b, err := mail.ParseBounce(strings.NewReader(text))
		if err != nil || len(b.Recipients) != 1 || b.MessageID != "01KXYZ@example.com" ||
			b.Recipients[0].Address != "ann@example.com" || b.Recipients[0].Class != mail.Hard {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

func TestParseComplaint(t *testing.T) {
	arf := func(report, original string) string {
		return crlf(`From: <feedback@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

A recipient complained.
--b
Content-Type: message/feedback-report

` + report + `
--b
Content-Type: message/rfc822
Content-Disposition: inline

` + original + `

A text.
--b--
`)
	}
	original := "From: shop@example.com\nTo: Bob <bob@example.com>\nMessage-ID: <a@example.com>"
	report := "Feedback-Type: abuse\nUser-Agent: Provider/1.0\nVersion: 1\n"
	for _, c := range []struct {
		name, text, address string
		class               mail.BounceClass
	}{
		{"named", arf(report+"Original-Rcpt-To: <ann@example.com>\n", original), "ann@example.com", mail.Complained},
		{"by the header", arf(report, original), "bob@example.com", mail.Complained},
		{"removed", arf(report, strings.Replace(original, "bob@", "", 1)), "", ""},
		{"several", arf(report, strings.Replace(original, "Bob <", "x@example.com, Bob <", 1)), "", ""},
		{"none", arf(strings.Replace(report, "abuse", "Not-Spam", 1), original), "bob@example.com", mail.NoBounce},
	} {
		b, err := mail.ParseBounce(strings.NewReader(c.text))
		if err != nil || b.Kind != mail.BounceComplaint || b.MessageID != "a@example.com" || b.Reporter != "Provider/1.0" {
			t.Errorf("%s: %+v, %v", c.name, b, err)
			continue
		}
		if c.address == "" {
			if len(b.Recipients) > 0 {
				t.Errorf("%s: %+v", c.name, b.Recipients)
			}
			continue
		}
		if len(b.Recipients) != 1 || b.Recipients[0].Address != c.address || b.Recipients[0].Class != c.class {
			t.Errorf("%s: %+v", c.name, b.Recipients)
		}
		if got := b.Suppressions(queued); (len(got) == 1) != (c.class == mail.Complained) || len(got) == 1 && got[0] != (mail.Suppression{Address: c.address, Reason: mail.Complaint, Detail: "abuse Provider/1.0", At: queued}) {
			t.Errorf("%s: suppressed %+v", c.name, got)
		}
	}
}

func TestParseBounceRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":        "",
		"an answer":      "From: ann@example.com\r\nSubject: Re: Hello\r\n\r\nFinal-Recipient: rfc822; ann@example.com\r\nStatus: 5.1.1",
		"no header":      "\x00\x01",
		"no boundary":    "Content-Type: multipart/report\r\n\r\n--b\r\n",
		"no parts":       "Content-Type: multipart/report; boundary=b\r\n\r\n",
		"over 10 MiB":    "Content-Type: multipart/report; boundary=b\r\n\r\n" + strings.Repeat("a", 11<<20),
		"many parts":     "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n\r\n", 10000) + "--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--",
		"nested deeply":  strings.Repeat("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 1000),
		"a large header": "X: " + strings.Repeat("a", 11<<20),
	} {
		if b, err := mail.ParseBounce(strings.NewReader(text)); !errors.Is(err, mail.ErrNotBounce) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

// TestParseBounceBounds holds that a report can fill neither memory nor a column, and that its
// text is one printable line.
func TestParseBounceBounds(t *testing.T) {
	one := "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; \x1b[31m\u202e" + strings.Repeat("ü", 2000) + "\n\n"
	b := must(mail.ParseBounce(strings.NewReader(dsn(strings.Repeat(one, 2000)))))
	if len(b.Recipients) > 1000 || len(b.Recipients) == 0 {
		t.Errorf("%d recipients", len(b.Recipients))
	}
	d := b.Recipients[0].Diagnostic
	if len(d) > 1000 || !strings.HasPrefix(d, "[31mü") || strings.ToValidUTF8(d, "?") != d {
		t.Errorf("%d bytes: %q", len(d), d)
	}
}

func FuzzParseBounce(f *testing.F) {
	f.Add(dsn("Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\n"))
	f.Fuzz(func(t *testing.T, text string) {
		b, err := mail.ParseBounce(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, mail.ErrNotBounce) {
				t.Fatal(err)
			}
			return
		}
		for _, s := range b.Suppressions(time.Time{}) {
			if _, err := mail.ParseAddress(s.Address); err != nil || strings.ContainsAny(s.Detail, "\r\n\x00") {
				t.Errorf("%+v: %v", s, err)
			}
		}
	})
}

package mail

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/emersion/go-message"
)

// ErrNotBounce is that a message is no report that ParseBounce reads: an answer by a person, an
// automatic reply, a report in free text.
var ErrNotBounce = errors.New("mail: not a bounce or complaint")

// Bounds of a report.
const (
	maxReport           = 10 << 20 // bytes
	maxReportParts      = 20
	maxReportPart       = 256 << 10 // of a part that is read, in bytes
	maxReportRecipients = 1000
	maxDetail           = 1000
)

// ParseBounce reads a delivery status notification (RFC 3464) or an abuse report in ARF
// (RFC 5965), as servers send them: media types without parameters, fields in other cases,
// addresses with and without a type. It reads at most 10 MiB. A message that is neither is
// ErrNotBounce.
func ParseBounce(r io.Reader) (*Bounce, error) {
	limited := &io.LimitedReader{R: r, N: maxReport + 1}
	e, err := message.Read(limited)
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil, fmt.Errorf("%w: %w", ErrNotBounce, err)
	}
	var p reportParser
	err = p.entity(e, 0)
	switch {
	case limited.N <= 0:
		return nil, fmt.Errorf("%w: over %d bytes", ErrNotBounce, maxReport)
	case p.bounce == nil && err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNotBounce, err)
	case p.bounce == nil:
		return nil, ErrNotBounce
	}
	// What came after an error, such as a boundary that is missing, is not needed: the report
	// itself was read.
	p.bounce.MessageID = p.messageID
	p.complete()
	return p.bounce, nil
}

// reportParser collects what the parts of a report say.
type reportParser struct {
	bounce    *Bounce
	messageID string
	to        []string // recipients in the header of the message
	parts     int
}

// entity reads a part, or the parts in it.
func (p *reportParser) entity(e *message.Entity, depth int) error {
	kind, _, err := e.Header.ContentType()
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(e.Header.Get("Content-Type")), ";")
		kind = strings.TrimSpace(kind)
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		return p.status(e.Body)
	case "message/feedback-report":
		return p.feedback(e.Body)
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		return p.original(e.Body)
	}
	parts := e.MultipartReader()
	if parts == nil || depth > 3 {
		return nil
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			return err
		}
		if p.parts++; p.parts > maxReportParts {
			return nil
		}
		if err := p.entity(part, depth+1); err != nil {
			return err
		}
	}
}

// groups reads the groups of fields that a part consists of. Lines that are no fields are passed
// over, as textproto.Reader would not.
func groups(r io.Reader) ([]textproto.MIMEHeader, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxReportPart))
	if err != nil && len(data) == 0 {
		return nil, err
	}
	var list []textproto.MIMEHeader
	name := "" // of the field before
	for text := range strings.Lines(string(data) + "\n") {
		text = strings.TrimRight(text, "\r\n")
		if text == "" {
			name = ""
			if len(list) > maxReportRecipients {
				return list, nil
			}
			list = append(list, textproto.MIMEHeader{})
			continue
		}
		if len(list) == 0 {
			list = append(list, textproto.MIMEHeader{})
		}
		name = addField(list[len(list)-1], name, text)
	}
	return slices.DeleteFunc(list, func(h textproto.MIMEHeader) bool { return len(h) == 0 }), nil
}

// addField adds a line to the field before, where it begins with a space, or as a new one. It
// returns the field's name; "" is none.
func addField(h textproto.MIMEHeader, before, text string) string {
	if text[0] == ' ' || text[0] == '\t' {
		if values := h[before]; len(values) > 0 {
			values[len(values)-1] += " " + strings.TrimSpace(text)
		}
		return before
	}
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		return ""
	}
	name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
	h.Add(name, strings.TrimSpace(value))
	return name
}

// status reads a message/delivery-status: a group about the message, and one for each
// recipient.
func (p *reportParser) status(r io.Reader) error {
	list, err := groups(r)
	if err != nil {
		return err
	}
	p.report(BounceDelivery)
	for _, h := range list {
		if h.Get("Final-Recipient") == "" && h.Get("Original-Recipient") == "" && h.Get("Action") == "" {
			p.bounce.Reporter = line(typed(h.Get("Reporting-Mta")))
			p.bounce.EnvelopeID = line(h.Get("Original-Envelope-Id"))
			continue
		}
		action, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(h.Get("Action"))), " ")
		b := BouncedRecipient{
			Address:    firstAddress(h.Get("Original-Recipient"), h.Get("Final-Recipient")),
			Action:     action,
			Status:     enhancedStatus(h.Get("Status")),
			Diagnostic: line(typed(h.Get("Diagnostic-Code"))),
		}
		b.Class = classify(b.Action, b.Status, b.Diagnostic)
		p.bounce.Recipients = append(p.bounce.Recipients, b)
	}
	return nil
}

// feedback reads a message/feedback-report.
func (p *reportParser) feedback(r io.Reader) error {
	list, err := groups(r)
	if err != nil {
		return err
	}
	p.report(BounceComplaint)
	if len(list) == 0 {
		return nil
	}
	h := list[0]
	p.bounce.FeedbackType = strings.ToLower(line(h.Get("Feedback-Type")))
	p.bounce.Reporter = line(h.Get("User-Agent"))
	p.bounce.EnvelopeID = line(h.Get("Original-Envelope-Id"))
	for _, text := range h.Values("Original-Rcpt-To") {
		p.complained(text)
	}
	return nil
}

func (p *reportParser) report(kind BounceKind) {
	if p.bounce == nil {
		p.bounce = &Bounce{Kind: kind}
	}
}

// complained adds a recipient of a complaint.
func (p *reportParser) complained(text string) {
	address := firstAddress(text)
	if address == "" || len(p.bounce.Recipients) == maxReportRecipients {
		return
	}
	class := Complained
	if t := p.bounce.FeedbackType; t == "not-spam" || t == "auth-failure" || t == "dmarc" {
		class = NoBounce
	}
	p.bounce.Recipients = append(p.bounce.Recipients, BouncedRecipient{Address: address, Class: class})
}

// original reads the header of the message that the report is about.
func (p *reportParser) original(r io.Reader) error {
	list, err := groups(r)
	if err != nil || len(list) == 0 || p.messageID != "" {
		return err
	}
	h := list[0]
	id := strings.Trim(strings.TrimSpace(h.Get("Message-Id")), "<>")
	if messageIDProblem(id) == "" {
		p.messageID = id
	}
	p.to = append(h.Values("To"), h.Values("Cc")...)
	return nil
}

// complete adds the recipients of a complaint that names none: reporters remove them from the
// report, and leave those of the header, if there is one alone.
func (p *reportParser) complete() {
	if p.bounce.Kind != BounceComplaint || len(p.bounce.Recipients) > 0 {
		return
	}
	list, err := ParseAddressList(strings.Join(p.to, ", "))
	if err == nil && len(list) == 1 {
		p.complained(list[0].Email)
	}
}

// typed removes the type of a value: "rfc822; ann@example.com".
func typed(value string) string {
	if kind, rest, ok := strings.Cut(value, ";"); ok && !strings.ContainsAny(strings.TrimSpace(kind), " @") {
		return rest
	}
	return value
}

// firstAddress returns the first of several values that is an address. One that is encoded as
// RFC 3461 has it ("+40" is "@") is none: to decode it would make "ann+20@example.com" another
// one.
func firstAddress(values ...string) string {
	for _, value := range values {
		a, err := ParseAddress(unbracket(typed(value)))
		if err == nil {
			return a.Email
		}
	}
	return ""
}

var status = regexp.MustCompile(`[245]\.\d{1,3}\.\d{1,3}`)

// enhancedStatus returns the first enhanced status code in text; "" is none. A part of an IP
// address or of a version is not one.
func enhancedStatus(text string) string {
	for _, at := range status.FindAllStringIndex(text, maxReportParts) {
		before, after := text[:at[0]], text[at[1]:]
		if !strings.ContainsAny(last(before), ".0123456789") && !strings.ContainsAny(first(after), ".0123456789") {
			return text[at[0]:at[1]]
		}
	}
	return ""
}

func first(text string) string { return text[:min(len(text), 1)] }

func last(text string) string { return text[max(0, len(text)-1):] }

// line returns text of a report as one printable line.
func line(text string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(text); err == nil {
		text = decoded
	}
	text = strings.Map(func(r rune) rune {
		if isBidi(r) || !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	return strings.ToValidUTF8(text[:min(len(text), maxDetail)], "")
}

package mail

import (
	"fmt"
	"mime"
	"net/textproto"
	"slices"
	"strings"
	"unicode"
)

// Bounds of a message, beside those of addresses and headers. Sizes are in bytes.
const (
	maxRecipients     = 100
	maxReplyTo        = 10
	maxBody           = 10 << 20 // of HTML, and of Plain
	maxAttachments    = 100
	maxAttached       = 35 << 20 // of all attachments together, before they are encoded
	maxFileName       = 255
	maxRef            = 1024
	maxContentID      = 128
	maxTags           = 20
	maxLabel          = 64 // of a tag and a stream
	maxLocale         = 35 // RFC 5646, section 4.4.1
	maxIdempotencyKey = 255
)

// check reports what would stop the message from being sent. It is asked twice: before the
// message is queued, and before it is sent, when hooks may have changed it.
func (o *Outgoing) check(p *problems) {
	if n := len(o.To) + len(o.Cc) + len(o.Bcc); n > maxRecipients {
		p.add("To", "%d recipients in To, Cc and Bcc; at most %d are permitted", n, maxRecipients)
	}
	if len(o.ReplyTo) > maxReplyTo {
		p.add("ReplyTo", "%d addresses; at most %d are permitted", len(o.ReplyTo), maxReplyTo)
	}
	o.checkSubject(p)
	o.checkHeaders(p)
	checkBody(p, "HTML", o.HTML)
	checkBody(p, "Plain", o.Plain)
	if o.HTML == "" && o.Plain == "" && len(o.Attachments) == 0 {
		p.add("Plain", "no content: HTML, Plain and Attachments are empty")
	}
	o.checkAttachments(p)
	if o.ListUnsubscribe != "" {
		p.check("ListUnsubscribe", unsubscribeProblem(o.ListUnsubscribe))
	}
	checkLabel(p, "Stream", o.Stream, maxLabel)
	checkLabel(p, "Locale", o.Locale, maxLocale)
	if len(o.Tags) > maxTags {
		p.add("Tags", "%d tags; at most %d are permitted", len(o.Tags), maxTags)
		return
	}
	for i, tag := range o.Tags {
		field := fmt.Sprintf("Tags[%d]", i)
		checkLabel(p, field, tag, maxLabel)
		if tag == "" {
			p.add(field, "an empty tag")
		}
	}
}

// checkAddresses reports addresses that ParseAddress would not have returned: hooks can make
// some.
func (o *Outgoing) checkAddresses(p *problems) {
	check := func(field string, list []Address) {
		for i, a := range list {
			if problem := a.normalise(); problem != "" {
				p.add(fmt.Sprintf("%s[%d]", field, i), "%q: %s", a.Email, problem)
			}
		}
	}
	if from := o.From; from.normalise() != "" {
		p.add("From", "%q: %s", o.From.Email, from.normalise())
	}
	check("To", o.To)
	check("Cc", o.Cc)
	check("Bcc", o.Bcc)
	check("ReplyTo", o.ReplyTo)
	if len(o.To)+len(o.Cc)+len(o.Bcc) == 0 {
		p.add("To", "no recipient in To, Cc and Bcc")
	}
}

func (o *Outgoing) checkSubject(p *problems) {
	if problem := lineProblem(o.Subject); problem != "" {
		p.add("Subject", "%s", problem)
		return
	}
	if n := len("Subject: ") + len(encodeHeader(o.Subject)); n > maxLine {
		p.add("Subject", "%d bytes as it is encoded; at most %d are permitted", n, maxLine)
	}
}

func (o *Outgoing) checkHeaders(p *problems) {
	if len(o.Headers) > maxHeaders {
		p.add("Headers", "%d headers; at most %d are permitted", len(o.Headers), maxHeaders)
		return
	}
	size := 0
	seen := map[string]string{}
	for _, name := range headerNames(o.Headers) {
		field, value := fmt.Sprintf("Headers[%q]", name), o.Headers[name]
		size += len(name) + len(value)
		p.check(field, headerNameProblem(name))
		if size > maxHeaderSize {
			p.add("Headers", "over %d bytes", maxHeaderSize)
			return
		}
		p.check(field, headerProblem(value))
		key := textproto.CanonicalMIMEHeaderKey(name)
		if other, twice := seen[key]; twice {
			p.add(field, "the same header as %q", other)
		}
		seen[key] = name
	}
}

// headerNames returns the names in the order in which they are sent.
func headerNames(headers map[string]string) []string {
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func checkBody(p *problems, field, text string) {
	if len(text) > maxBody {
		p.add(field, "%d bytes; at most %d are permitted", len(text), maxBody)
		return
	}
	p.check(field, bodyProblem(text))
}

// checkLabel reports what cannot be in a short text of the program's own.
func checkLabel(p *problems, field, text string, most int) {
	if len(text) > most {
		p.add(field, "%d bytes; at most %d are permitted", len(text), most)
		return
	}
	p.check(field, lineProblem(text))
}

func (o *Outgoing) checkAttachments(p *problems) {
	if len(o.Attachments) > maxAttachments {
		p.add("Attachments", "%d files; at most %d are permitted", len(o.Attachments), maxAttachments)
		return
	}
	size := 0
	seen := map[string]bool{}
	for i, file := range o.Attachments {
		field := fmt.Sprintf("Attachments[%d].", i)
		size += len(file.Data)
		p.check(field+"Name", fileNameProblem(file.Name))
		p.check(field+"Type", typeProblem(file.Type))
		checkLabel(p, field+"Ref", file.Ref, maxRef)
		if file.ContentID == "" {
			continue
		}
		p.check(field+"ContentID", contentIDProblem(file.ContentID))
		switch {
		case seen[file.ContentID]:
			p.add(field+"ContentID", "two attachments have %q", file.ContentID)
		case o.HTML == "":
			p.add(field+"ContentID", "no HTML that shows it")
		}
		seen[file.ContentID] = true
	}
	if size > maxAttached {
		p.add("Attachments", "%d bytes together; at most %d are permitted", size, maxAttached)
	}
}

// fileNameProblem says why an attachment cannot have this name.
func fileNameProblem(name string) string {
	switch {
	case name == "":
		return "no name"
	case len(name) > maxFileName:
		return fmt.Sprintf("%d bytes; at most %d are permitted", len(name), maxFileName)
	case strings.ContainsAny(name, `/\`) || name == "." || name == "..":
		return fmt.Sprintf("%q is a path", name)
	}
	if problem := lineProblem(name); problem != "" {
		return problem
	}
	for _, r := range name {
		if isBidi(r) || unicode.Is(unicode.Cf, r) && r != '\u200C' && r != '\u200D' {
			return fmt.Sprintf("%U, an invisible character that hides what the name is", r)
		}
	}
	return ""
}

// typeProblem says why an attachment cannot have this media type.
func typeProblem(text string) string {
	if text == "" {
		return ""
	}
	if problem := lineProblem(text); problem != "" {
		return problem
	}
	kind, params, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(kind, "/") || len(text) > maxFileName || mime.FormatMediaType(kind, params) == "" {
		return fmt.Sprintf("%.100q is not a media type", text)
	}
	if strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		return fmt.Sprintf("%q cannot be encoded, as files are; use %s", kind, anyType)
	}
	return ""
}

func contentIDProblem(id string) string {
	if len(id) > maxContentID {
		return fmt.Sprintf("%d bytes; at most %d are permitted", len(id), maxContentID)
	}
	return idProblem(id)
}

// idProblem says which character an id cannot have.
func idProblem(id string) string {
	for _, r := range id {
		if r != '.' && r != '@' && (r >= 0x80 || !isAtext(r)) {
			return fmt.Sprintf("%q in it; letters, digits and -_.@+ are permitted", r)
		}
	}
	return ""
}

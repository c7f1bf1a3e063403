package mail

import (
	"crypto/rand"
	"fmt"
	"mime"
	"path"
	"strings"
	"time"

	"github.com/inbucket/html2text"
	"github.com/oklog/ulid/v2"
)

// Prepare checks everything that would stop the message from being sent, and returns it as it is
// sent: addresses parsed, Plain derived from HTML where it is empty, media types of attachments
// by their names, Message-ID and Date fixed. Date is now, or SendAt where that is later. Send
// calls it before it adds a row.
//
// The error has everything that is wrong, one line each: errors.Is(err, ErrInvalid) holds, and
// errors.As finds an *InvalidError.
func (m Message) Prepare(now time.Time) (*Outgoing, error) {
	var p problems
	o := &Outgoing{
		Date:            now.UTC().Truncate(time.Second),
		Subject:         strings.Trim(m.Subject, " "),
		HTML:            m.HTML,
		Plain:           m.Plain,
		Headers:         trimmed(m.Headers),
		Attachments:     attachments(&p, m.Attachments),
		ListUnsubscribe: listUnsubscribe(m.ListUnsubscribe),
		Stream:          m.Stream,
		Locale:          m.Locale,
		Tags:            m.Tags,
	}
	if m.SendAt.After(now) {
		o.Date = m.SendAt.UTC().Truncate(time.Second)
	}
	if from := addresses(&p, "From", []string{m.From}); len(from) == 1 {
		o.From = from[0]
	}
	o.To = addresses(&p, "To", m.To)
	o.Cc = addresses(&p, "Cc", m.Cc)
	o.Bcc = addresses(&p, "Bcc", m.Bcc)
	o.ReplyTo = addresses(&p, "ReplyTo", m.ReplyTo)
	if len(m.To)+len(m.Cc)+len(m.Bcc) == 0 {
		p.add("To", "no recipient in To, Cc and Bcc")
	}
	checkLabel(&p, "IdempotencyKey", m.IdempotencyKey, maxIdempotencyKey)
	o.check(&p)
	if err := p.err(); err != nil {
		return nil, err
	}
	var err error
	if o.Plain == "" && o.HTML != "" {
		if o.Plain, err = plainText(o.HTML); err != nil {
			return nil, err
		}
	}
	if o.MessageID, err = newMessageID(o.Date, o.From.Domain()); err != nil {
		return nil, err
	}
	return o, nil
}

// addresses parses entries of a field, and reports those that are none.
func addresses(p *problems, field string, entries []string) []Address {
	if len(entries) > maxRecipients {
		p.add(field, "%d addresses; at most %d are permitted", len(entries), maxRecipients)
		return nil
	}
	var list []Address
	for i, entry := range entries {
		a, problem := parseAddress(entry)
		if problem == "" {
			list = append(list, a)
			continue
		}
		if field != "From" {
			p.add(fmt.Sprintf("%s[%d]", field, i), "%s", problem)
		} else {
			p.add(field, "%s", problem)
		}
	}
	return list
}

func trimmed(headers map[string]string) map[string]string {
	if len(headers) == 0 {
		return nil
	}
	out := make(map[string]string, len(headers))
	for name, value := range headers {
		out[name] = strings.Trim(value, " ")
	}
	return out
}

// attachments returns files with a media type each.
func attachments(p *problems, files []Attachment) []Attachment {
	if len(files) == 0 || len(files) > maxAttachments { // which check reports
		return files
	}
	out := make([]Attachment, len(files))
	for i, file := range files {
		if (file.Data == nil) == (file.Ref == "") {
			p.add(fmt.Sprintf("Attachments[%d]", i), "exactly one of Data and Ref is given")
		}
		if file.Type == "" {
			file.Type = typeByName(file.Name)
		}
		out[i] = file
	}
	return out
}

// anyType is the media type of files about which nothing is known.
const anyType = "application/octet-stream"

// typeByName returns the media type for a file's name. It is stored: the table that it is looked
// up in differs between machines, and each attempt sends the same bytes.
func typeByName(name string) string {
	found := mime.TypeByExtension(path.Ext(name))
	if found == "" || typeProblem(found) != "" {
		return anyType
	}
	return found
}

// listUnsubscribe returns ListUnsubscribe in the form that Message documents.
func listUnsubscribe(text string) string {
	web, mailto := splitUnsubscribe(text)
	if mailto == "" {
		return web
	}
	return web + ", " + mailto
}

// newMessageID returns an id that no other message has. Its first half is a ULID, whose time is
// that of Date.
func newMessageID(date time.Time, domain string) (string, error) {
	id, err := ulid.New(ulid.Timestamp(date), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("mail: Message-ID: %w", err)
	}
	return id.String() + "@" + domain, nil
}

// plainText returns what HTML says, as text: for people and programs that show no HTML.
func plainText(html string) (string, error) {
	text, err := html2text.FromString(html)
	if err != nil {
		return "", &InvalidError{Field: "HTML", Problem: "no text can be derived from it (" + err.Error() + "); set Plain"}
	}
	var p problems
	checkBody(&p, "Plain, derived from HTML", text)
	return text, p.err()
}

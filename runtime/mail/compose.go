package mail

import (
	"fmt"
	"maps"
	"mime"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/mail/internal/entity"
)

// Compose returns the message as it is sent, without a DKIM signature: RFC 5322 and MIME, lines
// ended by CRLF and none of them over 998 bytes. It is the same each time, so that an attempt
// after a lost answer sends the message that the server may have. Recipients of Bcc are in no
// header.
//
// Everything is checked again, because hooks may have changed the message; see Prepare.
func (o *Outgoing) Compose() ([]byte, error) {
	var p problems
	o.checkAddresses(&p)
	o.check(&p)
	p.check("MessageID", messageIDProblem(o.MessageID))
	for i, file := range o.Attachments {
		if file.Ref != "" && file.Data == nil {
			p.add(fmt.Sprintf("Attachments[%d]", i), "%q is not read", file.Ref)
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	root := o.body()
	root.Fields = append(o.header(), root.Fields...)
	return root.Bytes(o.MessageID)
}

func messageIDProblem(id string) string {
	at := strings.IndexByte(id, '@')
	if at < 1 || at == len(id)-1 || len(id) > maxEmail+maxLocal {
		return fmt.Sprintf("%.100q is not an id", id)
	}
	return idProblem(id)
}

// Recipients returns those of To, Cc and Bcc, each mailbox once.
func (o *Outgoing) Recipients() []Address {
	list := make([]Address, 0, len(o.To)+len(o.Cc)+len(o.Bcc))
	seen := map[string]bool{}
	for _, some := range [][]Address{o.To, o.Cc, o.Bcc} {
		for _, a := range some {
			if key := a.Key(); !seen[key] {
				seen[key] = true
				list = append(list, a)
			}
		}
	}
	return list
}

// NeedsUTF8 reports whether only a server with SMTPUTF8 (RFC 6531) can take the message: whether
// an address has a local part that is not ASCII.
func (o *Outgoing) NeedsUTF8() bool {
	for _, some := range [][]Address{{o.From}, o.To, o.Cc, o.Bcc, o.ReplyTo} {
		for _, a := range some {
			if _, ascii := a.ASCII(); !ascii {
				return true
			}
		}
	}
	return false
}

// header returns the fields of the message, in the order in which people expect them.
func (o *Outgoing) header() []entity.Field {
	fields := []entity.Field{
		{Name: "Date", Value: o.Date.UTC().Format(time.RFC1123Z)},
		{Name: "From", Value: o.From.String()},
	}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, entity.Field{Name: name, Value: value})
		}
	}
	add("To", headerList(o.To))
	if len(o.To)+len(o.Cc) == 0 {
		add("To", "undisclosed-recipients:;")
	}
	add("Cc", headerList(o.Cc))
	add("Reply-To", headerList(o.ReplyTo))
	add("Subject", encodeHeader(o.Subject))
	add("Message-ID", "<"+o.MessageID+">")
	for _, name := range headerNames(o.Headers) {
		add(name, encodeHeader(o.Headers[name]))
	}
	if o.ListUnsubscribe != "" {
		web, mailto := splitUnsubscribe(o.ListUnsubscribe)
		urls := "<" + web + ">"
		if mailto != "" {
			urls += ", <" + mailto + ">"
		}
		add("List-Unsubscribe", urls)
		add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	add("MIME-Version", "1.0")
	return fields
}

func headerList(list []Address) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}

// body returns the content: text, or alternatives of it, HTML with the files that it shows, and
// attachments behind it.
func (o *Outgoing) body() *entity.Entity {
	var shown, attached []*entity.Entity
	for _, file := range o.Attachments {
		if file.ContentID != "" {
			shown = append(shown, fileEntity(file))
		} else {
			attached = append(attached, fileEntity(file))
		}
	}
	content := o.text(shown)
	if len(attached) == 0 {
		return content
	}
	parts := attached
	if content != nil {
		parts = append([]*entity.Entity{content}, attached...)
	}
	return &entity.Entity{Type: "multipart/mixed", Parts: parts}
}

// text returns the text of the message; nil means that there is none.
func (o *Outgoing) text(shown []*entity.Entity) *entity.Entity {
	plain := &entity.Entity{Type: "text/plain; charset=utf-8", Text: &o.Plain}
	if o.HTML == "" {
		if o.Plain == "" {
			return nil
		}
		return plain
	}
	html := &entity.Entity{Type: "text/html; charset=utf-8", Text: &o.HTML}
	if len(shown) > 0 {
		html = &entity.Entity{Type: "multipart/related", Parts: append([]*entity.Entity{html}, shown...)}
	}
	if o.Plain == "" {
		return html
	}
	return &entity.Entity{Type: "multipart/alternative", Parts: []*entity.Entity{plain, html}}
}

// fileEntity returns a file. Its name is written twice: as RFC 2231 has it, and, for programs
// that do not know that, as encoded words in Content-Type.
func fileEntity(file Attachment) *entity.Entity {
	disposition := "attachment"
	if file.ContentID != "" {
		disposition = "inline"
	}
	fields := []entity.Field{{
		Name:  "Content-Disposition",
		Value: mime.FormatMediaType(disposition, map[string]string{"filename": file.Name}),
	}}
	if file.ContentID != "" {
		fields = append(fields, entity.Field{Name: "Content-ID", Value: "<" + file.ContentID + ">"})
	}
	return &entity.Entity{Fields: fields, Type: fileType(file), File: file.Data}
}

func fileType(file Attachment) string {
	kind, params, err := mime.ParseMediaType(file.Type)
	if err != nil { // none is given: anything else was refused
		kind = anyType
	}
	params = maps.Clone(params)
	if params == nil {
		params = map[string]string{}
	}
	params["name"] = encodeHeader(file.Name)
	return mime.FormatMediaType(kind, params)
}

package mailtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // further charsets
	gomail "github.com/emersion/go-message/mail"
)

// Message is a message that arrived.
type Message struct {
	// From, To, UTF8 and Size are what the client said in MAIL and RCPT: the envelope.
	From string
	To   []string
	UTF8 bool
	Size int64
	// Hello is the client's name in EHLO, User what it proved to be, TLS whether the connection
	// was encrypted, and Connection which of the server's connections it was, from 1.
	Hello, User string
	TLS         bool
	Connection  int

	// Raw is the message as it arrived.
	Raw []byte
	// Subject, Date, Text and HTML are of the message, decoded.
	Subject     string
	Date        time.Time
	Text, HTML  string
	Attachments []Attachment
	// Err is why the message could not be parsed.
	Err error

	header gomail.Header
}

// Attachment is a part of a message that is not its text.
type Attachment struct {
	Name, Type, ContentID string
	Inline                bool
	Data                  []byte
}

// Address is a display name, decoded, and an address.
type Address struct{ Name, Email string }

// Header returns a header field, decoded; "" where there is none.
func (m Message) Header(name string) string {
	text, err := m.header.Text(name)
	if err != nil {
		return m.header.Get(name)
	}
	return text
}

// Headers returns all fields of a name as they were written, first to last.
func (m Message) Headers(name string) []string { return m.header.Values(name) }

// Addresses returns the addresses in a header field, such as "To" or "Reply-To"; none where the
// field is missing or cannot be parsed.
func (m Message) Addresses(name string) []Address {
	list, err := m.header.AddressList(name)
	if err != nil {
		return nil
	}
	addresses := make([]Address, len(list))
	for i, a := range list {
		addresses[i] = Address{Name: a.Name, Email: a.Address}
	}
	return addresses
}

// Parse returns a message that was stored as bytes, such as a file of mail.File.
func Parse(data []byte) (Message, error) {
	m := Message{Raw: data}
	m.parse()
	return m, m.Err
}

func (m *Message) parse() {
	r, err := gomail.CreateReader(bytes.NewReader(m.Raw))
	if err != nil {
		m.Err = fmt.Errorf("mailtest: the headers: %w", err)
		return
	}
	defer r.Close()
	m.header = r.Header
	if m.Subject, err = r.Header.Subject(); err != nil {
		m.Err = fmt.Errorf("mailtest: Subject: %w", err)
	}
	if r.Header.Has("Date") {
		if m.Date, err = r.Header.Date(); err != nil {
			m.Err = fmt.Errorf("mailtest: Date: %w", err)
		}
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = m.add(part)
		}
		if err != nil {
			m.Err = fmt.Errorf("mailtest: a part: %w", err)
			return
		}
	}
}

// add adds a part: the first text, the first HTML, or an attachment.
func (m *Message) add(part *gomail.Part) error {
	data, err := io.ReadAll(part.Body)
	if err != nil {
		return err
	}
	var header message.Header
	a := Attachment{Data: data}
	switch h := part.Header.(type) {
	case *gomail.InlineHeader:
		header, a.Inline = h.Header, true
	case *gomail.AttachmentHeader:
		header = h.Header
		if a.Name, err = h.Filename(); err != nil {
			return err
		}
	}
	var params map[string]string
	if a.Type, params, err = header.ContentType(); err != nil {
		return err
	}
	switch {
	case a.Inline && a.Type == "text/plain" && m.Text == "":
		m.Text = string(data)
		return nil
	case a.Inline && a.Type == "text/html" && m.HTML == "":
		m.HTML = string(data)
		return nil
	}
	if a.Name == "" {
		a.Name = params["name"]
	}
	if _, disposition, err := header.ContentDisposition(); err == nil && a.Name == "" {
		a.Name = disposition["filename"]
	}
	a.ContentID = string(bytes.Trim([]byte(header.Get("Content-Id")), "<> "))
	m.Attachments = append(m.Attachments, a)
	return nil
}

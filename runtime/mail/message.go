package mail

import (
	"time"
)

// Message is what Send adds to a mailbox.
type Message struct {
	// From is one address, "Shop <shop@example.com>".
	From string
	// To, Cc, Bcc and ReplyTo hold one address each entry, with or without a display name. One
	// of To, Cc and Bcc has an address. Recipients of Bcc are in no header.
	To, Cc, Bcc, ReplyTo []string
	Subject              string
	// HTML and Plain are the body. Where Plain is empty it is derived from HTML.
	HTML, Plain string
	// Headers are further headers; those that other fields of Message write are refused.
	Headers     map[string]string
	Attachments []Attachment
	// SendAt is when the message becomes due; zero means now.
	SendAt time.Time
	// ListUnsubscribe is the https URL of one-click unsubscription (RFC 8058), with or without
	// a mailto: URL behind a comma. See Unsubscribe.
	ListUnsubscribe string
	// Stream is what recipients unsubscribe from, such as "newsletter"; "" means all mail.
	Stream string
	// Locale and Tags are for the program's own use, and for hooks.
	Locale string
	Tags   []string
	// IdempotencyKey makes one message of several that are added with the same key; "" means
	// that each is one of its own.
	IdempotencyKey string
}

// Attachment is a file of a message.
type Attachment struct {
	// Name is the file's name. A path is refused.
	Name string
	// Type is the media type, such as "application/pdf"; "" means that the name's ending says.
	Type string
	// Data are the file's bytes. Exactly one of Data and Ref is given.
	Data []byte
	// Ref names the file for Options.Attachment, which reads it when the message is sent.
	Ref string
	// ContentID makes an attachment one that HTML shows, as <img src="cid:...">.
	ContentID string
}

// Address is one mailbox of RFC 5322, checked and normalised: the domain in lower case and, in
// what SMTP is sent, as ASCII.
type Address struct {
	Name  string // display name, decoded; "" is none
	Email string // local part as written, "@", domain in lower case (Unicode)
}

// Outgoing is a message that is about to be sent, as hooks and transports see it.
type Outgoing struct {
	Mailbox   string // the datatype
	ID        int64  // of the row
	Attempt   int    // 1 for the first
	MessageID string // without angle brackets; fixed when the message was queued
	Date      time.Time

	From                 Address
	To, Cc, Bcc, ReplyTo []Address
	Subject, HTML, Plain string
	Headers              map[string]string
	Attachments          []Attachment // Data is read, also of those with a Ref
	ListUnsubscribe      string
	Stream, Locale       string
	Tags                 []string
}

package outbox

import (
	"encoding/json"
	"fmt"

	"github.com/hegner123/modulagen/runtime/mail"
)

// What became of a recipient.
const (
	recipientSent       = "sent"       // a server accepted the message
	recipientRefused    = "refused"    // a server refused the recipient, and will
	recipientSuppressed = "suppressed" // no mail is sent to the address
	recipientWaiting    = "waiting"    // a server refused the recipient for now
)

// recipient is one of several recipients of a message, as it is stored.
type recipient struct {
	Address string `json:"address"`
	State   string `json:"state"`
	Reply   string `json:"reply,omitempty"` // of the server, or why it is suppressed

	of mail.Address
}

// recipients are those of one message, each once.
type recipients []*recipient

// recipientsOf returns the recipients of a message, with what became of them in earlier
// attempts. The first attempt of those that a person has asked for begins anew, but with those
// to whom it was sent.
func recipientsOf(o *mail.Outgoing, r *Row) (recipients, error) {
	var stored []recipient
	if err := decode("Recipients", r.Recipients, &stored, "what mail has written"); err != nil {
		return nil, err
	}
	before := map[string]recipient{}
	for _, one := range stored {
		before[one.Address] = one
	}
	var out recipients
	for _, a := range o.Recipients() {
		one := &recipient{Address: a.Email, State: recipientWaiting, of: a}
		if was := before[a.Email]; was.State == recipientSent || o.Attempt > 1 && was.State != "" {
			one.State, one.Reply = was.State, was.Reply
		}
		out = append(out, one)
	}
	return out, nil
}

// waiting returns those whom the message is still to be sent to.
func (rs recipients) waiting() recipients {
	var out recipients
	for _, r := range rs {
		if r.State == recipientWaiting {
			out = append(out, r)
		}
	}
	return out
}

// any reports whether one is in a state.
func (rs recipients) any(state string) bool {
	for _, r := range rs {
		if r.State == state {
			return true
		}
	}
	return false
}

// keys returns what suppressions are looked up by.
func (rs recipients) keys() []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.of.Key()
	}
	return out
}

// suppress notes which recipients get no mail of a stream.
func (rs recipients) suppress(found map[string][]*Suppression, stream string) {
	for _, r := range rs {
		if why := reason(found[r.of.Key()], stream); why != "" {
			r.State, r.Reply = recipientSuppressed, why
		}
	}
}

// refuse notes what a server answered about recipients, and returns those that it will never
// accept.
func (rs recipients) refuse(refused []mail.Refusal) []mail.Refusal {
	byEnvelope := map[string]*recipient{}
	for _, r := range rs {
		byEnvelope[envelopeAddress(r.of)] = r
	}
	var final []mail.Refusal
	for _, one := range refused {
		r := byEnvelope[one.Address]
		if r == nil {
			continue
		}
		r.Reply = one.Reply.String()
		if r.State = recipientRefused; one.Reply.Temporary() {
			r.State = recipientWaiting
			continue
		}
		final = append(final, mail.Refusal{Address: r.Address, Reply: one.Reply})
	}
	return final
}

// accept notes that a server accepted the message for those whom it did not refuse.
func (rs recipients) accept(refused []mail.Refusal) {
	not := map[string]bool{}
	for _, one := range refused {
		not[one.Address] = true
	}
	for _, r := range rs {
		if !not[envelopeAddress(r.of)] {
			r.State, r.Reply = recipientSent, ""
		}
	}
}

// envelopeAddress is an address as SMTP has it: as ASCII, where that can be.
func envelopeAddress(a mail.Address) string {
	text, _ := a.ASCII()
	return text
}

// err is why the message was not sent to all; nil where it was.
func (rs recipients) err() error {
	text, n := "", 0
	for _, r := range rs {
		if r.State == recipientSent {
			continue
		}
		if n++; n <= 3 {
			text += fmt.Sprintf("; %s: %s, %s", r.Address, r.State, r.Reply)
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("mail: %d of %d recipients did not get the message%s", n, len(rs), text)
}

// stored returns the recipients as they are kept.
func (rs recipients) stored() ([]byte, error) { return json.Marshal(rs) }

package mail

import (
	"time"
)

// BounceKind is what kind of a report ParseBounce read.
type BounceKind string

// Kinds of reports.
const (
	BounceDelivery  BounceKind = "delivery"  // a delivery status notification (RFC 3464)
	BounceComplaint BounceKind = "complaint" // an abuse report (RFC 5965)
)

// Bounce is a report about a message that was sent.
type Bounce struct {
	Kind BounceKind
	// MessageID is that of the message, without angle brackets; "" where the report has none.
	MessageID string
	// EnvelopeID is what the sender gave the server with the message (RFC 3461); "" is none.
	EnvelopeID string
	// Reporter is the server or program that wrote the report; "" is unknown.
	Reporter string
	// FeedbackType is that of a complaint, such as "abuse"; "not-spam" is none.
	FeedbackType string
	Recipients   []BouncedRecipient
}

// BouncedRecipient is what a report says about one recipient.
type BouncedRecipient struct {
	// Address is that which the message was sent to, where the report has it, and otherwise the
	// one that it was forwarded to; it is checked, and "" where none is valid.
	Address string
	// Action is "failed", "delayed", "delivered", "relayed" or "expanded"; "" of a complaint.
	Action string
	// Status is the enhanced status code, such as "5.1.1" (RFC 3463); "" is none.
	Status string
	// Diagnostic is what the server answered, in one line of at most 1,000 bytes.
	Diagnostic string
	// Class is what follows from them.
	Class BounceClass
}

// BounceClass is what a program does about a recipient.
type BounceClass string

// Classes of what is reported about a recipient.
const (
	Hard       BounceClass = "hard"      // the address is at fault: send it nothing any more
	Soft       BounceClass = "soft"      // the message was not delivered, the address may be good
	Complained BounceClass = "complaint" // send it nothing any more
	NoBounce   BounceClass = "none"      // it was delivered, or still may be
)

// Suppressions returns the addresses that are not to be sent to any more. A complaint and an
// address that does not exist concern all mail: Stream is "".
//
// Anybody can send a report. A program that acts on them compares MessageID with the messages
// that it has sent to the address, or takes reports from its own server alone.
func (b *Bounce) Suppressions(now time.Time) []Suppression {
	var list []Suppression
	for _, r := range b.Recipients {
		reason := map[BounceClass]SuppressionReason{Hard: HardBounce, Complained: Complaint}[r.Class]
		a, err := ParseAddress(r.Address)
		if reason == "" || err != nil {
			continue
		}
		detail := line(r.Status + " " + r.Diagnostic)
		if r.Class == Complained {
			detail = line(b.FeedbackType + " " + b.Reporter)
		}
		list = append(list, Suppression{Address: a.Key(), Reason: reason, Detail: detail, At: now})
	}
	return list
}

// addressStatuses are the enhanced status codes under which the address is at fault
// (RFC 3463; 5.1.10 is RFC 7505). Others of 5.x.x are of the message (too large, refused as
// spam), of the sender, or of the server, and pass.
var addressStatuses = map[string]bool{
	"5.1.0":  true, // other address status
	"5.1.1":  true, // no such mailbox
	"5.1.2":  true, // no such domain
	"5.1.3":  true, // not an address
	"5.1.6":  true, // moved without a new address
	"5.1.10": true, // the domain takes no mail
	"5.2.1":  true, // disabled
}

// classify returns what follows from an action and a status.
func classify(action, status, diagnostic string) BounceClass {
	if action != "failed" {
		return NoBounce
	}
	if addressStatuses[status] {
		return Hard
	}
	if status == "5.0.0" || status == "" { // says nothing: servers write it where they have no better
		if replied := enhancedStatus(diagnostic); replied != "" && replied != status {
			return classify(action, replied, "")
		}
	}
	return Soft
}

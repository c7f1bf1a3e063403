package mail

import "time"

// Suppression is an address that gets no more mail.
type Suppression struct {
	Address string
	Stream  string // of which it gets none, such as "newsletter"; "" means no mail at all
	Reason  SuppressionReason
	Detail  string // what was answered or reported; at most 1,000 characters
	At      time.Time
}

// SuppressionReason is why an address gets no more mail.
type SuppressionReason string

// The reasons of suppressions.
const (
	HardBounce   SuppressionReason = "hard_bounce"  // the mailbox does not exist
	Complaint    SuppressionReason = "complaint"    // the recipient reported the mail as unwanted
	Unsubscribed SuppressionReason = "unsubscribed" // the recipient asked for no more
	Manual       SuppressionReason = "manual"       // a person decided it
)

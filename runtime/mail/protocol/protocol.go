// Package protocol holds what the generator and the runtime of mail share: how long the texts
// are that the runtime writes.
package protocol

// The most characters of what is stored of a message.
const (
	MaxAddress     = 320      // one address, with what SMTP permits of local part and domain
	MaxMessageID   = 255      // a Message-ID
	MaxStream      = 100      // the name of a stream
	MaxDomain      = 253      // of the first recipient
	MaxDetail      = 1_000    // what was answered
	MaxRecipients  = 200_000  // what became of each recipient, as JSON
	MaxAttachments = 16 << 20 // bytes of files as JSON, as many as a column of bytes holds
	MaxHeaders     = 65_535   // further headers, as JSON
)

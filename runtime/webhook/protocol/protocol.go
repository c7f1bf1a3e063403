// Package protocol is what the generator and package delivery agree on: how much the columns
// of webhooks have to hold. Programs have no use for it.
package protocol

// What is written at most: characters of a text, bytes of a document.
const (
	MaxBody            = 1 << 20  // of a request, whose bytes are counted
	MaxURL             = 8 << 10  // as a template makes it
	MaxError           = 2_000    // of an attempt
	MaxResponse        = 16 << 10 // of a response's body
	MaxShownHeaders    = 8 << 10  // of a response's headers, names and values together
	MaxResponseHeaders = 64 << 10 // of these as JSON, which escapes a character in six at most
	MaxReason          = 500      // why a request was switched off
)

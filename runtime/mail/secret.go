package mail

import (
	"fmt"
	"io"
	"log/slog"
)

// masked stands where a secret would.
const masked = "***"

// A Secret is a password. Printed, logged and encoded, it is "***". The zero value is none.
type Secret struct {
	// text is a function so that a printer which goes by reflection, as fmt does for
	// unexported fields, finds an address and not the password.
	text func() string
}

// NewSecret returns a secret that [Secret.Reveal] returns as text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: func() string { return text }}
}

// Reveal returns the secret as text, "" for the zero value.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}

// Format prints "***", whatever the verb. [Secret.Reveal] returns the secret.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, masked) }

// LogValue returns "***", for log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText returns "***", for encoding/json and other encodings. What it returns
// cannot be read back.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

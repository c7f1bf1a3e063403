package webhook

import (
	"fmt"
	"io"
	"log/slog"
)

// masked stands where a secret would.
const masked = "***"

// Format prints "***", whatever the verb. [Secret.Reveal] returns the secret.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, masked) }

// LogValue returns "***", for log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText returns "***", for encoding/json and other encodings. What it returns
// cannot be read back.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Format prints "***", whatever the verb. [SigningKey.Reveal] returns the key.
func (SigningKey) Format(f fmt.State, _ rune) { io.WriteString(f, masked) }

// LogValue returns "***", for log/slog.
func (SigningKey) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText returns "***", for encoding/json and other encodings. What it returns
// cannot be read back.
func (SigningKey) MarshalText() ([]byte, error) { return []byte(masked), nil }

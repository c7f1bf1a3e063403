package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the headers, in the form that http.Header keeps them.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Versions of signatures.
const (
	versionSecret = "v1"  // HMAC-SHA256
	versionPublic = "v1a" // ed25519
)

const (
	maxID        = 255
	maxTimestamp = 253402300799 // the last second of the year 9999
)

// ErrInvalidMessage says that Sign was called with an ID or a time that cannot be sent.
var ErrInvalidMessage = errors.New("webhook: invalid message")

// Sign returns the three headers of a message: its ID, the time of this attempt to
// deliver it, and a signature by each key. While keys rotate, sign with the old and the
// new one. The body must be sent as exactly these bytes.
//
// The ID is the same in all attempts, for the receiver knows duplicates by it. It is 1 to
// 255 printable ASCII characters, without spaces and dots. The time is sent in whole
// seconds. An ID or a time that cannot be sent is ErrInvalidMessage; no keys, more than
// 16, and zero ones are ErrInvalidKey.
func Sign(id string, at time.Time, body []byte, keys ...Signer) (http.Header, error) {
	if err := CheckID(id); err != nil {
		return nil, err
	}
	seconds := at.Unix()
	if seconds < 0 || seconds > maxTimestamp {
		return nil, fmt.Errorf("%w: the time is not within the years 1970 to 9999; pass that of the attempt", ErrInvalidMessage)
	}
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	timestamp := strconv.FormatInt(seconds, 10)
	content := signedContent(id, timestamp, body)
	signatures := make([]string, len(keys))
	for i, key := range keys {
		signatures[i] = key.sign(content)
	}
	return http.Header{
		HeaderID:        {id},
		HeaderTimestamp: {timestamp},
		HeaderSignature: {strings.Join(signatures, " ")},
	}, nil
}

// CheckID reports what keeps an ID from being signed, as ErrInvalidMessage.
func CheckID(id string) error {
	if why := badID(id); why != "" {
		return fmt.Errorf("%w: the ID %s", ErrInvalidMessage, why)
	}
	return nil
}

// badID returns what is wrong with an ID, or "". A dot would let the end of an ID be
// read as a timestamp, under the same signature.
func badID(id string) string {
	switch {
	case id == "":
		return "is empty"
	case len(id) > maxID:
		return fmt.Sprintf("has %d bytes; the limit is %d", len(id), maxID)
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c == '.':
			return fmt.Sprintf("has a dot at byte %d; leave it out", i+1)
		case c <= ' ' || c >= 0x7f:
			return fmt.Sprintf("has the byte %#02x at byte %d; use printable ASCII without spaces", c, i+1)
		}
	}
	return ""
}

func signedContent(id, timestamp string, body []byte) []byte {
	content := make([]byte, 0, len(id)+len(timestamp)+len(body)+2)
	content = append(content, id...)
	content = append(content, '.')
	content = append(content, timestamp...)
	content = append(content, '.')
	return append(content, body...)
}

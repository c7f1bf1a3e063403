package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Why a message is not verified, for errors.Is. Each is final for the request, and says
// nothing of the keys.
var (
	// ErrMissingHeader says that one of the three headers is not there, or empty.
	ErrMissingHeader = errors.New("webhook: missing header")
	// ErrInvalidHeader says that one of the three headers is there several times, is too
	// long, or is not what Sign would make.
	ErrInvalidHeader = errors.New("webhook: invalid header")
	// ErrInvalidTimestamp says that the timestamp is not a plain decimal number of
	// seconds.
	ErrInvalidTimestamp = errors.New("webhook: invalid timestamp")
	// ErrTooOld says that the timestamp is further in the past than the tolerance: the
	// request is replayed, was long on its way, or the clocks differ.
	ErrTooOld = errors.New("webhook: message too old")
	// ErrTooNew says that the timestamp is further in the future than the tolerance:
	// the clocks differ.
	ErrTooNew = errors.New("webhook: message too new")
	// ErrNoMatchingSignature says that no signature is of this message by one of the
	// keys: a key is another one, or ID, timestamp or body was changed on the way.
	ErrNoMatchingSignature = errors.New("webhook: no matching signature")
)

// A Message is what the headers of a verified request say.
type Message struct {
	// ID is the same in all attempts to deliver the message.
	ID string
	// Time is that of this attempt, in whole seconds.
	Time time.Time
}

// VerifyOptions are the options of [Verify]. The zero value is the sensible one.
type VerifyOptions struct {
	// Now is the time at which the message arrived; the zero Time means time.Now().
	Now time.Time
	// Tolerance is how far the timestamp may be from Now, in the past and in the
	// future; 0 means 5 minutes.
	Tolerance time.Duration
}

const (
	defaultTolerance = 5 * time.Minute
	// maxSignatures bounds the signatures of a header. Each of ed25519 costs a hash of
	// the whole body, before it is known who sent it.
	maxSignatures = 16
	// maxSignatureHeader has room for versions to come, with longer signatures.
	maxSignatureHeader = 16 << 10
)

// Verify reports whether a request was signed by one of the keys, and returns what its
// headers say. The body must be the bytes that were received, not JSON that was decoded
// and encoded again.
//
// One signature by one key suffices; signatures of unknown versions are skipped. When
// Verify returns an error, the request must not be used.
// That is ErrInvalidKey where the keys of the caller are at fault; the other errors are
// the request's. Verify does not know whether it has seen the message before: see
// [Receiver].
func Verify(header http.Header, body []byte, opts VerifyOptions, keys ...Verifier) (Message, error) {
	if err := checkKeys(keys); err != nil {
		return Message{}, err
	}
	s, err := parseHeader(header)
	if err != nil {
		return Message{}, err
	}
	if err := s.checkTime(opts); err != nil {
		return Message{}, err
	}
	content := signedContent(s.id, s.timestamp, body)
	for _, key := range keys {
		if of := s.signatures[key.version()]; len(of) > 0 && key.verify(content, of) {
			return Message{ID: s.id, Time: s.time}, nil
		}
	}
	return Message{}, ErrNoMatchingSignature
}

// signedHeader is what the headers of a request claim.
type signedHeader struct {
	id, timestamp string
	time          time.Time
	signatures    map[string][]string // by version
}

func parseHeader(header http.Header) (signedHeader, error) {
	var s signedHeader
	var err error
	if s.id, err = singleHeader(header, HeaderID); err != nil {
		return s, err
	}
	if why := badID(s.id); why != "" {
		return s, fmt.Errorf("%w: the ID %s", ErrInvalidHeader, why)
	}
	if s.timestamp, err = singleHeader(header, HeaderTimestamp); err != nil {
		return s, err
	}
	if s.time, err = parseTimestamp(s.timestamp); err != nil {
		return s, err
	}
	signatures, err := singleHeader(header, HeaderSignature)
	if err != nil {
		return s, err
	}
	s.signatures, err = parseSignatures(signatures)
	return s, err
}

// singleHeader returns the value of a header that must be there once. Of several values, two
// programs on the way could each read another one.
func singleHeader(header http.Header, name string) (string, error) {
	values := header.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", fmt.Errorf("%w: %s", ErrMissingHeader, name)
	case len(values) > 1:
		return "", fmt.Errorf("%w: %s is there %d times", ErrInvalidHeader, name, len(values))
	}
	return values[0], nil
}

// parseTimestamp reads decimal digits. Signs, spaces and leading zeros, which strconv
// and other languages read each in their own way, are refused.
func parseTimestamp(text string) (time.Time, error) {
	digits := strings.Trim(text, "0123456789") == ""
	if n, err := strconv.ParseInt(text, 10, 64); digits && err == nil && n <= maxTimestamp && (text[0] != '0' || text == "0") {
		return time.Unix(n, 0), nil
	}
	return time.Time{}, fmt.Errorf("%w: it is not a decimal number of seconds since 1970", ErrInvalidTimestamp)
}

func parseSignatures(text string) (map[string][]string, error) {
	if len(text) > maxSignatureHeader {
		return nil, fmt.Errorf("%w: %s has %d bytes; the limit is %d", ErrInvalidHeader, HeaderSignature, len(text), maxSignatureHeader)
	}
	parts := strings.Split(text, " ")
	if len(parts) > maxSignatures {
		return nil, fmt.Errorf("%w: %s has %d signatures; the limit is %d", ErrInvalidHeader, HeaderSignature, len(parts), maxSignatures)
	}
	signatures := map[string][]string{}
	for _, part := range parts {
		if version, signature, ok := strings.Cut(part, ","); ok {
			signatures[version] = append(signatures[version], signature)
		}
	}
	return signatures, nil
}

func (s signedHeader) checkTime(opts VerifyOptions) error {
	now, tolerance := opts.Now, cmp.Or(opts.Tolerance, defaultTolerance)
	if now.IsZero() {
		now = time.Now()
	}
	// Sub stops at the longest Duration, which no tolerance reaches by mistake.
	switch age := now.Sub(s.time); {
	case age > tolerance:
		return fmt.Errorf("%w: its timestamp is %v in the past; the tolerance is %v", ErrTooOld, age.Round(time.Second), tolerance)
	case age < -tolerance:
		return fmt.Errorf("%w: its timestamp is %v in the future; the tolerance is %v", ErrTooNew, -age.Round(time.Second), tolerance)
	}
	return nil
}

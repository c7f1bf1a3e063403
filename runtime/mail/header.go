package mail

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/mail/internal/entity"
)

// Bounds of headers, in bytes.
const (
	maxLine       = 998 // of a line, and so of an encoded subject (RFC 5322, section 2.1.1)
	maxHeaders    = 50
	maxHeaderName = 76
	maxHeaderSize = 32 << 10 // of all names and values together
	maxWord       = 900      // without a space at which its line could end
)

// reserved are the headers that fields of Message, or servers, write.
var reserved = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-Id", "Mime-Version",
	"List-Unsubscribe", "List-Unsubscribe-Post", "Dkim-Signature", "Domainkey-Signature",
	"Received", "Received-Spf", "Return-Path", "Delivered-To", "Authentication-Results",
}

// reservedPrefixes are beginnings of further ones.
var reservedPrefixes = []string{"Content-", "Resent-", "Arc-"}

// headerNameProblem says why a header cannot have this name.
func headerNameProblem(name string) string {
	switch {
	case name == "":
		return "no name"
	case len(name) > maxHeaderName:
		return fmt.Sprintf("a name of %d bytes; at most %d are permitted", len(name), maxHeaderName)
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == ':' || c >= 0x7f {
			return "a name has printable ASCII characters only, and no colon or space"
		}
	}
	key := textproto.CanonicalMIMEHeaderKey(name)
	byPrefix := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
	if slices.Contains(reserved, key) || slices.ContainsFunc(reservedPrefixes, byPrefix) {
		return "a reserved header; fields of Message and servers write it"
	}
	return ""
}

// headerProblem says why a header cannot have this value.
func headerProblem(value string) string {
	if problem := lineProblem(value); problem != "" {
		return problem
	}
	return wordProblem(encodeHeader(value))
}

func wordProblem(encoded string) string {
	for _, word := range entity.Words(encoded) {
		if len(word) > maxWord {
			return fmt.Sprintf("a word of %d bytes; at most %d are permitted, because lines end at spaces", len(word), maxWord)
		}
	}
	return ""
}

// encodeHeader returns unstructured text as a header has it: encoded (RFC 2047) where it is not
// ASCII, or would be taken for encoded text.
func encodeHeader(text string) string {
	switch {
	case strings.Contains(text, "=?"):
		return encodeBase64Words(text)
	case isASCII(text):
		return text
	}
	return encodeWords(text)
}

// encodeWords encodes text that is not ASCII, in the shorter way.
func encodeWords(text string) string {
	q, b := mime.QEncoding.Encode("utf-8", text), encodeBase64Words(text)
	if len(q) <= len(b) {
		return q
	}
	return b
}

// wordBytes is how much text is in an encoded word: 75 bytes as base64, with "=?utf-8?b?" and
// "?=".
const wordBytes = 45

// encodeBase64Words encodes text, also ASCII, which mime.BEncoding leaves as it is.
func encodeBase64Words(text string) string {
	var words []string
	for text != "" {
		n := min(wordBytes, len(text))
		for n < len(text) && n > wordBytes-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:n]))+"?=")
		text = text[n:]
	}
	return strings.Join(words, " ")
}

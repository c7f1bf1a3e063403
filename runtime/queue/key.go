package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// keyPart is a value as a part of a key: unambiguous, and readable where it can
// be. A comma in a text cannot be taken for the one between two parts.
func keyPart(v any) string {
	if s, ok := v.(string); ok && s != "" && s != "null" && !strings.ContainsAny(s, "\",\\\x00") && utf8.ValidString(s) {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	return string(text)
}

// short keeps a key within max characters: a longer one ends in a hash of all
// of it.
func short(key string, max int) string {
	if utf8.RuneCountInString(key) <= max {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	hash := hex.EncodeToString(sum[:16])
	runes := []rune(key)
	return string(runes[:max-len(hash)-1]) + "#" + hash
}

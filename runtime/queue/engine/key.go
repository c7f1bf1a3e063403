package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// keyPart returns a value as a part of a key: unambiguous, and readable where
// possible. A comma in a text is quoted, unlike the one between two parts.
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

// short returns the key within max characters: a longer one ends in a hash of the
// whole key.
func short(key string, max int) string {
	if utf8.RuneCountInString(key) <= max {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	hash := hex.EncodeToString(sum[:16])
	runes := []rune(key)
	return string(runes[:max-len(hash)-1]) + "#" + hash
}

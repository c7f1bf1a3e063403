package backend

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Keys and tags are any bytes. Those that a text column holds are kept as they
// are, so that people can read them. The others, which are too long, no UTF-8
// or hold a NUL, are kept as their readable start, digestMark and the SHA-256 of
// the whole. So are those that hold the mark themselves: no key can be made to
// look like the digest of another.

const (
	digestMark = "~sha256:"
	digestSize = len(digestMark) + 2*sha256.Size
)

// StoredKey returns how a key or tag stands in a column of at most limit characters.
func StoredKey(s string, limit int) string {
	if len(s) <= limit && plainASCII(s) {
		return s
	}
	if len(s) <= 4*limit && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && utf8.RuneCountInString(s) <= limit && !strings.Contains(s, digestMark) {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return readable(s, limit-digestSize) + digestMark + hex.EncodeToString(sum[:])
}

// plainASCII is the quick way to see that a key needs no digest: eight characters
// at a time, each from the space to the one before '~'.
func plainASCII(s string) bool {
	const ones = 0x0101010101010101
	for ; len(s) >= 8; s = s[8:] {
		w := binary.LittleEndian.Uint64([]byte(s[:8]))
		if (w|(w-0x20*ones)|(w+2*ones))&(0x80*ones) != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= '~' {
			return false
		}
	}
	return true
}

// readable is the start of s as text: at most limit characters, with U+FFFD in
// place of what is none. A prefix of s gives a prefix of it.
func readable(s string, limit int) string {
	var b strings.Builder
	for n := 0; n < limit && len(s) > 0; n++ {
		r, size := utf8.DecodeRuneInString(s)
		if r == 0 {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// RowTag returns the tag of what is made of one row: "post:7" for the post with the
// id 7.
func RowTag(datatype string, id any) string { return fmt.Sprintf("%s:%v", datatype, id) }

// KeyRange is a range of stored keys, from the first to the first behind it.
type KeyRange struct{ From, To string }

// PrefixRanges returns the ranges that hold every stored key whose own form starts
// with prefix. Digested keys of which too little is readable may be among them
// without starting so: an entry too many is removed, never one too few.
func PrefixRanges(prefix string, limit int) []KeyRange {
	whole := prefix
	for i := 1; i <= utf8.UTFMax-1 && i <= len(prefix); i++ {
		if cut := len(prefix) - i; utf8.RuneStart(prefix[cut]) {
			if !utf8.FullRuneInString(prefix[cut:]) { // a character that is cut in two says nothing about the whole one
				whole = prefix[:cut]
			}
			break
		}
	}
	text := readable(whole, limit)
	ranges := []KeyRange{{text, After(text)}}
	if start := readable(whole, limit-digestSize); len(start) < len(text) {
		ranges = append(ranges, KeyRange{start + digestMark, After(start + digestMark)})
	}
	return ranges
}

// After returns the first text behind all those that start with s.
func After(s string) string {
	for len(s) > 0 {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		switch {
		case r == utf8.MaxRune:
			continue
		case r == 0xd7ff: // what follows is no character
			return s + "\ue000"
		}
		return s + string(r+1)
	}
	return strings.Repeat(string(utf8.MaxRune), 8)
}

// Hash is the number that distinguishes stored keys in memory and in what processes
// notify each other of. Different keys may have the same: a look-up
// compares keys, and to forget one is to forget both.
func Hash(key string) uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := uint64(len(key)) ^ a
	for len(key) >= 8 {
		h = fold(h^binary.LittleEndian.Uint64([]byte(key[:8])), b)
		key = key[8:]
	}
	var tail uint64
	for i := range len(key) {
		tail |= uint64(key[i]) << (8 * i)
	}
	return fold(h^tail^b, a)
}

func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

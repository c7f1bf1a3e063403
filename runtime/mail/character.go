package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineProblem says why text cannot stand in a header; "" means that it can. What ends a line or
// a string somewhere is refused: a header after it would be the writer's of the text, not ours.
func lineProblem(text string) string {
	if !utf8.ValidString(text) {
		return "not valid UTF-8"
	}
	for _, r := range text {
		switch {
		case r == '\r' || r == '\n' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			return "a line break"
		case r == 0:
			return "a NUL character"
		case unicode.IsControl(r):
			return "a control character"
		}
	}
	return ""
}

// bodyProblem says why text cannot be a body.
func bodyProblem(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "not valid UTF-8"
	case strings.IndexByte(text, 0) >= 0:
		return "a NUL character"
	}
	return ""
}

// isBidi reports whether a character changes the direction of text around it (UAX #9): with it
// "gnp.exe" is shown as "exe.png".
func isBidi(r rune) bool {
	return isBidiMark(r) || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// isBidiMark reports whether a character is a mark, which names in Hebrew and Arabic have.
func isBidiMark(r rune) bool { return r == '\u200E' || r == '\u200F' || r == '\u061C' }

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

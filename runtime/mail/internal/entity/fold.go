package entity

import (
	"bytes"
	"strings"
)

// lineLength is where lines of headers end, if there is a space to end them at (RFC 5322,
// section 2.1.1).
const lineLength = 76

// fold writes a field. Its lines end before a space that is between two words, never between
// the name and the first word: some servers take such a field for an empty one. Unfolding
// returns the value, whether a reader removes line ends or makes one space of them.
func fold(buf *bytes.Buffer, f Field) {
	buf.WriteString(f.Name)
	buf.WriteString(": ")
	length := len(f.Name) + 2
	value := f.Value
	for first := true; value != ""; first = false {
		n := next(value)
		if !first && length+n > lineLength {
			buf.WriteString("\r\n")
			length = 0
		}
		buf.WriteString(value[:n])
		length += n
		value = value[n:]
	}
	buf.WriteString("\r\n")
}

// next returns the length of the first word of text, with a space before it and with runs of
// spaces, which cannot be broken.
func next(text string) int {
	for i := 1; i < len(text)-1; i++ {
		if text[i] == ' ' && text[i-1] != ' ' && text[i+1] != ' ' {
			return i
		}
	}
	return len(text)
}

// Words returns the pieces of a value that fold does not break.
func Words(value string) []string {
	var words []string
	for value != "" {
		n := next(value)
		words = append(words, strings.TrimPrefix(value[:n], " "))
		value = value[n:]
	}
	return words
}

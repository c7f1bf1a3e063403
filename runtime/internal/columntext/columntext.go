// Package columntext fits texts of handlers and servers into columns.
package columntext

import "strings"

// Storable replaces what a text column of some database cannot hold.
func Storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// Cut cuts a text to its first characters.
func Cut(text string, most int) string {
	left := most
	for i := range text {
		if left == 0 {
			return text[:i]
		}
		left--
	}
	return text
}

// Package code prints the parts of Go that the stage and the behaviors both need: the
// types of fields, their rules, statements, comments, and the methods of a table.
package code

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// Import paths of what the code of every project may name; behaviors name theirs.
const (
	StorePath   = "github.com/hegner123/modulagen/runtime/store"
	CorePath    = "github.com/hegner123/modulagen/runtime/store/core"
	CheckPath   = "github.com/hegner123/modulagen/runtime/store/check"
	DecimalPath = "github.com/shopspring/decimal"
)

// Store names something of runtime/store.
func Store(name string) *jen.Statement { return jen.Qual(StorePath, name) }

// Core names something of runtime/store/core.
func Core(name string) *jen.Statement { return jen.Qual(CorePath, name) }

// Comment writes lines of text as // comments: jennifer would turn several
// lines into a block comment, which a definition's text could close.
func Comment(lines ...string) *jen.Statement {
	s := &jen.Statement{}
	for i, text := range lines {
		for j, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
			if i > 0 || j > 0 {
				s.Line()
			}
			s.Comment(CommentLine(line))
		}
	}
	return s
}

// CommentLine makes a line safe as a // comment. Text that starts with a slash
// would be taken by jennifer as a comment of its own form.
func CommentLine(line string) string {
	line = strings.TrimRight(strings.Map(printable, line), " ")
	if strings.HasPrefix(line, "/") {
		line = " " + line
	}
	return "// " + line
}

// printable keeps what cannot end a line or hide in an editor.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < ' ', r == 0x7f, r == 0x85, r == 0x2028, r == 0x2029, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
		return -1
	}
	return r
}

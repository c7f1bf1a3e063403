package script

import (
	"regexp"
	"strings"
)

// quoting is where a text of SQL stands between two lines: what is open then, so that a
// semicolon in it ends nothing.
type quoting struct {
	open string // "'", "\"", "`", "$tag$" or "/*"; empty: none
}

var dollarTag = regexp.MustCompile(`^\$(?:[A-Za-z_]\w*)?\$`)

// line goes over one line. end is where the semicolon stands that ends the statement, or -1;
// more says that something other than a comment follows it.
//
// A backslash is an ordinary character: the quote after it, which MySQL would not take for an
// end, has to be written as two.
func (q *quoting) line(text string) (end int, more bool) {
	end = -1
	for i := 0; i < len(text); {
		if q.open != "" {
			n := strings.Index(text[i:], q.closes())
			if n < 0 {
				return end, more
			}
			i += n + len(q.closes())
			q.open = ""
			continue
		}
		rest := text[i:]
		switch c := rest[0]; {
		case strings.HasPrefix(rest, "--"):
			return end, more
		case end >= 0 && c != ' ' && c != '\t':
			return end, true
		case c == ';':
			end = i
		default:
			q.open = opens(rest)
		}
		i += max(len(q.open), 1)
	}
	return end, more
}

// over goes over one line of a statement that has others in it.
func (q *quoting) over(text string) {
	for more := true; more; {
		var end int
		end, more = q.line(text)
		text = text[end+1:]
	}
}

func opens(rest string) string {
	switch {
	case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
		return rest[:1]
	case strings.HasPrefix(rest, "/*"):
		return "/*"
	case rest[0] == '$':
		return dollarTag.FindString(rest)
	}
	return ""
}

func (q *quoting) closes() string {
	if q.open == "/*" {
		return "*/"
	}
	return q.open
}

// CutWhere splits an UPDATE or a DELETE after its own WHERE, which stands in no quotes, comments or
// parentheses. Where there is none, found is false.
func CutWhere(sql string) (before, condition string, found bool) {
	depth := 0
	for i := 0; i < len(sql); {
		rest, n := sql[i:], 1
		switch open := opens(rest); {
		case strings.HasPrefix(rest, "--"):
			n = after(rest, "\n", 2)
		case open != "":
			q := quoting{open}
			n = after(rest, q.closes(), len(open))
		case rest[0] == '(':
			depth++
		case rest[0] == ')':
			depth--
		case depth == 0 && where.MatchString(rest):
			return sql[:i+len("where")], sql[i+len("where"):], true
		default:
			n = max(len(word.FindString(rest)), 1)
		}
		i += n
	}
	return sql, "", false
}

var (
	where = regexp.MustCompile(`^(?i:where)\b`)
	word  = regexp.MustCompile(`^\w+`)
)

// after returns where a text goes on after the first end in it, which does not come before from.
func after(text, end string, from int) int {
	if n := strings.Index(text[from:], end); n >= 0 {
		return from + n + len(end)
	}
	return len(text)
}

// terminated returns a statement with its semicolon, which stands on a line of its own where
// the last one ends in a comment.
func terminated(sql string) string {
	var q quoting
	end := -1
	for line := range strings.SplitSeq(sql+";", "\n") {
		end, _ = q.line(line)
	}
	if end < 0 {
		return sql + "\n;"
	}
	return sql + ";"
}

// lastLine returns the line that ends a statement, and whether semicolons in it come before.
func lastLine(sql string) (last string, inside bool) {
	var q quoting
	lines := strings.Split(sql+";", "\n")
	for i, line := range lines {
		end, more := q.line(line)
		inside = inside || more || end >= 0 && i < len(lines)-1
	}
	return strings.TrimSpace(lines[len(lines)-1]), inside
}

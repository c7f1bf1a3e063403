package core

import (
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// match writes a Prefix or Contains, or its opposite, on a column that is not
// NULL. Columns collate by code point, so a prefix is a range of values, which
// an index serves.
func (b *builder) match(n *filter.Node, s string, negate bool) {
	col := b.quoted[n.Col]
	not := ""
	if negate {
		not = "NOT "
	}
	switch {
	case s == "":
		b.null1(n.Col, negate, !negate)
	case n.Op == filter.Contains:
		b.write(not, map[sqltext.Dialect]string{
			sqltext.SQLite: "(instr(" + col + ", ", sqltext.Postgres: "(strpos(" + col + ", ", sqltext.MySQL: "(instr(" + col + ", ",
		}[b.d])
		b.bind(s)
		b.write(") > 0)")
	default:
		b.write(not, "(", col, " >= ")
		b.bind(s)
		if end := prefixEnd(s); end != "" {
			b.write(" AND ", col, " < ")
			b.bind(end)
		}
		b.write(")")
	}
}

// length writes a Length, or its opposite, on a column that is not NULL.
func (b *builder) length(n *filter.Node, negate bool) {
	fn := "char_length("
	if b.d == sqltext.SQLite {
		fn = "length("
	}
	b.write(fn, b.quoted[n.Col], ")")
	if negate {
		b.write(" NOT")
	}
	b.write(" BETWEEN ")
	b.bind(n.Args[0])
	b.write(" AND ")
	b.bind(n.Args[1])
}

// prefixEnd returns the smallest text that is greater than every text with this
// prefix; "" when there is none.
func prefixEnd(s string) string {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		switch {
		case r == utf8.MaxRune:
			continue // nothing follows it; what is before it decides
		case r == 0xD7FF: // the surrogates are no text
			return s + string(rune(0xE000))
		}
		return s + string(r+1)
	}
	return ""
}

// in writes an In, or its opposite.
func (b *builder) in(n *filter.Node, negate bool) {
	args := b.inArgs(n)
	if b.err != nil {
		return
	}
	if len(args) == 0 {
		b.truth(negate)
		return
	}
	b.orNull(n.Col, negate, func() {
		col := &b.cols[n.Col]
		switch b.d {
		case sqltext.Postgres:
			if negate {
				b.write(b.quoted[n.Col], " <> ALL (")
			} else {
				b.write(b.quoted[n.Col], " = ANY (")
			}
			b.bind(col.list(args))
			b.write(")")
		case sqltext.SQLite:
			b.inJSON(n.Col, args, negate)
		case sqltext.MySQL:
			b.inMarks(n.Col, args, negate)
		}
	})
}

// inArgs returns the values of an In as the column holds them, without those
// that it cannot hold.
func (b *builder) inArgs(n *filter.Node) []any {
	if b.listed += len(n.Args); b.listed > store.MaxIn {
		b.fail(invalidf("a filter lists more than %d values", store.MaxIn))
		return nil
	}
	args := make([]any, 0, len(n.Args))
	for _, a := range n.Args {
		arg, exact, err := b.cols[n.Col].compared(b.name, a)
		if err != nil {
			b.fail(err)
			return nil
		}
		if exact {
			args = append(args, arg)
		}
	}
	return args
}

// inJSON passes the values to SQLite as one JSON array: one statement text,
// prepared once, however many there are.
func (b *builder) inJSON(col int, args []any, negate bool) {
	doc, err := jsonList(args)
	if err != nil {
		b.fail(err)
		return
	}
	b.write(b.quoted[col])
	if negate {
		b.write(" NOT")
	}
	b.write(" IN (SELECT ", listedValue(b.cols[col].Rules.Kind), " FROM json_each(")
	b.bind(doc)
	b.write("))")
}

// listedValue is what json_each's row holds of a list's value.
func listedValue(kind check.Kind) string {
	switch kind {
	case check.Bytes:
		return sqltext.JSONBytes
	case check.Float:
		return sqltext.JSONFloat
	}
	return "value"
}

// inMarks writes a placeholder for each value. Their number is rounded up to a
// power of two, the last value standing again, so that few texts are prepared.
func (b *builder) inMarks(col int, args []any, negate bool) {
	marks := 1
	for marks < len(args) {
		marks *= 2
	}
	b.write(b.quoted[col])
	if negate {
		b.write(" NOT")
	}
	b.write(" IN (")
	for i := range marks {
		if i > 0 {
			b.write(", ")
		}
		b.bind(args[min(i, len(args)-1)])
	}
	b.write(")")
}

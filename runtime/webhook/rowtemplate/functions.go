package rowtemplate

import (
	"strings"
	"text/template/parse"

	"github.com/hegner123/modulagen/internal/near"
)

// function is one that templates can call: check returns the type of its result, or
// says what is wrong with its arguments.
type function struct {
	min, max int // arguments
	usage    string
	check    func(args []expr) (t typ, wrong string)
	call     func(args []value) (value, error)
}

const anyNumber = 100

var functionNames = []string{"eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "len", "json", "date", "default"}

// functions are what templates can call. and and or are called without evaluating all
// their arguments, see parser.call.
var functions = map[string]function{
	"eq": {2, anyNumber, `eq .Status "published"`, comparing("eq", false), func(args []value) (value, error) {
		for i := range args[1:] {
			if args[0].equal(&args[i+1]) {
				return boolean(true), nil
			}
		}
		return boolean(false), nil
	}},
	"ne": {2, 2, `ne .Status "published"`, comparing("ne", false), func(args []value) (value, error) {
		return boolean(!args[0].equal(&args[1])), nil
	}},
	"lt":  ordering("lt", func(sign int) bool { return sign < 0 }),
	"le":  ordering("le", func(sign int) bool { return sign <= 0 }),
	"gt":  ordering("gt", func(sign int) bool { return sign > 0 }),
	"ge":  ordering("ge", func(sign int) bool { return sign >= 0 }),
	"and": {1, anyNumber, `and .Title .Active`, mixed, nil},
	"or":  {1, anyNumber, `or .Title "untitled"`, mixed, nil},
	"not": {1, 1, `not .Active`, result(typeBool), func(args []value) (value, error) { return boolean(!args[0].truth()), nil }},
	"len": {1, 1, `len .Title`, func(args []expr) (typ, string) {
		switch t := args[0].typ; t {
		case typeText, typeBytes, typeJSON:
			return typeInt, ""
		default:
			return typeInt, "len takes a text, bytes or json, not " + t.String()
		}
	}, func(args []value) (value, error) { return args[0].length(), nil }},
	"json": {1, 1, `json .Tags`, result(typeJSON), func(args []value) (value, error) {
		return value{t: typeJSON, s: args[0].json()}, nil
	}},
	"date": {2, 2, `date "2006-01-02" .CreatedAt`, checkDate, func(args []value) (value, error) {
		v := value{t: typeText, null: args[1].null}
		switch {
		case v.null:
		case args[1].t == typeDate:
			v.s = args[1].day.Time().Format(args[0].s)
		default:
			v.s = args[1].at.UTC().Format(args[0].s)
		}
		return v, nil
	}},
	"default": {2, 2, `default "none" .Note`, mixed, func(args []value) (value, error) {
		if v := args[1]; !v.null && (v.t != typeText || v.s != "") {
			return v, nil
		}
		return args[0], nil
	}},
}

// refused are functions of text/template, and why they are not there.
var refused = map[string]string{
	"print": "a value is written as it is", "printf": "write text and values one after another",
	"println": "a value is written as it is", "html": "values are escaped for their place",
	"js": "values are escaped for their place", "urlquery": "values are escaped for their place",
	"call": "values are no functions", "index": "a value is written as a whole", "slice": "a value is written as a whole",
	"now": "the output depends on the row alone; use a field such as .UpdatedAt",
}

func boolean(b bool) value { return value{t: typeBool, b: b} }

func result(t typ) func([]expr) (typ, string) {
	return func([]expr) (typ, string) { return t, "" }
}

// mixed is the type that all arguments have.
func mixed(args []expr) (typ, string) {
	t := args[0].typ
	for _, a := range args[1:] {
		if a.typ != t {
			return typeMixed, ""
		}
	}
	return t, ""
}

func comparing(name string, order bool) func([]expr) (typ, string) {
	return func(args []expr) (typ, string) {
		first, _ := args[0].typ.family()
		for _, a := range args {
			family, ordered := a.typ.family()
			switch {
			case family == typeNone || order && !ordered:
				return typeBool, name + " cannot compare what is " + a.typ.String()
			case family != first:
				return typeBool, name + " compares values of one type, not what is " + args[0].typ.String() + " with what is " + a.typ.String()
			}
		}
		return typeBool, ""
	}
}

// ordering is a comparison that does not hold for null.
func ordering(name string, holds func(sign int) bool) function {
	return function{2, 2, name + ` .Count 5`, comparing(name, true), func(args []value) (value, error) {
		return boolean(!args[0].null && !args[1].null && holds(args[0].compare(&args[1]))), nil
	}}
}

func checkDate(args []expr) (typ, string) {
	const longest = 100
	layout := args[0].constant
	switch {
	case layout == nil || layout.t != typeText || len(layout.s) > longest:
		return typeText, `date takes a layout in quotes first, such as "2006-01-02"`
	case args[1].typ != typeTime && args[1].typ != typeDate:
		return typeText, "date takes a datetime or a date, not what is " + args[1].typ.String()
	}
	return typeText, ""
}

func (p *parser) call(name *parse.IdentifierNode, args []expr) expr {
	f, ok := functions[name.Ident]
	if !ok {
		p.unknownFunction(name)
		return expr{}
	}
	if len(args) < f.min || len(args) > f.max {
		p.fail(name.Pos, "%s does not take %d arguments; write %s", name.Ident, len(args), f.usage)
		return expr{}
	}
	t, wrong := f.check(args)
	if wrong != "" {
		p.fail(name.Pos, "%s", wrong)
		return expr{}
	}
	e := expr{offset: int(name.Pos), typ: t}
	if f.call == nil {
		stop := name.Ident == "or"
		e.eval = func(r *run) (v value, err error) {
			for i := range args {
				if v, err = args[i].eval(r); err != nil || v.truth() == stop {
					break
				}
			}
			return v, err
		}
		return e
	}
	e.eval = func(r *run) (value, error) {
		values := make([]value, len(args))
		for i := range args {
			v, err := args[i].eval(r)
			if err != nil {
				return v, err
			}
			values[i] = v
		}
		return f.call(values)
	}
	return e
}

func (p *parser) unknownFunction(name *parse.IdentifierNode) {
	if why, ok := refused[name.Ident]; ok {
		p.fail(name.Pos, "%s is not there: %s", name.Ident, why)
		return
	}
	if p.row.byName[name.Ident] != nil {
		p.fail(name.Pos, "there is no function %s; write .%s for the field", name.Ident, name.Ident)
		return
	}
	p.fail(name.Pos, "there is no function %s; functions are %s", quote(name.Ident), strings.Join(near.Sort(name.Ident, functionNames), ", "))
}

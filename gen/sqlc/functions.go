package sqlc

import "github.com/hegner123/modulagen/runtime/store/check"

// function is a function that is typed: the same on every database that has it.
type function struct {
	result string // a type; "" is that of the first argument
	never  bool   // never null
	always bool   // null also where its arguments are not
}

// functions are those whose results are known. What differs between databases
// about them is in the table of differences.
var functions = map[string]function{
	"count": {result: "number", never: true}, "row_number": {result: "number", never: true}, "rank": {result: "number", never: true},
	"dense_rank": {result: "number", never: true}, "ntile": {result: "number", never: true},
	"percent_rank": {result: fraction, never: true}, "cume_dist": {result: fraction, never: true},
	"length": {result: "number"}, "char_length": {result: "number"}, "character_length": {result: "number"}, "octet_length": {result: "number"},
	"upper": {result: "textarea"}, "lower": {result: "textarea"}, "trim": {result: "textarea"}, "ltrim": {result: "textarea"}, "rtrim": {result: "textarea"},
	"replace": {result: "textarea"}, "substr": {result: "textarea"}, "substring": {result: "textarea"},
	"concat": {result: "textarea"}, "concat_ws": {result: "textarea"}, "hex": {result: "textarea"},
	"date":  {result: "date"},
	"round": {result: fraction}, "floor": {result: fraction}, "ceil": {result: fraction}, "ceiling": {result: fraction},
	"sqrt": {result: fraction, always: true}, "exp": {result: fraction}, "ln": {result: fraction, always: true}, "log10": {result: fraction, always: true}, "power": {result: fraction}, "pow": {result: fraction},
	"abs": {}, "sum": {always: true}, "min": {always: true}, "max": {always: true}, "nullif": {always: true}, "lag": {always: true}, "lead": {always: true},
	"first_value": {always: true}, "last_value": {always: true}, "nth_value": {always: true},
	"avg": {result: fraction, always: true},
}

func (t *typer) call(n *node) UserValue {
	if n.name == "coalesce" || n.name == "ifnull" && !t.q.on(postgres) {
		return t.coalesce(n)
	}
	if (n.name == "string_agg" || n.name == "group_concat") && len(t.q.file.Databases) == 1 {
		return UserValue{Type: "textarea", Null: true} // sqlc takes the one for bytea
	}
	if n.name == "values" && len(n.args) == 1 { // MySQL's excluded
		return t.typ(n.args[0])
	}
	f, ok := functions[n.name]
	if !ok || len(n.args) == 0 && !f.never {
		return UserValue{}
	}
	out := UserValue{Type: f.result, Null: !f.never && (f.always || t.anyNull(n.args))}
	if f.result != "" && f.result != fraction {
		return out
	}
	if len(n.args) == 0 {
		return out
	}
	first := t.typ(n.args[0])
	switch n.name {
	case "sum", "abs":
		if !numeric(first) || first.Type == argument {
			return UserValue{}
		}
		first.Type = plain(first.Type)
		first.Field, first.Datatype = nil, nil
	case "min", "max":
		switch k := first.kind(); {
		case len(n.args) > 1 || first.Type == argument:
			return UserValue{}
		case k == check.Bool || k == check.JSON || k == check.Bytes:
			return UserValue{}
		}
	case "avg", "round", "floor", "ceil", "ceiling", "sqrt", "exp", "ln", "log10", "power", "pow", "percent_rank", "cume_dist":
		if f.never {
			return out
		}
		if !numeric(first) || n.name != "avg" && n.name != "round" && first.Scale > 0 {
			return UserValue{}
		}
		out.Scale = first.Scale
		if first.Type == float {
			out.Type = float
		}
		return out
	}
	if first.Type == "" || first.Type == argument {
		return UserValue{}
	}
	first.Null = out.Null
	return first
}

// coalesce is null only where all its arguments are.
func (t *typer) coalesce(n *node) UserValue {
	v := t.commonOf(n.args)
	isNull := true
	for _, a := range n.args {
		isNull = isNull && t.anyNull([]*node{a})
	}
	v.Null = isNull
	return v
}

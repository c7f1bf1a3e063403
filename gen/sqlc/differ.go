package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// difference is something that does not mean the same on all databases: a row of
// the table below.
type difference struct {
	name string
	// on are the databases on which it fails or means something else; a file
	// that is for none of them may use it.
	on []model.Database
	// alone tells that a file for one database may use it.
	alone bool
	// found says what is wrong with an expression, and what to write instead;
	// "" is nothing.
	found func(t *typer, n *node) (wrong, instead string)
}

var (
	lite       = []model.Database{model.SQLite}
	postgres   = []model.Database{model.Postgres}
	mysql      = []model.Database{model.MySQL}
	everywhere = model.Databases
)

// differences is what is known to mean different things, and cannot be written
// so that it does not. What can is in lower.go; literals are in literal.go and
// the time in now.go. Each row has its test: what is refused, and what the
// accepted spelling gives on every database.
var differences = []difference{
	{"division by what may be zero", postgres, true, byZero},
	{"division of a decimal", lite, false, decimalDivision},
	{"decimals of different scales", lite, false, decimalScales},
	{"a product of a decimal and a parameter", lite, false, decimalProduct},
	{"a decimal in a function or a CAST", lite, false, decimalFunction},
	{"a float in round, %, a CAST or a function of texts", everywhere, false, floatFunction},
	{"arithmetic with what is no number", everywhere, true, noNumber},
	{"a sum of booleans", postgres, false, booleans},
	{"a number for a condition", postgres, false, condition},
	{"comparison of different types", everywhere, false, kinds},
	{"a text that ends with a blank", mysql, true, blanks},
	{"concat", everywhere, true, concatenation},
	{"a date by CAST", lite, true, castTime},
	{"a CAST of or to what is not the same", everywhere, true, castUnlike},
	{"bits", everywhere, true, bitwise},
	{"a member of JSON", everywhere, true, member},
	{"functions of one name", everywhere, true, namesake},
	{"LIMIT in the subquery of IN", mysql, false, limitedIn},
	{"what lag and lead give where there is no row", mysql, true, offsetDefault},
	{"random", everywhere, true, chance},
	{"mod", lite, true, remainder},
	{"substr from before the first character", everywhere, true, before},
}

func byZero(t *typer, n *node) (string, string) {
	if (n.op != "/" && n.op != "%") || t.typ(n).Type == "" || t.nonzero(n.args[1]) {
		return "", ""
	}
	divisor := n.args[1]
	for divisor.op == "bracket" {
		divisor = divisor.args[0]
	}
	if divisor.op == "call" && divisor.name == "nullif" && len(divisor.args) == 2 && divisor.args[1].op == "number" {
		return "", ""
	}
	return "a division by zero is null on sqlite and mysql, and an error on postgres", fmt.Sprintf("write nullif(%s, 0) for what divides", t.p.source(n.args[1].span))
}

func (t *typer) decimal(n *node) bool { v := t.typ(n); return v.Type == "decimal" || v.Scale > 0 }

func decimalDivision(t *typer, n *node) (string, string) {
	if (n.op == "/" || n.op == "%") && (t.decimal(n.args[0]) || t.decimal(n.args[1])) {
		return "sqlite keeps decimals as whole numbers, whose division is not theirs", "divide in Go, or multiply by a literal fraction and declare the column: price * 0.5"
	}
	return "", ""
}

func decimalScales(t *typer, n *node) (string, string) {
	if n.op != "+" && n.op != "-" && n.op != "compare" || len(n.args) != 2 {
		return "", ""
	}
	a, b := t.typ(n.args[0]), t.typ(n.args[1])
	if !numeric(a) || !numeric(b) || a.Type == argument || b.Type == argument || a.Type == null || b.Type == null || a.Scale == b.Scale {
		return "", ""
	}
	if literalNumber(n.args[0]) || literalNumber(n.args[1]) {
		return "", "" // literal.go judges those
	}
	return "sqlite keeps decimals as whole numbers, and these are scaled differently", "use a parameter, or a column of the same scale"
}

func literalNumber(n *node) bool {
	if n.op == "sign" {
		n = n.args[0]
	}
	return n.op == "number" || n.op == "fraction"
}

func decimalProduct(t *typer, n *node) (string, string) {
	if n.op != "*" {
		return "", ""
	}
	a, b := n.args[0], n.args[1]
	if b.op != "parameter" {
		a, b = b, a
	}
	if b.op == "parameter" && t.decimal(a) && !slices.ContainsFunc(t.q.params, func(d declared) bool { return d.name == b.name && d.typ == "number" }) {
		return "sqlite keeps decimals as whole numbers, and a decimal parameter would be scaled twice", "add a line below the query's name where it is whole: -- param: " + b.name + " number; else multiply in Go"
	}
	return "", ""
}

func decimalFunction(t *typer, n *node) (string, string) {
	if len(n.args) == 0 || !t.decimal(n.args[0]) {
		return "", ""
	}
	hint := "select the decimal itself, and do this in Go"
	switch {
	case n.op == "cast":
		return "sqlite keeps decimals as whole numbers, which a CAST does not know", hint
	case n.op == "call" && slices.Contains([]string{"round", "floor", "ceil", "ceiling", "sqrt", "exp", "ln", "power", "pow", "concat", "concat_ws", "length", "upper", "lower", "substr"}, n.name):
		return "sqlite keeps decimals as whole numbers, which " + n.name + " does not know", hint
	}
	return "", ""
}

// floatFunction refuses what databases round, or write, in their own ways.
func floatFunction(t *typer, n *node) (string, string) {
	is := func(a *node) bool { return t.typ(a).Type == float }
	if !slices.ContainsFunc(n.args, is) {
		return "", ""
	}
	switch {
	case n.op == "%", n.op == "call" && n.name == "mod":
		return "postgres has no remainder of a float", "do this in Go: math.Mod"
	case n.op == "call" && n.name == "round":
		return "postgres rounds no float to digits, and a half to the even number", "leave the round out, and add a line below the query's name that says to how many digits the column is rounded: -- column: x decimal(2) null"
	case n.op == "cast" && t.typ(n).Type != float:
		return "a CAST of a float is rounded on postgres and mysql, cut off on sqlite, and written in different ways as a text", "select the float itself, and do this in Go"
	case n.op == "call" && slices.Contains([]string{"length", "char_length", "character_length", "upper", "lower", "substr", "substring", "replace", "trim", "ltrim", "rtrim", "hex"}, n.name):
		return "a float is written in different ways, so that " + n.name + " of it is not the same", "select the float itself, and do this in Go"
	}
	return "", ""
}

func noNumber(t *typer, n *node) (string, string) {
	if !slices.Contains([]string{"+", "-", "*", "/", "%"}, n.op) {
		return "", ""
	}
	for _, a := range n.args {
		v := t.typ(a)
		switch v.kind() {
		case check.Time, check.Date:
			return fmt.Sprintf("%s with a %s does not mean the same on all databases", n.op, v.Type), "pass the time to compare with as a parameter, and calculate with times in Go"
		case check.Bool, check.Text, check.Bytes, check.JSON:
			if v.Type != "" && a.op != "text" {
				return fmt.Sprintf("%s is no operator of a %s", n.op, v.Type), "calculate with numbers: CASE WHEN x THEN 1 ELSE 0 END for a boolean"
			}
		}
	}
	return "", ""
}

func booleans(t *typer, n *node) (string, string) {
	if n.op == "call" && slices.Contains([]string{"sum", "avg", "min", "max", "abs"}, n.name) && len(n.args) == 1 && t.typ(n.args[0]).kind() == check.Bool {
		return "postgres has no " + n.name + " of a boolean", fmt.Sprintf("write %s(CASE WHEN %s THEN 1 ELSE 0 END)", n.name, t.p.source(n.args[0].span))
	}
	return "", ""
}

func condition(t *typer, n *node) (string, string) {
	var operands []*node
	switch n.op {
	case "and", "or", "not", "when":
		operands = n.args
	case "where":
		operands = n.args
	}
	for _, o := range operands {
		if v := t.typ(o); v.Type != argument && v.Type != null && numeric(v) {
			return "postgres takes no number for a condition", fmt.Sprintf("write %s <> 0", t.p.source(o.span))
		}
	}
	return "", ""
}

// pairs returns the expressions that an expression compares with each other.
func pairs(n *node) [][2]*node {
	var out [][2]*node
	switch {
	case n.op == "compare" && len(n.args) == 2 && n.args[0].op == "row" && n.args[1].op == "row":
		for i, a := range n.args[0].args {
			if i < len(n.args[1].args) {
				out = append(out, [2]*node{a, n.args[1].args[i]})
			}
		}
	case (n.op == "in" || n.op == "between") && n.args[0].op == "row":
		for _, b := range n.args[1:] {
			out = append(out, pairs(&node{op: "compare", args: []*node{n.args[0], b}})...)
		}
	case n.op == "compare" || n.op == "in" || n.op == "between" || n.op == "call" && n.name == "nullif":
		for _, b := range n.args[min(1, len(n.args)):] {
			out = append(out, [2]*node{n.args[0], b})
		}
	}
	return out
}

func kinds(t *typer, n *node) (string, string) {
	for _, p := range pairs(n) {
		a, b := t.typ(p[0]), t.typ(p[1])
		if wrong := unlike(a, b, p[0], p[1]); wrong != "" {
			return wrong, "compare what has the same type, or use a parameter"
		}
	}
	return "", ""
}

// unlike says why two types cannot be compared. A literal of text takes the
// other's type; what cannot be judged may be.
func unlike(a, b UserValue, x, y *node) string {
	if y.op == "text" && x.op != "text" {
		a, b, x, y = b, a, y, x
	}
	ka, kb := family(a), family(b)
	if ka == 0 || kb == 0 || ka == kb {
		return ""
	}
	if x.op == "text" {
		switch kb {
		case check.Int:
			return fmt.Sprintf("%s is a text, where a number is compared with it", x.name)
		case check.Bytes:
			return "a text is not the same as these bytes on sqlite"
		}
		return "" // literal.go judges those
	}
	if (x.op == "number" || y.op == "number") && (ka == check.Bool || kb == check.Bool) {
		return "" // as well
	}
	return fmt.Sprintf("a %s is compared with a %s, which is an error on postgres and means different things on the others", said(a), said(b))
}

func said(v UserValue) string {
	if v.Field != nil {
		return v.Type
	}
	return plain(v.Type)
}

// family is the kind of a value for comparison: all numbers are one.
func family(v UserValue) check.Kind {
	k := v.kind()
	if k == check.Decimal || k == check.Float || v.Type == fraction {
		return check.Int
	}
	return k
}

func blanks(t *typer, n *node) (string, string) {
	for _, p := range pairs(n) {
		for _, x := range p {
			if x.op == "text" && strings.HasSuffix(x.name, " '") {
				return "mysql does not see blanks at the end of a text that is compared", "write the text without them, or use LIKE"
			}
		}
	}
	return "", ""
}

func concatenation(t *typer, n *node) (string, string) {
	if n.op != "call" || n.name != "concat" && n.name != "concat_ws" {
		return "", ""
	}
	for _, a := range n.args {
		v := t.typ(a)
		if n.name == "concat" && (v.Null || v.Type == "") {
			return "a null makes mysql's concat null, and the others leave it out", fmt.Sprintf("write coalesce(%s, '')", t.p.source(a.span))
		}
		if k := v.kind(); k != 0 && k != check.Text && k != check.Int {
			return fmt.Sprintf("a %s is written in different ways", v.Type), "select the column itself, and put the text together in Go"
		}
	}
	return "", ""
}

func castTime(t *typer, n *node) (string, string) {
	if n.op == "cast" && slices.Contains([]string{"date", "datetime", "timestamp", "timestamptz", "time"}, n.name) {
		return "sqlite has no type " + n.name + ", and makes a number of it", "write date(x) for the day of a datetime; pass other times as parameters"
	}
	return "", ""
}

func chance(t *typer, n *node) (string, string) {
	if n.op == "call" && (n.name == "random" || n.name == "rand" || n.name == "randomblob" || n.name == "uuid" || n.name == "gen_random_uuid") {
		return n.name + " is not the same on all databases", "choose in Go, or put this query into a file for each database: random() on sqlite and postgres, rand() on mysql"
	}
	return "", ""
}

func remainder(t *typer, n *node) (string, string) {
	if n.op == "call" && n.name == "mod" && len(n.args) == 2 {
		return "sqlite's mod is a fraction", fmt.Sprintf("write %s %% %s", t.p.source(n.args[0].span), t.p.source(n.args[1].span))
	}
	return "", ""
}

func before(t *typer, n *node) (string, string) {
	if n.op == "call" && (n.name == "substr" || n.name == "substring") && len(n.args) > 1 {
		if start := n.args[1]; start.op == "sign" || start.op == "number" && (literal{text: start.name}).zero() {
			return "what is before the first character differs between databases", "count from 1; for the end of a text, substr(x, length(x) - 2)"
		}
	}
	return "", ""
}

func bitwise(t *typer, n *node) (string, string) {
	if n.op == "" && len(n.args) == 2 && slices.Contains([]string{"<<", ">>", "^", "#"}, n.name) {
		return n.name + " means different things, and is an error on some databases", "multiply or divide by a power of two, or do this in Go"
	}
	if n.op != "bits" || t.typ(n).Type != "" {
		return "", ""
	}
	return n.name + " is not the same for all that is no whole number", "write it for columns of whole numbers, or do this in Go"
}

func member(t *typer, n *node) (string, string) {
	if n.op == "" && slices.Contains([]string{"->", "->>", "#>", "#>>", "@>", "<@"}, n.name) {
		return n.name + " is not the same on all databases", "select the JSON itself, and read it in Go; what queries look for belongs in a field of its own"
	}
	return "", ""
}

func namesake(_ *typer, n *node) (string, string) {
	if n.op != "call" {
		return "", ""
	}
	switch n.name {
	case "log":
		return "log is to the base of ten on sqlite and postgres, and natural on mysql", "write ln(x), or log10(x)"
	case "format":
		return "format is not the same on all databases", "select the values, and format them in Go"
	}
	return "", ""
}

func limitedIn(t *typer, n *node) (string, string) {
	if n.op != "in" || n.sub == nil {
		return "", ""
	}
	for _, part := range append([]*query{n.sub}, n.sub.arms...) {
		if slices.ContainsFunc(part.others, func(o *node) bool { return o.op == "limit" }) {
			return "mysql takes no LIMIT in the subquery of IN", "write one more around it: IN (SELECT id FROM (SELECT ... LIMIT 2) AS t)"
		}
	}
	return "", ""
}

func offsetDefault(t *typer, n *node) (string, string) {
	if n.op != "call" || n.name != "lag" && n.name != "lead" || len(n.args) < 3 {
		return "", ""
	}
	x := t.p.source(n.args[0].span)
	return "mariadb's " + n.name + " takes no third argument", fmt.Sprintf("write coalesce(%s(%s, %s) OVER (...), %s), if %s is never null", n.name, x, t.p.source(n.args[1].span), t.p.source(n.args[2].span), x)
}

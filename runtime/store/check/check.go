// Package check holds the rules of a field and applies them to a value.
//
// The generator uses it to refuse a default that its own rules refuse; the
// runtime uses it before every write. Both therefore agree, to the letter, on
// what a valid value is. It imports nothing of the project.
//
// A value that breaks three rules gives three failures, each with a message
// that can stand beside a form's field:
//
//	r := check.Rules{Kind: check.Text, Required: true, Max: check.At("5"), Pattern: "^[a-z]+$"}
//	r.Check("Too long")
//	// {max, "must be at most 5 characters, not 8"}
//	// {pattern, "must match ^[a-z]+$"}
//
// Three things hold for every text whatever its rules, since no database could
// be trusted with it otherwise: it is UTF-8, it holds no NUL, and a JSON text
// is one that PostgreSQL, MySQL and MariaDB all accept.
//
// A null breaks only Required: a field that is not given has nothing to hold
// to the other rules. An empty text is a value like any other, except that
// Required refuses it too. No message repeats the value of a secret.
package check

// Kind is how the store treats a column.
type Kind uint8

// The kinds. Text covers text, textarea, richtext, select, email, url and slug.
const (
	Text Kind = iota + 1
	Int
	Decimal
	Bool
	Time
	Date
	JSON
	Bytes
	Float
)

// String returns the kind's name, as generated code writes it.
func (k Kind) String() string {
	names := [...]string{"", "Text", "Int", "Decimal", "Bool", "Time", "Date", "JSON", "Bytes", "Float"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Rules is what a field asks of its values. The zero value of every part but
// Kind asks nothing.
type Rules struct {
	Kind     Kind
	Format   Format // of a text: an address or a slug
	Required bool   // neither null nor empty
	Secret   bool   // its values never stand in a message

	// Reference says that an Int is the id of a row. Ids start at 1: 0, which Go has for
	// one that was forgotten, is as if it were not given.
	Reference bool

	// Min and Max bound the value of numbers, decimals and floats, the length of a text
	// in characters, and that of JSON and bytes in bytes.
	Min, Max Bound

	Pattern string   // RE2; finds a match anywhere in a text unless anchored; at most MaxPattern bytes
	Options []string // of a select: the only values allowed
	Scale   int      // of a decimal: digits behind the point, 0 to MaxScale
	Rules   []Rule   // of ModulaCMS's form; all must hold
	Fields  []Member // of JSON with declared fields: the document is an object with these
}

// Member is one declared field of a JSON document.
type Member struct {
	Name  string // the key in the document
	Rules Rules
}

// Limits of the rules themselves. A definition beyond them is refused when it
// is read, so that no value can make a check slow.
const (
	MaxPattern = 1000 // bytes of a pattern
	MaxScale   = 9    // digits behind the point
	MaxDigits  = 18   // digits of a decimal in all
	MaxDepth   = 10   // groups of rules within groups
	MaxRules   = 100  // rules of one field, those in groups included
	MaxText    = 1000 // bytes of a rule's value or message
	MaxJSON    = 31   // arrays and objects within one another: MariaDB reads no more
)

// Failure is one rule that a value breaks.
type Failure struct {
	Rule    string // "required", "min", "max", "pattern", "options", "email", ...: the key that asked for it
	Message string // for people, to stand after the field's name: "must be at most 5 characters, not 8"
}

// Check returns every rule that a value breaks, nil when it breaks none.
//
// The value is nil for null, or int64 (Int), decimal.Decimal (Decimal), bool
// (Bool), float64 (Float), time.Time (Time), a fmt.Stringer that gives 2006-01-02 or the zero
// date (Date), string (Text), []byte or json.RawMessage (Bytes, JSON). A value
// of another type breaks the rule "type".
func (r *Rules) Check(v any) []Failure {
	c := checker{r: r}
	if v == nil {
		c.null()
		return c.failures
	}
	switch r.Kind {
	case Text:
		c.text(v)
	case Int:
		c.int(v)
	case Decimal:
		c.decimal(v)
	case Bool:
		c.bool(v)
	case Float:
		c.float(v)
	case Time:
		c.time(v)
	case Date:
		c.date(v)
	case JSON:
		c.json(v)
	case Bytes:
		c.bytes(v)
	default:
		c.wrongType(v)
	}
	return c.failures
}

package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// TimeLayout is the canonical text of an instant, in UTC.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

// defaultOf reads a field's default and holds it to the field's own rules.
func (def *Definition) defaultOf(n *yaml.Node, f *model.Field) {
	at := node.Get(n, "default")
	if at == nil || f.Type == "reference" || f.Type == "bytes" {
		return
	}
	if isNull(at) {
		if f.Type == "json" {
			def.f.wrong(at, "default has no value", "leave the key out")
		} else {
			def.f.hint(at, "leave the key out")
		}
		return
	}
	if at.Value == "now" && node.IsText(at) && (f.Rules.Kind == check.Time || f.Rules.Kind == check.Date) {
		f.Default = &model.Default{Now: true}
		return
	}
	if text, ok := def.literal(at, f, "default", hintOf(f)); ok {
		f.Default = &model.Default{Text: text}
	}
}

// literal reads a value that is written for a field, and holds it to the field's own rules. What
// names it in messages; hint says how one that cannot be read is written.
func (def *Definition) literal(at *yaml.Node, f *model.Field, what, hint string) (text string, ok bool) {
	text, value, err := literal(at, f)
	if err != nil {
		if !errors.Is(err, errReported) {
			def.f.wrong(at, what+" "+err.Error(), hint)
		}
		return "", false
	}
	rules := f.Rules
	rules.Secret = false
	ok = true
	for _, failure := range rules.Check(value) {
		ok = false
		hint := fmt.Sprintf("change the %s or the rule", what)
		if meant := near.Word(at.Value, f.Rules.Options); failure.Rule == "options" && meant != "" {
			hint = fmt.Sprintf("write %q", meant)
		}
		def.f.wrong(at, what+" breaks the field's own rules: "+failure.Message, hint)
	}
	return text, ok
}

// errReported stands for a literal of the wrong form, which was reported when
// the field was held to its table.
var errReported = errors.New("reported")

// literal reads a value of a field's type: its canonical text, and as Check
// takes it. Its error goes on a sentence that starts with what the value is.
func literal(n *yaml.Node, f *model.Field) (text string, value any, err error) {
	if f.Rules.Kind == check.JSON {
		return document(n)
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return "", nil, errReported
	}
	tag := n.ShortTag()
	switch f.Rules.Kind {
	case check.Int:
		if tag != "!!int" || !node.PlainInt.MatchString(n.Value) {
			return "", nil, errReported
		}
		i, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return "", nil, errReported
		}
		return strconv.FormatInt(i, 10), i, nil
	case check.Decimal:
		if tag != "!!int" && tag != "!!float" || !plainNumber.MatchString(n.Value) {
			return "", nil, errReported
		}
		d, err := decimal.NewFromString(n.Value)
		if err != nil {
			return "", nil, errReported
		}
		return d.String(), d, nil
	case check.Float:
		f, err := node.ParseFloat(n.Value)
		if err != nil || tag != "!!int" && tag != "!!float" {
			return "", nil, errReported
		}
		return check.FloatText(f), f, nil
	case check.Bool:
		if tag != "!!bool" {
			return "", nil, errReported
		}
		b := strings.EqualFold(n.Value, "true")
		return strconv.FormatBool(b), b, nil
	}
	if !node.IsText(n) {
		return "", nil, errReported
	}
	switch f.Rules.Kind {
	case check.Time:
		t, err := time.Parse(time.RFC3339Nano, n.Value)
		if err != nil {
			return "", nil, fmt.Errorf("%q is not an instant", n.Value)
		}
		return t.UTC().Format(TimeLayout), t, nil
	case check.Date:
		t, err := time.Parse(time.DateOnly, n.Value)
		if err != nil {
			return "", nil, fmt.Errorf("%q is not a day", n.Value)
		}
		return n.Value, dateText{t}, nil
	}
	return n.Value, n.Value, nil
}

type dateText struct{ t time.Time }

func (d dateText) String() string { return d.t.Format(time.DateOnly) }

func hintOf(f *model.Field) string {
	switch f.Rules.Kind {
	case check.Time:
		return `write now, or such as "2026-01-02T15:04:05Z"`
	case check.Date:
		return `write now, or such as "2026-01-02"`
	}
	return ""
}

// document turns YAML into the JSON that it stands for.
func document(n *yaml.Node) (text string, value any, err error) {
	v, err := plainValue(n)
	if err != nil {
		return "", nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", nil, errors.New("cannot be written as JSON")
	}
	return string(b), json.RawMessage(b), nil
}

func plainValue(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if _, ok := out[key.Value]; ok {
				return nil, fmt.Errorf("has the key %q twice", key.Value)
			}
			v, err := plainValue(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			out[key.Value] = v
		}
		return out, nil
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			v, err := plainValue(c)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			return nil, fmt.Errorf("holds %s, which is not a number of JSON", n.Value)
		}
		return json.Number(n.Value), nil
	}
	return n.Value, nil
}

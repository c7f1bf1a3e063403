package load

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// overrides narrows what keys of one mapping hold; a nil Value means that the
// key was dealt with already.
type overrides map[string]*language.Value

// mapping holds a node to the keys of a mapping.
func (f *file) mapping(n *yaml.Node, m *language.Mapping, what string, over overrides) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if first, ok := seen[key.Value]; ok {
			f.wrong(key, fmt.Sprintf("%s is written twice", key.Value), fmt.Sprintf("the first is on line %d", first.Line))
			continue
		}
		seen[key.Value] = key
		k, ok := m.Key(key.Value)
		if !ok && m.Others != nil && (isForm(value, m.Others.Form) || near.Word(key.Value, m.Names()) == "") {
			f.holds(value, m.Others, what+" "+key.Value)
			continue
		}
		if !ok || k.Later {
			f.unknownKey(key, m, k)
			continue
		}
		v := k.Value
		if o, ok := over[k.Name]; ok {
			v = o
		}
		if v != nil {
			f.holds(value, v, k.Name)
		}
	}
	for _, k := range m.Keys {
		if k.Needed && seen[k.Name] == nil {
			f.wrong(n, fmt.Sprintf("%s has no %s", what, k.Name), fmt.Sprintf("add %s: %s", k.Name, k.Help))
		}
	}
	if len(m.OneOf) > 0 {
		f.oneOf(n, m, seen)
	}
}

func (f *file) oneOf(n *yaml.Node, m *language.Mapping, seen map[string]*yaml.Node) {
	count := 0
	for _, name := range m.OneOf {
		if seen[name] != nil {
			count++
		}
	}
	if count != 1 {
		f.wrong(n, fmt.Sprintf("%s has either %s", article(m.Name), strings.Join(m.OneOf, " or ")), "")
	}
}

func (f *file) unknownKey(key *yaml.Node, m *language.Mapping, k language.Key) {
	if k.Later {
		f.wrong(key, fmt.Sprintf("%s is not built in this version", key.Value), "remove it")
		return
	}
	if name, ok := strings.CutSuffix(key.Value, ":"); ok { // as in {required:}
		if _, ok := m.Key(name); ok {
			f.wrong(key, name+" has no value", "write one, or leave the key out")
			return
		}
	}
	message := fmt.Sprintf("unknown key %q in %s", key.Value, article(m.Name))
	if m.Name == "field" && slices.Contains([]string{"nullable", "null", "optional", "not_null"}, key.Value) {
		f.wrong(key, message, "a field may be null unless it says required: true or has a default")
		return
	}
	if m == language.Member || m == language.ColumnMember {
		if _, ok := language.Field.Key(key.Value); ok {
			belongs := "it belongs to fields that are columns"
			if _, ok := language.ColumnMember.Key(key.Value); ok {
				belongs += ", and to the members of json fields"
			}
			f.wrong(key, fmt.Sprintf("%s has no place in a field of a JSON object", key.Value), belongs)
			return
		}
	}
	if meant := cmp.Or(m.Meant[key.Value], near.Word(key.Value, m.Names())); meant != "" {
		f.wrong(key, message, fmt.Sprintf("write %q", meant))
		return
	}
	f.wrong(key, message, "known are "+strings.Join(m.Names(), ", "))
}

func article(noun string) string {
	if strings.HasPrefix(noun, "the ") {
		return noun
	}
	if strings.ContainsRune("aeio", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// holds reports where a node is not what a key holds.
func (f *file) holds(n *yaml.Node, v *language.Value, what string) {
	for _, form := range v.Forms() {
		if isForm(n, form.Form) {
			f.holdsForm(n, &form, what)
			return
		}
	}
	f.wrongForm(n, v, what)
}

func isForm(n *yaml.Node, form language.Form) bool {
	switch form {
	case language.Any:
		return true
	case language.List:
		return n.Kind == yaml.SequenceNode
	case language.Map, language.Section:
		return n.Kind == yaml.MappingNode
	}
	if n.Kind != yaml.ScalarNode {
		return false
	}
	switch form {
	case language.Null:
		return isNull(n)
	case language.Bool:
		return n.ShortTag() == "!!bool"
	case language.Int:
		return n.ShortTag() == "!!int" || node.PlainInt.MatchString(n.Value) && n.ShortTag() == "!!float" // too long for one
	case language.Number, language.Float:
		return n.ShortTag() == "!!int" || n.ShortTag() == "!!float"
	}
	return node.IsText(n) // Text and Duration
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func (f *file) holdsForm(n *yaml.Node, v *language.Value, what string) {
	switch v.Form {
	case language.Text:
		f.text(n, v, what)
	case language.Int:
		f.int(n, v, what)
	case language.Number:
		if !plainNumber.MatchString(n.Value) {
			f.wrong(n, fmt.Sprintf("%s must be a plain number, not %s", what, written(n)), "write digits, at most 9 behind the point")
		}
	case language.Float:
		if _, err := node.ParseFloat(n.Value); err != nil {
			f.wrong(n, fmt.Sprintf("%s %s", what, err), "write such as 0.5, -3 or 1e9")
		}
	case language.Duration:
		f.duration(n, what)
	case language.List:
		f.list(n, v, what)
	case language.Map:
		f.namesOf(n, v, what)
	case language.Section:
		f.section(n, v.Keys, what)
	}
}

// section sends the mappings that need more than their table to those who know.
func (f *file) section(n *yaml.Node, m *language.Mapping, what string) {
	switch m {
	case language.Field, language.Member, language.ColumnMember:
		f.fieldShape(n, m)
	default:
		if m.Name != what && !strings.HasPrefix(what, m.Name+" ") {
			what = article(m.Name)
		}
		f.mapping(n, m, what, nil)
	}
}

var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,9})?$`)

func (f *file) text(n *yaml.Node, v *language.Value, what string) {
	s := n.Value
	switch length := utf8.RuneCountInString(s); {
	case s == "" && !v.Empty:
		f.wrong(n, what+" is empty", "write a value, or leave the key out")
	case len(v.Choices) > 0 && !slices.Contains(v.Choices, s):
		f.unknownChoice(n, v.Choices, what)
	case v.Max > 0 && int64(length) > v.Max:
		f.wrong(n, fmt.Sprintf("%s has %d characters, at most %d are allowed", what, length, v.Max), "shorten it")
	case v.Pattern != "" && !node.Matches(v.Pattern, s):
		f.wrong(n, fmt.Sprintf("%s %q is not %s", what, s, v.Name), suggestion(s, v.Pattern))
	case strings.ContainsRune(s, 0):
		f.wrong(n, what+" holds a NUL character", "remove it")
	}
}

func (f *file) unknownChoice(n *yaml.Node, choices []string, what string) {
	hint := "write one of " + strings.Join(choices, ", ")
	if meant := near.Word(n.Value, choices); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	}
	if what == "database" {
		if meant := DatabaseMeant(n.Value); meant != "" {
			hint = fmt.Sprintf("write %q", meant)
		}
	}
	if what == "storage" && n.Value == "content" {
		f.wrong(n, "storage: content is not built in this version", "leave the key out: rows are kept in a table")
		return
	}
	if what == "backoff" && node.Matches(language.DurationPattern, n.Value) {
		hint = fmt.Sprintf("write [%s]", n.Value)
	} else if e := examples[example{what, language.Text}]; e != "" && near.Word(n.Value, choices) == "" {
		hint = e
	}
	f.wrong(n, fmt.Sprintf("unknown %s %q", what, n.Value), hint)
}

// suggestion bends a text into the form that a pattern asks for, if that is easy.
func suggestion(s, pattern string) string {
	if node.Matches(pattern, "a desc") {
		lower := strings.ToLower(s)
		if node.Matches(pattern, lower) {
			return fmt.Sprintf("write %q", lower)
		}
		if name, _, ok := strings.Cut(lower, " "); ok && node.Matches(pattern, name) {
			return fmt.Sprintf(`write %q, or "%s desc"`, name, name)
		}
	}
	for _, bent := range []string{snake(s), strings.ReplaceAll(snake(s), "_", "-"), strings.TrimPrefix(s, "/"), strings.ReplaceAll(s, `\`, "/"), strings.ToLower(s)} {
		if bent != "" && node.Matches(pattern, bent) {
			return fmt.Sprintf("write %q", bent)
		}
	}
	return ""
}

// snake returns a name in snake case: userId and "User ID" are user_id.
func snake(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return ""
	}
	var b strings.Builder
	var last rune
	for _, r := range s {
		upper := r >= 'A' && r <= 'Z'
		switch {
		case upper && (last >= 'a' && last <= 'z' || last >= '0' && last <= '9'):
			b.WriteByte('_')
			fallthrough
		case upper:
			b.WriteRune(r + 'a' - 'A')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && last != '_':
			b.WriteByte('_')
			r = '_'
		}
		last = r
	}
	return strings.Trim(b.String(), "_")
}

func (f *file) int(n *yaml.Node, v *language.Value, what string) {
	if !node.PlainInt.MatchString(n.Value) {
		hint := "write it in decimal digits alone"
		var i int64
		if n.Decode(&i) == nil {
			hint = fmt.Sprintf("write %d", i)
		}
		f.wrong(n, fmt.Sprintf("%s must be a plain whole number, not %s", what, written(n)), hint)
		return
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	switch {
	case err != nil:
		f.wrong(n, what+" is beyond the range of 64-bit whole numbers", "")
	case i < v.Min:
		hint := ""
		if what == "concurrency" {
			hint = "leave the key out for no limit here"
		}
		f.wrong(n, fmt.Sprintf("%s must be at least %d", what, v.Min), hint)
	case v.Max > 0 && i > v.Max:
		f.wrong(n, fmt.Sprintf("%s must be at most %d", what, v.Max), "")
	}
}

func (f *file) list(n *yaml.Node, v *language.Value, what string) {
	f.entries(n, int64(len(n.Content)), v, what)
	for i, c := range n.Content {
		if v.Max > 0 && int64(i) >= v.Max {
			return
		}
		f.holds(c, v.Of, singular(what))
	}
}

// singular names one entry of a list in a message.
func singular(what string) string {
	switch what {
	case "indexes":
		return "index"
	case "all_of", "any_of", "rules":
		return "entry"
	case "order", "by":
		return "field"
	case "backoff":
		return "delay"
	}
	return strings.TrimSuffix(what, "s")
}

func (f *file) entries(n *yaml.Node, count int64, v *language.Value, what string) {
	switch {
	case count < v.Min:
		f.wrong(n, what+" is empty", "write at least one entry, or leave the key out")
	case v.Max > 0 && count > v.Max:
		f.wrong(n, fmt.Sprintf("%s has %d entries, at most %d are allowed", what, count, v.Max), "")
	}
}

// namesOf holds a mapping from names that a person chose to its values' form.
func (f *file) namesOf(n *yaml.Node, v *language.Value, what string) {
	f.entries(n, int64(len(n.Content)/2), v, what)
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if first, ok := seen[key.Value]; ok {
			f.wrong(key, fmt.Sprintf("%s is written twice", key.Value), fmt.Sprintf("the first is on line %d", first.Line))
			continue
		}
		seen[key.Value] = key
		pattern, asked := language.NamePattern, "a name in snake case: a-z, 0-9 and _, starting with a letter"
		if v.Pattern != "" {
			pattern, asked = v.Pattern, v.Name
		}
		if !node.Matches(pattern, key.Value) || len(key.Value) > language.MaxName {
			f.wrong(key, fmt.Sprintf("%q in %s is not %s", key.Value, what, asked), suggestion(key.Value, pattern))
			continue
		}
		name := key.Value
		if v.Of.Form == language.Section {
			name = v.Of.Keys.Name + " " + name
		}
		f.holds(value, v.Of, name)
	}
}

// wrongForm says what stands there instead of what should.
func (f *file) wrongForm(n *yaml.Node, v *language.Value, what string) {
	if isNull(n) && n.Value == "" {
		hint := "write one, or leave the key out"
		if v.Form == language.Section && !needs(v.Keys) {
			hint = "write {}, or leave the key out"
		}
		f.wrong(n, what+" has no value", hint)
		return
	}
	var forms []string
	for _, form := range v.Forms() {
		if w := formName(&form); !slices.Contains(forms, w) {
			forms = append(forms, w)
		}
	}
	hint := cmp.Or(f.bend(n, v), examples[example{what, v.Form}])
	f.wrong(n, fmt.Sprintf("%s must be %s, not %s", what, strings.Join(forms, " or "), kindOf(n)), hint)
}

type example struct {
	key  string
	form language.Form
}

// examples are hints for keys whose form many guess wrong.
var examples = map[example]string{
	{"attempts", language.Text}:     "it names the field that holds the number; write the number as that field's default, or as attempts of a kind",
	{"max_attempts", language.Text}: "it names the field that holds the number; write the number as that field's default, or as attempts of a kind",
	{"backoff", language.Text}:      "write exponential, squared, or a list of durations such as [10s, 1m, 10m]",
	{"databases", language.List}:    "write [postgres], with each database that the project targets",
	{"existing", language.Text}:     "write refuse, default, {value: ...} or {step: NAME}",
	{"older", language.Map}:         "write {1: {fields: [...]}}, with the fields that version 1 had",
	{"rate", language.Section}:      "write {max: 100, every: 1m} for a hundred starts a minute",
	{"retention", language.Section}: "write {done: 7d, dead: 30d}, with durations of yours",
	{"retain", language.Section}:    "write {for: 30d}, with a duration of yours",
	{"unique", language.Section}:    "write {by: [...]}, with the fields that make two jobs alike",
}

// needs reports whether a mapping has keys that must stand.
func needs(m *language.Mapping) bool {
	return slices.ContainsFunc(m.Keys, func(k language.Key) bool { return k.Needed })
}

func formName(v *language.Value) string {
	switch v.Form {
	case language.Text:
		return "text"
	case language.Bool:
		return "true or false"
	case language.Int:
		return "a whole number"
	case language.Number, language.Float:
		return "a number"
	case language.Null:
		return "null"
	case language.Duration:
		return "a duration"
	case language.List:
		return "a list"
	case language.Section:
		var names []string
		for _, k := range v.Keys.Keys {
			if !k.Later {
				names = append(names, k.Name)
			}
		}
		if len(names) > 4 {
			names = append(names[:4], "...")
		}
		return "keys and values (" + strings.Join(names, ", ") + ")"
	}
	return "names with values"
}

// written is a number as it stands in the file, in quotes where its point would
// look like the end of the sentence.
func written(n *yaml.Node) string {
	if strings.HasSuffix(n.Value, ".") {
		return strconv.Quote(n.Value)
	}
	return n.Value
}

// kindOf says what a node is, in a message.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case isNull(n):
		return "nothing"
	case n.ShortTag() == "!!bool":
		return n.Value
	case n.ShortTag() == "!!int" || n.ShortTag() == "!!float":
		return "the number " + written(n)
	}
	s := []rune(n.Value)
	if len(s) > 40 {
		s = append(s[:40], []rune("...")...)
	}
	return fmt.Sprintf("the text %q", string(s))
}

// bend proposes the same value in the form that is asked for.
func (f *file) bend(n *yaml.Node, v *language.Value) string {
	if n.Kind == yaml.ScalarNode && node.IsText(n) {
		switch s := strings.ToLower(n.Value); v.Form {
		case language.Bool:
			if slices.Contains([]string{"yes", "y", "on", "true", "1"}, s) {
				return "write true"
			}
			if slices.Contains([]string{"no", "n", "off", "false", "0"}, s) {
				return "write false"
			}
		case language.Int, language.Number:
			if plainNumber.MatchString(s) {
				return fmt.Sprintf("write %s, without quotes", s)
			}
		case language.Float:
			if _, err := node.ParseFloat(s); err == nil {
				return fmt.Sprintf("write %s, without quotes", s)
			}
			return "write such as 0.5, -3 or 1e9" // YAML takes what is beyond the range for a text
		case language.List:
			return fmt.Sprintf("write [%s]", n.Value)
		}
		return ""
	}
	if v.Form == language.Bool && (n.Value == "1" || n.Value == "0") {
		return map[string]string{"1": "write true", "0": "write false"}[n.Value]
	}
	if n.Kind == yaml.ScalarNode && !isNull(n) && v.Form == language.Text && len(v.Choices) == 0 && v.Pattern == "" {
		return fmt.Sprintf("write %q, in quotes", n.Value)
	}
	if v.Form == language.Duration {
		return bendDuration(n)
	}
	if n.Kind == yaml.SequenceNode && v.Form == language.Map && v.Of.Form == language.Section && !needs(v.Of.Keys) && len(n.Content) > 0 {
		return fmt.Sprintf("write {%s: {}, ...}", n.Content[0].Value)
	}
	if n.Kind == yaml.MappingNode && v.Form == language.List {
		return `start each entry with "- "`
	}
	return ""
}

// fieldShape holds a field to its table and to what its type takes.
func (f *file) fieldShape(n *yaml.Node, m *language.Mapping) {
	over := overrides{}
	rules, known := typeRules(n, m)
	if known {
		for _, name := range language.SpecialKeys() {
			key, _ := node.Pair(n, name)
			if key == nil {
				continue
			}
			if _, in := m.Key(name); in && !slices.Contains(rules.Takes, name) {
				over[name] = nil
				f.misplaced(key, name, rules.Type)
				continue
			}
			if v, ok := rules.Values[name]; ok {
				over[name] = v
			}
		}
		for _, name := range rules.Needs {
			if key, _ := node.Pair(n, name); key == nil {
				k, _ := language.Field.Key(name)
				f.wrong(n, fmt.Sprintf("%s has no %s", titled(n, rules.Type), name), fmt.Sprintf("add %s: %s", name, k.Help))
			}
		}
		if at := node.Get(n, "default"); at != nil && !f.isTime(at, fieldtype.MustLookup(rules.Type).Kind, "default", `write now, "2026-01-02" for a date, or "2026-01-02T15:04:05Z" for a datetime`) {
			over["default"] = nil
		}
	}
	f.mapping(n, m, titled(n, "field"), over)
}

// isTime lets an unquoted 2026 that stands where a field's time should say what is wrong with it
// in dates' words. What holds no time, or is not a scalar, passes.
func (f *file) isTime(v *yaml.Node, kind check.Kind, what, hint string) bool {
	if kind != check.Time && kind != check.Date || node.IsText(v) || v.Kind != yaml.ScalarNode || isNull(v) {
		return true
	}
	f.wrong(v, fmt.Sprintf("%s must be a time, not %s", what, kindOf(v)), hint)
	return false
}

// misplaced reports a key that a type does not take, and what to do instead.
func (f *file) misplaced(key *yaml.Node, name, typ string) {
	var takers []string
	for _, r := range language.ByType() {
		if slices.Contains(r.Takes, name) {
			takers = append(takers, r.Type)
		}
	}
	hint := "remove it; it is for " + strings.Join(takers, ", ")
	if len(takers) == 1 {
		hint = fmt.Sprintf("remove it, or write type: %s", takers[0])
	}
	f.wrong(key, fmt.Sprintf("%s does not go with type %s", name, typ), hint)
}

// titled names a field in a message by its name, if it has one.
func titled(n *yaml.Node, noun string) string {
	if s := node.Text(n, "name"); s != "" {
		return noun + " " + s
	}
	return "this " + noun
}

func typeRules(n *yaml.Node, m *language.Mapping) (language.TypeRules, bool) {
	k, _ := m.Key("type")
	name := node.Text(n, "type")
	if !slices.Contains(k.Value.Choices, name) {
		return language.TypeRules{}, false
	}
	for _, r := range language.ByType() {
		if r.Type == name {
			return r, true
		}
	}
	return language.TypeRules{}, false
}

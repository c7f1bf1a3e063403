// Package node reads values of a YAML tree, for the loader and for the behaviors
// that read a section of their own.
//
// The getters return zero for what is not there or is of another form: the loader
// has reported that already, when it held the file to the tables of gen/language.
package node

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
)

// Pair returns a key of a mapping and its value, or nil when it is not there.
func Pair(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i].Kind == yaml.ScalarNode {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// Get returns the value of a key of a mapping, or nil when it is not there.
func Get(n *yaml.Node, name string) *yaml.Node {
	_, v := Pair(n, name)
	return v
}

// Text returns the text that a key holds.
func Text(n *yaml.Node, name string) string {
	if v := Get(n, name); v != nil && IsText(v) {
		return v.Value
	}
	return ""
}

// True reports whether a key holds true.
func True(n *yaml.Node, name string) bool {
	v := Get(n, name)
	return v != nil && v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" && strings.EqualFold(v.Value, "true")
}

// Int returns the whole number that a key holds, and whether it holds one.
func Int(n *yaml.Node, name string) (int64, bool) {
	v := Get(n, name)
	if v == nil || v.Kind != yaml.ScalarNode || v.ShortTag() != "!!int" || !PlainInt.MatchString(v.Value) {
		return 0, false
	}
	i, err := strconv.ParseInt(v.Value, 10, 64)
	return i, err == nil
}

// Items returns the entries of the list that a key holds.
func Items(n *yaml.Node, name string) []*yaml.Node {
	if v := Get(n, name); v != nil && v.Kind == yaml.SequenceNode {
		return v.Content
	}
	return nil
}

// Section returns the mapping that a key holds, or nil.
func Section(n *yaml.Node, name string) *yaml.Node {
	if v := Get(n, name); v != nil && v.Kind == yaml.MappingNode {
		return v
	}
	return nil
}

// Or returns the first node that is not nil.
func Or(nodes ...*yaml.Node) *yaml.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}

// IsText reports whether a node is text. An unquoted date is the text that it
// looks like; only YAML 1.1 knew dates.
func IsText(n *yaml.Node) bool {
	tag := n.ShortTag()
	return n.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!timestamp" || tag == "!!binary")
}

// ParseDuration reads a span of time of the form of language.DurationPattern.
// What is longer than MaxDuration is not ok.
func ParseDuration(s string) (time.Duration, bool) {
	var total time.Duration
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' })
		if i < 0 {
			return 0, false
		}
		end := strings.IndexFunc(s[i:], func(r rune) bool { return r < 'a' || r > 'z' }) + i
		if end < i {
			end = len(s)
		}
		number, unit := s[:i], s[i:end]
		times := time.Duration(1)
		switch unit {
		case "d":
			unit, times = "h", 24
		case "w":
			unit, times = "h", 7*24
		}
		d, err := time.ParseDuration(number + unit)
		if err != nil || d > language.MaxDuration/times {
			return 0, false
		}
		if total += d * times; total > language.MaxDuration {
			return 0, false
		}
		s = s[end:]
	}
	return total, true
}

// Duration returns the span of time that a key holds.
func Duration(n *yaml.Node, name string) time.Duration { return DurationOf(Get(n, name)) }

// DurationOf returns the span of time that a node holds.
func DurationOf(n *yaml.Node) time.Duration {
	if n == nil || !IsText(n) || !Matches(language.DurationPattern, n.Value) {
		return 0
	}
	d, _ := ParseDuration(n.Value)
	return d
}

// PlainInt is a whole number in decimal digits.
var PlainInt = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

var (
	plainFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	zeroFloat  = regexp.MustCompile(`^[-+]?[0.]+([eE]|$)`)
)

// ParseFloat reads a number of YAML as the float nearest to it. Its error goes on a sentence that
// starts with what the number is.
func ParseFloat(s string) (float64, error) {
	if !plainFloat.MatchString(s) {
		return 0, fmt.Errorf("must be a finite decimal number, not %s", s)
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("is beyond the range of 64-bit floats, which ends at %v", math.MaxFloat64)
	case f == 0 && !zeroFloat.MatchString(s):
		return 0, fmt.Errorf("is nearer to 0 than any 64-bit float")
	}
	return f + 0, nil
}

var patterns sync.Map // of Value.Pattern

// Matches reports whether s matches a pattern of the language's tables.
func Matches(pattern, s string) bool {
	re, ok := patterns.Load(pattern)
	if !ok {
		re, _ = patterns.LoadOrStore(pattern, regexp.MustCompile(pattern))
	}
	return re.(*regexp.Regexp).MatchString(s)
}

// ASCII reports whether a text can stand in a statement as it is: sqlc reads no more
// than printable ASCII there.
func ASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

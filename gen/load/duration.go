package load

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
)

// duration holds a text to what a duration may be.
func (f *file) duration(n *yaml.Node, what string) {
	s := n.Value
	switch {
	case s == "":
		f.wrong(n, what+" is empty", "write a value, or leave the key out")
		return
	case strings.HasPrefix(s, "-"):
		f.wrong(n, fmt.Sprintf("%s %q is negative", what, s), "write a duration above zero, such as 30s")
		return
	case utf8.RuneCountInString(s) > language.MaxDurationText, !node.Matches(language.DurationPattern, s):
		f.wrong(n, fmt.Sprintf("%s %q is not a duration", what, s), bendDuration(n))
		return
	}
	d, ok := node.ParseDuration(s)
	switch {
	case !ok:
		f.wrong(n, fmt.Sprintf("%s %q is longer than ten years", what, s), "write 3650d or less")
	case d < language.MinDuration:
		f.wrong(n, fmt.Sprintf("%s %q is shorter than a millisecond", what, s), "write 1ms or more")
	}
}

// bendDuration proposes what a person may have meant by something that is no
// duration: 5 has no unit, "10 min" is 10m.
func bendDuration(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	if plainNumber.MatchString(n.Value) && !strings.HasPrefix(n.Value, "-") {
		return fmt.Sprintf("write a unit with it: %ss, %sm, %sh or %sd", n.Value, n.Value, n.Value, n.Value)
	}
	if strings.HasSuffix(n.Value, "M") { // a minute or a month
		return "write m for minutes; a month is 30d or so"
	}
	if bent := wordyUnits.Replace(strings.ToLower(n.Value)); node.Matches(language.DurationPattern, bent) && len(bent) <= language.MaxDurationText {
		return "write " + bent
	}
	return "write numbers with the units ms, s, m, h, d or w, such as 30s, 1h30m or 7d"
}

var wordyUnits = strings.NewReplacer(
	" ", "", ",", "", "milliseconds", "ms", "millisecond", "ms", "seconds", "s", "second", "s", "secs", "s", "sec", "s",
	"minutes", "m", "minute", "m", "mins", "m", "min", "m", "hours", "h", "hour", "h", "hrs", "h", "hr", "h",
	"days", "d", "day", "d", "weeks", "w", "week", "w",
)

package load

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
)

// parseDuration reads a span of time of the form of language.DurationPattern.
// What is longer than MaxDuration is not ok.
func parseDuration(s string) (time.Duration, bool) {
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
	case utf8.RuneCountInString(s) > language.MaxDurationText, !matches(language.DurationPattern, s):
		f.wrong(n, fmt.Sprintf("%s %q is not a duration", what, s), bendDuration(n))
		return
	}
	d, ok := parseDuration(s)
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
	if bent := wordyUnits.Replace(strings.ToLower(n.Value)); matches(language.DurationPattern, bent) && len(bent) <= language.MaxDurationText {
		return "write " + bent
	}
	return "write numbers with the units ms, s, m, h, d or w, such as 30s, 1h30m or 7d"
}

var wordyUnits = strings.NewReplacer(
	" ", "", ",", "", "milliseconds", "ms", "millisecond", "ms", "seconds", "s", "second", "s", "secs", "s", "sec", "s",
	"minutes", "m", "minute", "m", "mins", "m", "min", "m", "hours", "h", "hour", "h", "hrs", "h", "hr", "h",
	"days", "d", "day", "d", "weeks", "w", "week", "w",
)

// duration gives what a key holds; 0 when it is not there or was reported.
func duration(n *yaml.Node, name string) time.Duration { return durationOf(get(n, name)) }

func durationOf(n *yaml.Node) time.Duration {
	if n == nil || !isText(n) || !matches(language.DurationPattern, n.Value) {
		return 0
	}
	d, _ := parseDuration(n.Value)
	return d
}

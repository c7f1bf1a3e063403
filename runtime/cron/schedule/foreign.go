package schedule

import "strings"

// What other schedulers write and this grammar does not have, with what to write here.
const (
	hintLast    = "days that depend on the length of a month are not supported; the first of the month at 00:00 comes right after the last day"
	hintWeekday = "the nearest weekday is not supported; write the day, or days of the week such as mon-fri"
	hintNth     = "the nth day of the week in a month is not supported; run each week and check the date in the action"
	hintHash    = "a chosen value is not supported; write a value, and spread jobs with jitter"
	hintYear    = "a field of years is not supported; leave it out, and end the job by its end"
	hintSystemd = "dates and times with - and : are the syntax of systemd and ISO 8601; the fields here are " + order
)

// foreign refuses what other schedulers' grammars have beside numbers.
func foreign(f *field, text string, at int) *ParseError {
	for start := 0; start <= len(text); {
		part, _, _ := strings.Cut(text[start:], ",")
		if p, hint := foreignPart(f, part); p != "" {
			return problem(at+start, hint, "%s", p)
		}
		if i := strings.IndexByte(part, '?'); i == 0 && (f.index() != fieldDay && f.index() != fieldWeekday) {
			return problem(at+start, "write *", "\"?\" is permitted in the days alone, not in the %s", f.name)
		}
		start += len(part) + 1
	}
	return nil
}

func foreignPart(f *field, part string) (problem, hint string) {
	upper := strings.ToUpper(part)
	day := f.index() == fieldDay || f.index() == fieldWeekday
	switch {
	case part == "":
		return "", ""
	case strings.HasPrefix(upper, "H") && (len(part) == 1 || strings.ContainsRune("(/", rune(part[1]))):
		return quoted(part) + " is Jenkins syntax", hintHash
	case strings.Contains(part, "~"):
		return quoted(part) + " is a random value, as in OpenBSD's and cronie's cron", hintHash
	case upper == "R":
		return quoted(part) + " is a random value", hintHash
	case !day:
		return "", ""
	case strings.Contains(part, "#"):
		return quoted(part) + " (the nth day of the week) is Quartz syntax", hintNth
	case upper == "W" || upper == "LW" || upper == "WL" || isNumberWith(upper, 'W'):
		return quoted(part) + " (the nearest weekday) is Quartz syntax", hintWeekday
	case upper == "L" || isNumberWith(upper, 'L') || strings.HasPrefix(upper, "L-") || isNameWith(f, upper):
		return quoted(part) + " (the last day) is Quartz syntax", hintLast
	case upper == "C" || isNumberWith(upper, 'C'):
		return quoted(part) + " (a calendar) is Quartz syntax", "excluded days are a field of the job"
	}
	return "", ""
}

// isNumberWith reports whether text is digits and a letter.
func isNumberWith(text string, letter byte) bool {
	n := len(text) - 1
	return n > 0 && text[n] == letter && strings.IndexFunc(text[:n], notDigit) < 0
}

// isNameWith reports whether text is a name and an L, as FRIL is.
func isNameWith(f *field, text string) bool {
	for _, name := range f.names {
		if text == strings.ToUpper(name)+"L" {
			return true
		}
	}
	return false
}

// wholly refuses texts that are no list of fields at all.
func wholly(text string) (problem, hint string) {
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "cron("):
		return "cron(...) is AWS EventBridge syntax", "write the fields alone, without parentheses and year"
	case strings.HasPrefix(lower, "rate("):
		return "rate(...) is AWS EventBridge syntax", "write @every 5m"
	case strings.HasPrefix(lower, "at("):
		return "at(...) is AWS EventBridge syntax for one time", "a schedule repeats; give the job an end"
	case strings.HasPrefix(lower, "oncalendar="):
		return "OnCalendar= is systemd syntax", hintSystemd
	case strings.HasPrefix(lower, "every "):
		return "\"every\" begins no schedule", "write @every 5m, or */5 * * * * for each fifth minute of the hour"
	case strings.HasPrefix(text, "#"):
		return "a comment is not a schedule", "write the fields alone"
	case len(text) > 1 && strings.ContainsRune("\"'`", rune(text[0])):
		return "the expression has quotes around it", "write it without them"
	}
	return "", ""
}

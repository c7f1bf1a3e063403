package httpcache

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// values returns every value of a header, also of one that was put into the map
// under a name that is not in the canonical form: it is sent all the same. A
// decision is never made by the first value alone: any of them may forbid.
func values(h http.Header, name string) []string {
	var out []string
	for key, v := range h {
		if strings.EqualFold(key, name) {
			out = append(out, v...)
		}
	}
	return out
}

// directives are what the lines of a Cache-Control header say, by lower-case
// name. A directive may be there several times, with different arguments.
type directives map[string][]string

// directivesOf reads Cache-Control, or a header of its form.
func directivesOf(h http.Header, name string) directives {
	out := directives{}
	for _, line := range values(h, name) {
		parts, whole := split(line)
		if !whole { // where a quoted string does not end, nothing is certain
			out["no-store"] = append(out["no-store"], "")
		}
		for _, part := range parts {
			name, argument, _ := strings.Cut(part, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			out[name] = append(out[name], strings.Trim(strings.TrimSpace(argument), `"`))
		}
	}
	return out
}

// split cuts a list at its commas, except for those in quoted strings, and at
// semicolons, which some write in place of commas. It reports whether the last
// quoted string ends.
func split(list string) (parts []string, whole bool) {
	quoted, start := false, 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ';'):
			parts, start = append(parts, list[start:i]), i+1
		}
	}
	return append(parts, list[start:]), !quoted
}

func (d directives) has(names ...string) bool {
	for _, name := range names {
		if _, ok := d[name]; ok {
			return true
		}
	}
	return false
}

// span returns the shortest time that a directive states; zero where one of its
// arguments is none, which RFC 9111 wants to be taken as expired.
func (d directives) span(name string) (span time.Duration, stated bool) {
	for i, text := range d[name] {
		seconds := delta(text)
		if i == 0 || seconds < span {
			span = seconds
		}
	}
	return span, d.has(name)
}

// farthest is what RFC 9111 takes a number that is too large to be: 2^31 seconds.
const farthest = 1 << 31 * time.Second

// delta reads a number of seconds. What is none is zero.
func delta(text string) time.Duration {
	if strings.Trim(text, "0123456789") != "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text == "":
		return 0
	case err != nil || n > int64(farthest/time.Second): // out of range: it is all digits
		return farthest
	}
	return time.Duration(n) * time.Second
}

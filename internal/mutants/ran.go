package main

import (
	"regexp"
	"strings"
)

var resultLine = regexp.MustCompile(`(?m)^ *--- (PASS|SKIP|FAIL): (\S+)`)

// ran reports whether a test passed that is depth levels below its function, or
// more. A test that merely holds others passes as well when those are skipped, or
// when none of them has the name that is asked for.
func ran(output []byte, depth int) bool {
	results := resultLine.FindAllSubmatch(output, -1)
	holds := map[string]bool{}
	for _, r := range results {
		for name := string(r[2]); ; holds[name] = true {
			at := strings.LastIndexByte(name, '/')
			if at < 0 {
				break
			}
			name = name[:at]
		}
	}
	for _, r := range results {
		name := string(r[2])
		if string(r[1]) == "PASS" && !holds[name] && strings.Count(name, "/") >= depth {
			return true
		}
	}
	return false
}

// depth is how many levels below a test function the entry's -run pattern goes, in
// the alternative that goes least far.
func (m mutant) depth() int {
	least := -1
	for _, alternative := range split(m.pattern(), '|') {
		if n := len(split(alternative, '/')) - 1; least < 0 || n < least {
			least = n
		}
	}
	return max(0, least)
}

// pattern is the value of -run; empty without one.
func (m mutant) pattern() string {
	for i, arg := range m.Test {
		if value, ok := strings.CutPrefix(arg, "-run="); ok {
			return value
		}
		if arg == "-run" && i+1 < len(m.Test) {
			return m.Test[i+1]
		}
	}
	return ""
}

// split cuts a -run pattern as go test does: where no bracket holds the separator.
func split(pattern string, separator rune) []string {
	var parts []string
	open, start := 0, 0
	for i, r := range pattern {
		switch r {
		case '(', '[':
			open++
		case ')', ']':
			open--
		case separator:
			if open == 0 {
				parts, start = append(parts, pattern[start:i]), i+1
			}
		}
	}
	return append(parts, pattern[start:])
}

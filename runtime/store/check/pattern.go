package check

import (
	"fmt"
	"regexp"
	"sync"
)

// compiled keeps each pattern that was used. Patterns come from definitions, so
// there are as many as a program has fields; the bound is for programs that
// make rules on the fly.
var compiled = struct {
	sync.RWMutex
	m map[string]*regexp.Regexp
}{m: map[string]*regexp.Regexp{}}

const maxCompiled = 10_000

// CompilePattern reads a pattern as Rules.Pattern is read: RE2, bounded.
func CompilePattern(p string) (*regexp.Regexp, error) { return compile(p) }

func compile(p string) (*regexp.Regexp, error) {
	compiled.RLock()
	re := compiled.m[p]
	compiled.RUnlock()
	if re != nil {
		return re, nil
	}
	if len(p) > MaxPattern {
		return nil, fmt.Errorf("check: a pattern has at most %d bytes, this one %d", MaxPattern, len(p))
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	compiled.Lock()
	defer compiled.Unlock()
	if len(compiled.m) < maxCompiled {
		compiled.m[p] = re
	}
	return re, nil
}

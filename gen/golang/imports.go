package golang

import (
	"bytes"
	"regexp"
	"strings"
)

var packageClause = regexp.MustCompile(`(?m)^package \w+$`)

// groupImports puts the standard library's packages first, and the others after an
// empty line: jennifer prints one list of all.
func groupImports(file []byte) []byte {
	const begin, end = "\n\nimport (\n", "\n)\n"
	clause := packageClause.Find(file) // only what follows it directly are imports
	before, rest, ok := bytes.Cut(file, append(clause[:len(clause):len(clause)], begin...))
	if clause == nil || !ok {
		return file
	}
	before = append(before[:len(before):len(before)], clause...)
	list, after, ok := bytes.Cut(rest, []byte(end))
	if !ok {
		return file
	}
	var own, others []string
	for _, line := range strings.Split(string(list), "\n") {
		path := line[strings.IndexByte(line, '"')+1:]
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			others = append(others, line)
		} else {
			own = append(own, line)
		}
	}
	groups := strings.Join(own, "\n")
	if len(own) > 0 && len(others) > 0 {
		groups += "\n\n"
	}
	return bytes.Join([][]byte{before, []byte(begin), []byte(groups + strings.Join(others, "\n")), []byte(end), after}, nil)
}

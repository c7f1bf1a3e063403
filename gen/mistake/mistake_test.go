package mistake

import "testing"

// The name of a file may come from a repository that someone else made.
func TestNameCannotReachTheTerminal(t *testing.T) {
	m := Mistake{File: "datatypes/e\x1b[31mvil\u202e\n.yaml", Line: 1, Message: "the file is empty"}
	if got, want := m.String(), "datatypes/e?[31mvil??.yaml:1: the file is empty"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

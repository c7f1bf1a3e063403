package remote

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/migrate/protocol"
)

// Where this variable is set, the test's binary is a program that prints what it names.
const prints = "MODULAGEN_TEST_REMOTE_PRINTS"

func TestMain(m *testing.M) {
	what := os.Getenv(prints)
	if what == "" {
		os.Exit(m.Run())
	}
	const more = 1 << 20 // than a pipe holds
	fmt.Print(strings.Repeat("x", maxLine+more))
	if what == "a long line before the answer" {
		fmt.Println()
		fmt.Println(`{"Answer": {"Database": "sqlite:app.db"}}`)
	}
}

// TestLongLines has a program print more than a line of an answer may have: that is an error, and nothing waits.
func TestLongLines(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"a line without end", "a long line before the answer"} {
		t.Run(what, func(t *testing.T) {
			t.Setenv(prints, what)
			a, err := Ask(t.Context(), self, protocol.Request{}, nil)
			if err == nil || !strings.Contains(err.Error(), "modulagen-migrate printed a line of more than 64 MiB") {
				t.Errorf("Ask returned %v, %v", a, err)
			}
		})
	}
}

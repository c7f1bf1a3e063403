package crontab_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/crontab"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// What the story of the command leaves out.
func TestLint(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"# 0 0 * * * root x\n":              "",
		"\n\n  \n":                          "",
		"* * * * * true":                    "differs 14",
		"* * * * * true\r\n":                "differs 15",
		"é * * * * true\n":                  "wrong 1",
		"  60 * * * * true\n":               "wrong 3",
		"0 0 * * * root\n":                  "", // a command called root
		"0 0 * * * root x\n1 0 * * * ann\n": "differs 11, wrong 11",
		"@daily root x\n@every 5m x\n":      "differs 8, wrong 7, differs 8",
		"*/5 2 * * * x\n":                   "differs 1",
		"0 */2 * * * x\n":                   "differs 1",
		"*/5 * * * * x\n":                   "",
		"0 0 ? * 1 x\n":                     "",
		"5/15 * * * * x\n":                  "note 1",
		"CRON_TZ=Local\n":                   "wrong 9",
		"CRON_TZ=\n":                        "wrong 9",
		"0 0 L * * x\n":                     "wrong 5",
		"H * * * * x\n":                     "wrong 1",
		"0 0 * * * x%\\%y\n":                "differs 12",
		"\x00\n":                            "wrong 1",
	} {
		r, err := crontab.Lint([]byte(text), schedule.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, l := range r.Lines {
			for _, f := range l.Findings {
				got = append(got, fmt.Sprintf("%s %d", f.Level, f.Column))
			}
		}
		if got := strings.Join(got, ", "); got != want || r.Wrong() != strings.Contains(want, "wrong") {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if _, err := crontab.Lint(make([]byte, crontab.MaxSize+1), schedule.Options{}); err == nil {
		t.Error("a crontab of more than 1 MiB is read")
	}
}

func FuzzLint(f *testing.F) {
	f.Add("0 0 * * * root x\n@daily y%\nCRON_TZ=UTC\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := crontab.Lint([]byte(text), schedule.Options{}); err != nil {
			t.Fatal(err)
		}
	})
}

package golang

import "testing"

func TestGroupImports(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"two groups": {
			"// h\n\n// Package p\npackage p\n\nimport (\n\t\"context\"\n\t_ \"embed\"\n\t\"example.com/a\"\n\tb \"example.com/c\"\n\t\"time\"\n)\n\nvar x = 1\n",
			"// h\n\n// Package p\npackage p\n\nimport (\n\t\"context\"\n\t_ \"embed\"\n\t\"time\"\n\n\t\"example.com/a\"\n\tb \"example.com/c\"\n)\n\nvar x = 1\n",
		},
		"one group":  {"package p\n\nimport (\n\t\"context\"\n\t\"time\"\n)\n", "package p\n\nimport (\n\t\"context\"\n\t\"time\"\n)\n"},
		"one import": {"package p\n\nimport \"time\"\n", "package p\n\nimport \"time\"\n"},
		"in a text": {
			"package p\n\nimport \"time\"\n\nvar s = `\n\nimport (\n\t\"example.com/a\"\n\t\"time\"\n)\n`\n",
			"package p\n\nimport \"time\"\n\nvar s = `\n\nimport (\n\t\"example.com/a\"\n\t\"time\"\n)\n`\n",
		},
	} {
		if got := string(groupImports([]byte(c.in))); got != c.want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

// Package datatypes holds the built-in definitions, as a project gets them.
//
// They are definitions like any other: copied into a project's own folder they
// may be changed, renamed and thrown away.
package datatypes

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

// Files are the definitions, one YAML file each.
//
//go:embed *.yaml
var Files embed.FS

// Names lists the built-in datatypes, sorted.
func Names() []string {
	entries, err := Files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("datatypes: %v", err)) // the files are part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
	}
	return names
}

// Read returns the text of one definition, by its datatype's name.
func Read(name string) ([]byte, error) {
	text, err := Files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("datatypes: no built-in definition %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return text, nil
}

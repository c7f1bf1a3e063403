package migrate

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
)

func without(field string) string {
	var out strings.Builder
	for line := range strings.Lines(fields) {
		if !strings.Contains(line, "name: "+field+",") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// replaced is plain with texts in place of others, which must be there.
func replaced(pairs ...string) string {
	text := plain
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("bench: no " + pairs[i] + " in the definition")
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// project reads definitions: those of one version of article, with its neighbours.
func project(article string) (*model.Project, error) {
	return read(map[string]string{
		"author":  "fields:\n  - {name: name, type: text}\n",
		"article": article,
		"comment": "fields:\n  - {name: article, type: reference, to: article, on_delete: cascade}\n",
	})
}

// read reads definitions by their names, and applies behaviors.
func read(definitions map[string]string) (*model.Project, error) {
	files := fstest.MapFS{}
	for name, text := range definitions {
		files["datatypes/"+name+".yaml"] = &fstest.MapFile{Data: []byte("name: " + name + "\n" + text)}
	}
	p, err := load.Load(files, gen.Behaviors)
	if err == nil {
		err = behavior.Apply(p, gen.Behaviors)
	}
	if err != nil {
		return nil, fmt.Errorf("bench: the definitions: %w", load.Quote(files, err))
	}
	return p, nil
}

// projects are the definitions before and after a change.
func (c change) projects() (before, after *model.Project, err error) {
	if before, err = project(c.before); err != nil {
		return nil, nil, err
	}
	after, err = project(c.after)
	return before, after, err
}

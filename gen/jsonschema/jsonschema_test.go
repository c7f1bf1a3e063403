package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/internal/story"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
)

func compile(t *testing.T, schema []byte) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaIsDeterministic(t *testing.T) {
	if !bytes.Equal(Schema(gen.Grammar()), Schema(gen.Grammar())) || !bytes.Equal(Config(gen.Configuration()), Config(gen.Configuration())) {
		t.Error("two runs differ")
	}
	if !json.Valid(Schema(gen.Grammar())) {
		t.Error("the schema is not JSON")
	}
}

// TestSchemaAgreesWithLoader tells every story to both.
func TestSchemaAgreesWithLoader(t *testing.T) {
	definition, config := compile(t, Schema(gen.Grammar())), compile(t, Config(gen.Configuration()))
	for _, folder := range []string{"mistakes", "definitions"} {
		all, err := story.Read(filepath.Join("..", "..", "testdata", folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			t.Run(folder+"/"+s.Name, func(t *testing.T) {
				wrong := mistaken(s)
				for name, file := range s.Project {
					schema := definition
					switch {
					case name == load.ConfigFile:
						schema = config
					case !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml"):
						continue
					}
					doc, ok := asJSON(file.Data)
					if !ok {
						continue // no JSON Schema ever sees it
					}
					agree(t, s, name, schema.Validate(doc), wrong[name])
				}
			})
		}
	}
}

func agree(t *testing.T, s *story.Story, name string, refused error, wrong bool) {
	switch {
	case refused != nil && !wrong:
		t.Errorf("%s: the schema refuses what the loader takes: %v", name, refused)
	case refused != nil && s.BeyondSchema():
		t.Errorf("%s: the schema finds this; remove the line that says it cannot: %v", name, refused)
	case refused == nil && wrong && !s.BeyondSchema():
		t.Errorf("%s: the loader refuses what the schema takes:\n%s", name, s.Want)
	}
}

// mistaken tells in which files the loader finds mistakes.
func mistaken(s *story.Story) map[string]bool {
	_, err := load.Load(s.Project, gen.Behaviors)
	var list mistake.List
	errors.As(err, &list)
	wrong := map[string]bool{}
	for _, m := range list {
		wrong[m.File] = true
	}
	return wrong
}

// TestSchemaRefusesNothingGood breaks good definitions at every place, in
// several ways. Whatever the loader still takes, the schema takes too.
func TestSchemaRefusesNothingGood(t *testing.T) {
	schema := compile(t, Schema(gen.Grammar()))
	tried, refused := 0, 0
	check := func(text []byte) {
		doc, ok := asJSON(text)
		if !ok {
			return
		}
		tried++
		_, loads := load.Load(fstest.MapFS{"datatypes/x.yaml": &fstest.MapFile{Data: text}}, gen.Behaviors)
		err := schema.Validate(doc)
		if err != nil {
			refused++
		}
		if err != nil && loads == nil {
			t.Errorf("the schema refuses what the loader takes: %v\n%s", err, text)
		}
	}
	for _, text := range samples(t) {
		var n yaml.Node
		if err := yaml.Unmarshal(text, &n); err != nil {
			t.Fatal(err)
		}
		breakEverywhere(t, &n, n.Content[0], check)
	}
	if tried < 1000 || refused < tried/3 {
		t.Errorf("%d of %d broken definitions refused", refused, tried)
	}
}

// samples are definitions that load alone.
func samples(t *testing.T) [][]byte {
	var out [][]byte
	all, err := story.Read(filepath.Join("..", "..", "testdata", "definitions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		for name, file := range s.Project {
			_, err := load.Load(fstest.MapFS{"datatypes/x.yaml": file}, gen.Behaviors)
			if strings.HasSuffix(name, ".yaml") && err == nil {
				out = append(out, file.Data)
			}
		}
	}
	return out
}

// breakEverywhere puts other things in the place of each value, drops each
// entry and misspells each key, one at a time.
func breakEverywhere(t *testing.T, root, n *yaml.Node, check func([]byte)) {
	write := func() {
		text, err := yaml.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		check(text)
	}
	was := *n
	for _, other := range []string{"x", "3", "true", "null", "[]", "{}"} {
		var o yaml.Node
		if err := yaml.Unmarshal([]byte(other), &o); err != nil {
			t.Fatal(err)
		}
		*n = *o.Content[0]
		write()
	}
	*n = was
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(was.Content); i += step {
		n.Content = append(append([]*yaml.Node{}, was.Content[:i]...), was.Content[i+step:]...)
		write()
		n.Content = was.Content
		if step == 2 {
			key := n.Content[i].Value
			n.Content[i].Value += "s"
			write()
			n.Content[i].Value = key
		}
		breakEverywhere(t, root, n.Content[i+step-1], check)
	}
	*n = was
}

func TestBuiltinsMatch(t *testing.T) {
	schema := compile(t, Schema(gen.Grammar()))
	for _, name := range datatypes.Names() {
		text, err := datatypes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, ok := asJSON(text)
		if !ok {
			t.Fatalf("%s is not JSON", name)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// asJSON reads YAML as an editor's schema checker does; not ok when the text
// has no JSON form.
func asJSON(text []byte) (any, bool) {
	if !utf8.Valid(text) {
		return nil, false
	}
	var n yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if dec.Decode(&n) != nil || len(n.Content) != 1 || dec.Decode(new(yaml.Node)) == nil {
		return nil, false
	}
	v, err := value(n.Content[0])
	return v, err == nil && v != nil
}

var errNoJSON = errors.New("no JSON form")

func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return nil, errNoJSON
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind != yaml.ScalarNode {
				return nil, errNoJSON
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			out[n.Content[i].Value] = v
		}
		return out, nil
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	return scalar(n)
}

func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err := n.Decode(&b)
		return b, err
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		var f float64
		if err := n.Decode(&f); err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, errNoJSON
		}
		return json.Number(fmt.Sprintf("%.0f", f)), nil
	}
	return n.Value, nil
}

func ExampleSchema() {
	fmt.Println(strings.Join(strings.Split(string(Schema(gen.Grammar())), "\n")[:4], "\n"))
	// Output:
	// {
	//   "$schema": "https://json-schema.org/draft/2020-12/schema",
	//   "title": "modulagen datatype",
	//   "description": "A datatype: one table, its row type in Go and its methods.",
}

package lua

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// manifestFile is the name of a plugin's manifest.
const manifestFile = "plugin.yaml"

// maxManifest is how many bytes a manifest may have.
const maxManifest = 64 << 10

// manifest says what a plugin is, and what it may use. Without one, that is log and json.
type manifest struct {
	name        string
	description string
	functions   []string // that jobs may call; nil: all
	datatypes   map[string]access
	http        bool
	enqueue     []string // queue/kind, or queue
	cache       []string
}

// access is what a plugin may do with a datatype.
type access string

const (
	accessRead  access = "read"
	accessWrite access = "write" // read, too
)

var manifestKeys = []string{"name", "description", "functions", "datatypes", "http", "enqueue", "cache"}

// readManifest parses a manifest. Errors are said with their line.
func readManifest(shown string, data []byte) (manifest, error) {
	if len(data) > maxManifest {
		return manifest{}, fmt.Errorf("%s has %d bytes, and %d are permitted", shown, len(data), maxManifest)
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return manifest{}, nil
	} else if err != nil {
		return manifest{}, fmt.Errorf("%s: %s", shown, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	r := &manifestReader{shown: shown}
	r.read(doc.Content[0])
	return r.m, errors.Join(r.wrong...)
}

type manifestReader struct {
	shown string
	m     manifest
	wrong []error
}

func (r *manifestReader) fail(n *yaml.Node, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s:%d: %s", r.shown, n.Line, fmt.Sprintf(format, args...)))
}

func (r *manifestReader) read(n *yaml.Node) {
	for key, v := range r.fields(n, "the manifest") {
		switch key.Value {
		case "name":
			r.m.name = r.text(key, v)
		case "description":
			r.m.description = r.text(key, v)
		case "functions":
			r.m.functions = r.list(key, v)
		case "datatypes":
			r.datatypes(v)
		case "http":
			if v.Kind != yaml.ScalarNode || v.Tag != "!!bool" {
				r.fail(v, "http must be true or false")
				continue
			}
			r.m.http = v.Value == "true" || v.Value == "True" || v.Value == "TRUE"
		case "enqueue":
			r.m.enqueue = r.list(key, v)
		case "cache":
			r.m.cache = r.list(key, v)
		default:
			r.fail(key, "%s is not known%s", printable(key.Value), meant(key.Value, manifestKeys))
		}
	}
}

// fields are those of a mapping; what is no mapping has none. An alias is none either.
func (r *manifestReader) fields(n *yaml.Node, what string) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			r.fail(n, "%s must be a mapping", what)
			return
		}
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if seen[key.Value] {
				r.fail(key, "%s stands here twice", printable(key.Value))
				continue
			}
			seen[key.Value] = true
			if !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

func (r *manifestReader) text(key, v *yaml.Node) string {
	if v.Kind != yaml.ScalarNode || v.Tag != "!!str" {
		r.fail(v, "%s must be a text", key.Value)
		return ""
	}
	return v.Value
}

func (r *manifestReader) list(key, v *yaml.Node) []string {
	if v.Kind != yaml.SequenceNode {
		r.fail(v, "%s must be a list, such as [%s]", key.Value, map[string]string{"functions": "daily", "enqueue": "job_queue/send_report", "cache": "cache_entry"}[key.Value])
		return nil
	}
	out := []string{}
	for _, item := range v.Content {
		if text := r.text(key, item); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

func (r *manifestReader) datatypes(n *yaml.Node) {
	r.m.datatypes = map[string]access{}
	for key, v := range r.fields(n, "datatypes") {
		switch a := access(v.Value); {
		case v.Kind == yaml.ScalarNode && (a == accessRead || a == accessWrite):
			r.m.datatypes[key.Value] = a
		default:
			r.fail(v, "%s must be read or write", printable(key.Value))
		}
	}
}

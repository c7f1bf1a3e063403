package load

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// The getters of this file give zero for what is not there or is of another
// form: that was reported when the file was held to the tables.

// pair gives a key of a mapping and its value; nil when it is not there.
func pair(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i].Kind == yaml.ScalarNode {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func get(n *yaml.Node, name string) *yaml.Node {
	_, v := pair(n, name)
	return v
}

func str(n *yaml.Node, name string) string {
	if v := get(n, name); v != nil && isText(v) {
		return v.Value
	}
	return ""
}

func isTrue(n *yaml.Node, name string) bool {
	v := get(n, name)
	return v != nil && v.Kind == yaml.ScalarNode && v.ShortTag() == "!!bool" && strings.EqualFold(v.Value, "true")
}

func integer(n *yaml.Node, name string) (int64, bool) {
	v := get(n, name)
	if v == nil || v.Kind != yaml.ScalarNode || v.ShortTag() != "!!int" || !plainInt.MatchString(v.Value) {
		return 0, false
	}
	i, err := strconv.ParseInt(v.Value, 10, 64)
	return i, err == nil
}

// items gives the entries of a list.
func items(n *yaml.Node, name string) []*yaml.Node {
	if v := get(n, name); v != nil && v.Kind == yaml.SequenceNode {
		return v.Content
	}
	return nil
}

// section gives a mapping.
func section(n *yaml.Node, name string) *yaml.Node {
	if v := get(n, name); v != nil && v.Kind == yaml.MappingNode {
		return v
	}
	return nil
}

// or gives the first node that is there.
func or(nodes ...*yaml.Node) *yaml.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}

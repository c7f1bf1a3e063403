package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// indexes makes the unique ones of fields, then reads the declared ones.
func (def *Definition) indexes() {
	for _, f := range def.Datatype.Fields {
		if !f.Unique || !def.Indexable(node.Get(def.nodes[f], "unique"), f) {
			continue
		}
		x := &model.Index{Pos: f.Pos, NamePos: f.Pos, GoName: f.GoName, Columns: []model.IndexColumn{{Field: f}}, Unique: true}
		def.unique[x] = true
		def.addIndex(x, node.Get(def.nodes[f], "unique"))
	}
	for _, n := range node.Items(def.Root, "indexes") {
		if n.Kind == yaml.MappingNode {
			def.index(n)
		}
	}
}

func (def *Definition) index(n *yaml.Node) {
	x := &model.Index{Pos: def.f.pos(n), NamePos: def.f.pos(node.Or(node.Get(n, "name"), n)), Unique: node.True(n, "unique"), Name: node.Text(n, "name")}
	ok := true
	for _, c := range node.Items(n, "fields") {
		if !node.IsText(c) {
			ok = false
			continue
		}
		col := def.Column(c)
		switch {
		case col.Field == nil, !def.Indexable(c, col.Field):
			ok = false
			continue
		case slices.ContainsFunc(x.Columns, func(o model.IndexColumn) bool { return o.Field == col.Field }):
			def.f.wrong(c, fmt.Sprintf("%s stands twice in one index", col.Field.Name), "remove one")
			ok = false
			continue
		}
		x.Columns = append(x.Columns, col)
	}
	if w := node.Section(n, "where"); w != nil {
		before := len(def.f.found)
		x.Where = def.where(w)
		ok = ok && len(def.f.found) == before && len(x.Where) > 0
	} else if node.Get(n, "where") != nil {
		ok = false
	}
	if ok && len(x.Columns) > 0 {
		def.addIndex(x, n)
	}
}

// Column reads "priority desc".
func (def *Definition) Column(n *yaml.Node) model.IndexColumn {
	parts := strings.Fields(n.Value)
	if len(parts) == 0 || len(parts) > 2 || len(parts) == 2 && parts[1] != "asc" && parts[1] != "desc" {
		if len(parts) == 2 && near.Word(parts[1], []string{"asc", "desc"}) != "" {
			def.f.hint(n, fmt.Sprintf(`write "%s %s"`, parts[0], near.Word(parts[1], []string{"asc", "desc"})))
		}
		return model.IndexColumn{} // reported
	}
	return model.IndexColumn{Field: def.Find(n, parts[0]), Desc: len(parts) == 2 && parts[1] == "desc"}
}

// Indexable refuses what a database cannot keep in an index.
func (def *Definition) Indexable(at *yaml.Node, f *model.Field) bool {
	switch {
	case f.Type == "json", f.Type == "bytes":
		if def.unique == nil || at != node.Get(def.nodes[f], "unique") { // the key itself was reported
			def.f.wrong(at, fmt.Sprintf("%s is of type %s, which cannot be indexed", f.Name, f.Type), "copy what is searched into a field of its own")
		}
		return false
	case f.Rules.Kind == check.Text && f.Type != "reference" && f.Rules.Max.Int() > fieldtype.VarcharMax:
		what := "indexed"
		if at == node.Get(def.nodes[f], "unique") {
			what = "unique"
		}
		def.f.wrong(at, fmt.Sprintf("%s may hold %s characters; to be %s it may hold at most %d", f.Name, f.Rules.Max, what, fieldtype.VarcharMax), fmt.Sprintf("add max: %d, or less, to %s", fieldtype.VarcharMax, f.Name))
		return false
	}
	return true
}

// addIndex names an index and refuses one that is there already.
func (def *Definition) addIndex(x *model.Index, at *yaml.Node) {
	for _, o := range def.Datatype.Indexes {
		if sameIndex(o, x) {
			def.f.wrong(at, "this index is there already", fmt.Sprintf("the first is on line %d; remove one", o.Pos.Line))
			return
		}
	}
	if x.Name == "" {
		x.Name = indexName(def.Datatype.Name, x)
	}
	if x.Unique && len(x.Where) == 0 && x.GoName == "" {
		names := make([]string, len(x.Columns))
		for i, c := range x.Columns {
			names[i] = c.Field.GoName
		}
		x.GoName = goname.Key(names)
	}
	def.names[x] = at
	def.Datatype.Indexes = append(def.Datatype.Indexes, x)
}

func sameIndex(a, b *model.Index) bool {
	sameColumn := func(a, b model.IndexColumn) bool { return a.Field == b.Field && (a.Desc == b.Desc || b.Field == nil) }
	sameCondition := func(a, b model.Condition) bool {
		return a.Field == b.Field && a.Op == b.Op && slices.Equal(a.Values, b.Values)
	}
	return a.Unique == b.Unique && slices.EqualFunc(a.Columns, b.Columns, sameColumn) && slices.EqualFunc(a.Where, b.Where, sameCondition)
}

// indexName returns a name that says what an index covers: article_status_created_at_desc_idx.
func indexName(table string, x *model.Index) string {
	parts := []string{table}
	for _, c := range x.Columns {
		parts = append(parts, c.Field.Name)
		if c.Desc {
			parts = append(parts, "desc")
		}
	}
	if len(x.Where) > 0 {
		parts = append(parts, "where")
	}
	for i, w := range x.Where {
		if i == 0 || x.Where[i-1].Field != w.Field {
			parts = append(parts, w.Field.Name)
		}
	}
	end := "idx"
	if x.Unique {
		end = "key"
	}
	return model.ShortName(strings.Join(append(parts, end), "_"))
}

// comparisons are the keys of a condition's long form.
var comparisons = []struct{ key, op string }{{"not", "!="}, {"in", "in"}, {"lt", "<"}, {"lte", "<="}, {"gt", ">"}, {"gte", ">="}}

// where reads which rows an index covers.
func (def *Definition) where(n *yaml.Node) []model.Condition {
	var out []model.Condition
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f := def.Find(key, key.Value)
		if f == nil {
			continue
		}
		if value.Kind == yaml.MappingNode {
			for _, c := range comparisons {
				if v := node.Get(value, c.key); v != nil && (v.Kind == yaml.SequenceNode) == (c.op == "in") {
					out = def.condition(out, f, c.op, v)
				}
			}
			continue
		}
		op := "="
		if value.Kind == yaml.SequenceNode {
			op = "in"
		}
		out = def.condition(out, f, op, value)
	}
	return out
}

// condition adds one comparison, unless it is wrong.
func (def *Definition) condition(out []model.Condition, f *model.Field, op string, n *yaml.Node) []model.Condition {
	if isNull(n) {
		if f.NotNull {
			def.f.wrong(n, fmt.Sprintf("%s is never null", f.Name), "remove the condition")
			return out
		}
		if op == "!=" {
			return append(out, model.Condition{Field: f, Op: "not_null"})
		}
		if op == "=" {
			return append(out, model.Condition{Field: f, Op: "null"})
		}
		return out // reported
	}
	if f.Type == "json" || f.Type == "bytes" || f.Type == "reference" {
		def.f.wrong(n, fmt.Sprintf("%s is of type %s, which a condition can only compare with null", f.Name, f.Type), "write null, or {not: null}")
		return out
	}
	c := model.Condition{Field: f, Op: op}
	values := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		values = n.Content
	}
	for _, v := range values {
		text, ok := def.conditionValue(v, f)
		if !ok {
			return out
		}
		c.Values = append(c.Values, text)
	}
	if len(c.Values) == 0 {
		return out // reported
	}
	return append(out, c)
}

// conditionValue reads a value that rows are compared with.
func (def *Definition) conditionValue(n *yaml.Node, f *model.Field) (string, bool) {
	text, value, err := literal(n, f)
	if errors.Is(err, errReported) {
		number := n.ShortTag() == "!!int" || n.ShortTag() == "!!float"
		if n.Kind == yaml.ScalarNode && !isNull(n) && (!number || plainNumber.MatchString(n.Value)) {
			def.f.wrong(n, fmt.Sprintf("%s is of type %s and cannot be %s", f.Name, f.Type, kindOf(n)), "")
		}
		return "", false
	}
	if err != nil {
		def.f.wrong(n, f.Name+" "+err.Error(), "an index holds to a fixed value")
		return "", false
	}
	rules := check.Rules{Kind: f.Rules.Kind, Options: f.Rules.Options, Scale: f.Rules.Scale}
	if broken := rules.Check(value); len(broken) > 0 {
		hint := ""
		if meant := near.Word(n.Value, f.Rules.Options); meant != "" {
			hint = fmt.Sprintf("write %q", meant)
		}
		def.f.wrong(n, fmt.Sprintf("%s %s", f.Name, broken[0].Message), hint)
		return "", false
	}
	if !node.ASCII(text) {
		def.f.wrong(n, "a condition's value holds only ASCII characters", "")
		return "", false
	}
	return text, true
}

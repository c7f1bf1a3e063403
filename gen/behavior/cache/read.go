package cache

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// minCacheKey is the shortest max of a cache's key: a key that is too long or
// no text is kept as its start and a digest, which take this many characters.
const minCacheKey = 128

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{Name: Name, Help: "makes the rows entries of a cache, which package runtime/cache reads and writes", Value: &language.Value{Form: language.Section, Keys: grammar}}
}

// Fields adds none: those that the pass adds are the cache's own.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read reads the section and resolves the fields that it names.
func (Behavior) Read(def *load.Definition, at, n *yaml.Node) {
	r := reader{def}
	c := &Section{Pos: def.Pos(at)}
	def.Datatype.SetSection(Name, c)
	c.Key = r.def.Role(n, "key", "key", "text")
	c.Value = r.def.Role(n, "value", "value", "bytes", "json")
	c.ExpiresAt = r.def.Role(n, "expires_at", "expires_at", "datetime")
	c.CreatedAt = r.def.Role(n, "created_at", "created_at", "datetime")
	c.HitCount = r.def.Role(n, "hit_count", "hit_count", "number")
	c.Tags = r.def.Role(n, "tags", "tags", "text", "textarea")
	c.MaxEntries, _ = node.Int(n, "max_entries")
	c.MaxBytes, _ = node.Int(n, "max_bytes")
	c.MaxAge = node.Duration(n, "max_age")
	for _, item := range node.Items(n, "depends_on") {
		if node.IsText(item) {
			c.DependsOn = append(c.DependsOn, Source{Pos: r.def.Pos(item), Name: item.Value})
		}
	}
	if r.cacheMissing(at, n, c) {
		return
	}
	r.cacheKey(n, c)
	r.cacheOthers(n, c)
}

// reader reads the section of one definition.
type reader struct{ def *load.Definition }

// cacheMissing reports the fields that a cache cannot do without.
func (r reader) cacheMissing(at, n *yaml.Node, c *Section) bool {
	if c.Key == nil && node.Get(n, "key") == nil {
		r.def.Lacks(at, "a cache needs a field that holds the key", "key", "add a field: {name: key, type: text, required: true, unique: true}", "text")
	}
	if c.Value == nil && node.Get(n, "value") == nil {
		r.def.Lacks(at, "a cache needs a field that holds the value", "value", "add a field: {name: value, type: bytes, required: true}", "bytes", "json")
	}
	if r.def.Datatype.ID != model.IDInteger {
		r.def.Wrong(node.Or(node.Get(r.def.Root, "id"), at), "a cache counts on ids that the database gives", "remove id: ulid")
	}
	if r.def.Datatype.Section("queue") != nil {
		r.def.Wrong(at, "a datatype is a queue or a cache, not both", "make two datatypes of it")
	}
	return c.Key == nil || c.Value == nil
}

func (r reader) cacheKey(n *yaml.Node, c *Section) {
	at := node.Or(node.Get(n, "key"), node.Get(r.def.Node(c.Key), "name"), n)
	switch {
	case !c.Key.Unique:
		r.def.Wrong(at, fmt.Sprintf("%s is not unique, and a cache has one entry for each key", c.Key.Name), "give it unique: true")
	case c.Key.Rules.Max.Int() < minCacheKey:
		r.def.Wrong(at, fmt.Sprintf("%s holds %d characters, too few for the digest of a long key", c.Key.Name, c.Key.Rules.Max.Int()), fmt.Sprintf("give it max: %d or more", minCacheKey))
	}
	for _, f := range []*model.Field{c.Key, c.Value} {
		if !f.NotNull {
			r.def.Wrong(node.Or(node.Get(r.def.Node(f), "name"), n), fmt.Sprintf("%s may be null, and every entry of a cache has one", f.Name), "give it required: true")
		}
	}
	for _, x := range r.def.Datatype.Indexes {
		if x.Unique && (len(x.Columns) != 1 || x.Columns[0].Field != c.Key) {
			r.def.Wrong(node.Or(r.def.IndexNode(x), n), "a cache has one unique key, that of its entries", "remove unique from the other")
		}
	}
	if len(c.Key.Rules.Rules) > 0 || c.Key.Rules.Pattern != "" {
		r.def.Wrong(at, fmt.Sprintf("%s has rules of its own, and the cache writes keys as they come", c.Key.Name), "remove pattern and validation")
	}
}

// cacheOthers holds the other fields to what the cache writes without asking.
func (r reader) cacheOthers(n *yaml.Node, c *Section) {
	roles := []*model.Field{c.Key, c.Value, c.ExpiresAt, c.CreatedAt, c.HitCount, c.Tags}
	for _, f := range r.def.Datatype.Fields {
		if f.NotNull && f.Default == nil && !slices.Contains(roles, f) {
			r.def.Wrong(node.Or(node.Get(r.def.Node(f), "required"), n), fmt.Sprintf("%s is required, and the cache writes entries without it", f.Name), "give it a default, or leave required out")
		}
		if f.Default != nil && !node.ASCII(f.Default.Text) {
			r.def.Wrong(node.Or(node.Get(r.def.Node(f), "default"), n), fmt.Sprintf("the default of %s holds more than ASCII characters, and the cache's own statements write it", f.Name), "give it an ASCII default, or none")
		}
		if f.Reference != nil && f.Reference.OnDelete == "restrict" {
			r.def.Wrong(node.Or(node.Get(r.def.Node(f), "on_delete"), node.Get(r.def.Node(f), "name"), n), fmt.Sprintf("an entry of the cache would keep the row of %s from being deleted", f.Reference.To), "give it on_delete: cascade")
		}
	}
	for _, f := range []*model.Field{c.ExpiresAt} {
		if f != nil && (f.NotNull || f.Default != nil) {
			r.def.Wrong(node.Or(node.Get(r.def.Node(f), "name"), n), fmt.Sprintf("%s cannot be null, and an entry may live for ever", f.Name), "leave required and default out")
		}
	}
	if f := c.HitCount; f != nil && !f.NotNull {
		r.def.Wrong(node.Or(node.Get(r.def.Node(f), "name"), n), fmt.Sprintf("%s may be null, and the cache counts with it", f.Name), "give it default: 0")
	}
	seen := map[*model.Field]bool{}
	for _, f := range roles {
		if f != nil && seen[f] {
			r.def.Wrong(n, fmt.Sprintf("%s has two meanings in the cache", f.Name), "each needs a field of its own")
		}
		seen[f] = true
	}
}

// Link resolves the datatypes that a cache depends on, and looks at those that refer to it.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	reader{def}.keepers(def, map[*load.Definition]bool{})
	c := Of(def.Datatype)
	at := node.Items(section, "depends_on")
	for i := range c.DependsOn {
		s := &c.DependsOn[i]
		switch target := def.Other(at[i]); {
		case target == nil: // reported
		case target == def:
			def.Wrong(at[i], "a cache cannot depend on itself", "remove it")
		case Of(target.Datatype) != nil:
			def.Wrong(at[i], fmt.Sprintf("%s is a cache; its entries change without their writers knowing", s.Name), "name the datatypes that its entries are made of")
		default:
			s.Datatype = target.Datatype
			if with := behavior.GoesWith(s.Datatype, isCache, "cascade", "set_null"); with != nil {
				def.Wrong(at[i], fmt.Sprintf("rows of %s change or go with entries of the cache %s, without their writers knowing", s.Name, with.Name), fmt.Sprintf("remove it, or the reference that leads to %s", with.Name))
			}
		}
	}
}

func isCache(d *model.Datatype) bool { return Of(d) != nil }

// keepers reports references that would keep entries from being deleted: to the cache, or
// to rows that the database deletes with its entries.
func (r reader) keepers(of *load.Definition, seen map[*load.Definition]bool) {
	seen[of] = true
	for by, f := range of.ReferredBy {
		switch f.Reference.OnDelete {
		case "cascade":
			if !seen[by] {
				r.keepers(by, seen)
			}
		case "restrict":
			if Of(by.Datatype) == nil { // of a cache, cacheOthers reports it
				by.Wrong(node.Or(node.Get(by.Node(f), "on_delete"), node.Get(by.Node(f), "name")), fmt.Sprintf("a row of %s would keep entries of the cache %s from being deleted", by.Datatype.Name, r.def.Datatype.Name), "give it on_delete: cascade or set_null")
			}
		}
	}
}

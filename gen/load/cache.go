package load

import (
	"fmt"
	"path"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// minCacheKey is the shortest max of a cache's key: a key that is too long or
// no text is kept as its start and a digest, which take this many characters.
const minCacheKey = 128

// cache reads the cache section and resolves the fields that it names.
func (def *definition) cache() {
	at, n := pair(def.n, "cache")
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	c := &model.CacheSection{Pos: def.f.pos(at)}
	def.d.Cache = c
	c.Key = def.role(n, "key", "key", "text")
	c.Value = def.role(n, "value", "value", "bytes", "json")
	c.ExpiresAt = def.role(n, "expires_at", "expires_at", "datetime")
	c.CreatedAt = def.role(n, "created_at", "created_at", "datetime")
	c.HitCount = def.role(n, "hit_count", "hit_count", "number")
	c.Tags = def.role(n, "tags", "tags", "text", "textarea")
	c.MaxEntries, _ = integer(n, "max_entries")
	c.MaxBytes, _ = integer(n, "max_bytes")
	c.MaxAge = duration(n, "max_age")
	for _, item := range items(n, "depends_on") {
		if isText(item) {
			c.DependsOn = append(c.DependsOn, model.CacheSource{Pos: def.f.pos(item), Name: item.Value})
		}
	}
	if def.cacheMissing(at, n, c) {
		return
	}
	def.cacheKey(n, c)
	def.cacheOthers(n, c)
}

// cacheMissing reports the fields that a cache cannot do without.
func (def *definition) cacheMissing(at, n *yaml.Node, c *model.CacheSection) bool {
	if c.Key == nil && get(n, "key") == nil {
		def.f.wrong(at, "a cache needs a field that holds the key", "add a field: {name: key, type: text, required: true, unique: true}")
	}
	if c.Value == nil && get(n, "value") == nil {
		def.f.wrong(at, "a cache needs a field that holds the value", "add a field: {name: value, type: bytes, required: true}")
	}
	if def.d.ID != model.IDInteger {
		def.f.wrong(or(get(def.n, "id"), at), "a cache counts on ids that the database gives", "remove id: ulid")
	}
	if def.d.Queue != nil {
		def.f.wrong(at, "a datatype is a queue or a cache, not both", "make two datatypes of it")
	}
	return c.Key == nil || c.Value == nil
}

func (def *definition) cacheKey(n *yaml.Node, c *model.CacheSection) {
	at := or(get(n, "key"), get(def.nodes[c.Key], "name"), n)
	switch {
	case !c.Key.Unique:
		def.f.wrong(at, fmt.Sprintf("%s is not unique, and a cache has one entry for each key", c.Key.Name), "give it unique: true")
	case c.Key.Rules.Max.Int() < minCacheKey:
		def.f.wrong(at, fmt.Sprintf("%s holds %d characters, too few for the digest of a long key", c.Key.Name, c.Key.Rules.Max.Int()), fmt.Sprintf("give it max: %d or more", minCacheKey))
	}
	for _, f := range []*model.Field{c.Key, c.Value} {
		if !f.NotNull {
			def.f.wrong(or(get(def.nodes[f], "name"), n), fmt.Sprintf("%s may be null, and every entry of a cache has one", f.Name), "give it required: true")
		}
	}
	for _, x := range def.d.Indexes {
		if x.Unique && (len(x.Columns) != 1 || x.Columns[0].Field != c.Key) {
			def.f.wrong(or(def.names[x], n), "a cache has one unique key, that of its entries", "remove unique from the other")
		}
	}
	if len(c.Key.Rules.Rules) > 0 || c.Key.Rules.Pattern != "" {
		def.f.wrong(at, fmt.Sprintf("%s has rules of its own, and the cache writes keys as they come", c.Key.Name), "remove pattern and validation")
	}
}

// cacheOthers holds the other fields to what the cache writes without asking.
func (def *definition) cacheOthers(n *yaml.Node, c *model.CacheSection) {
	roles := []*model.Field{c.Key, c.Value, c.ExpiresAt, c.CreatedAt, c.HitCount, c.Tags}
	for _, f := range def.d.Fields {
		if f.NotNull && f.Default == nil && !slices.Contains(roles, f) {
			def.f.wrong(or(get(def.nodes[f], "required"), n), fmt.Sprintf("%s is required, and the cache writes entries without it", f.Name), "give it a default, or leave required out")
		}
		if f.Reference != nil && f.Reference.OnDelete == "restrict" {
			def.f.wrong(or(get(def.nodes[f], "on_delete"), get(def.nodes[f], "name"), n), fmt.Sprintf("an entry of the cache would keep the row of %s from being deleted", f.Reference.To), "give it on_delete: cascade")
		}
	}
	for _, f := range []*model.Field{c.ExpiresAt} {
		if f != nil && (f.NotNull || f.Default != nil) {
			def.f.wrong(or(get(def.nodes[f], "name"), n), fmt.Sprintf("%s cannot be null, and an entry may live for ever", f.Name), "leave required and default out")
		}
	}
	if f := c.HitCount; f != nil && !f.NotNull {
		def.f.wrong(or(get(def.nodes[f], "name"), n), fmt.Sprintf("%s may be null, and the cache counts with it", f.Name), "give it default: 0")
	}
	seen := map[*model.Field]bool{}
	for _, f := range roles {
		if f != nil && seen[f] {
			def.f.wrong(n, fmt.Sprintf("%s has two meanings in the cache", f.Name), "each needs a field of its own")
		}
		seen[f] = true
	}
}

// sources resolves the datatypes that caches depend on.
func (l *loader) sources(byName map[string]*definition) {
	for _, def := range l.defs {
		if def.d.Cache == nil {
			continue
		}
		at := items(section(def.n, "cache"), "depends_on")
		for i := range def.d.Cache.DependsOn {
			s := &def.d.Cache.DependsOn[i]
			target := byName[s.Name]
			switch {
			case target == def:
				def.f.wrong(at[i], "a cache cannot depend on itself", "remove it")
			case target != nil && target.d.Cache != nil:
				def.f.wrong(at[i], fmt.Sprintf("%s is a cache; its entries change without their writers knowing", s.Name), "name the datatypes that its entries are made of")
			case target != nil:
				s.Datatype = target.d
			case !slices.Contains(l.named, s.Name):
				l.noSource(def, at[i], byName)
			}
		}
	}
}

func (l *loader) noSource(def *definition, at *yaml.Node, byName map[string]*definition) {
	known := slices.Clone(l.named)
	for name := range byName {
		known = append(known, name)
	}
	slices.Sort(known)
	hint := fmt.Sprintf("define it in %s/%s.yaml", path.Dir(def.f.path), at.Value)
	if meant := near.Word(at.Value, known); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	}
	def.f.wrong(at, fmt.Sprintf("there is no datatype %q", at.Value), hint)
}

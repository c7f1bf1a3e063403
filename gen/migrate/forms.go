package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Form is what the document of a row with a value of [Held] is decoded into, as the payload of a job.
type Form struct {
	Value   string   `json:"value"`
	Version int      `json:"version"`
	Members []Member `json:"members,omitempty"`
}

func takeHeld(h model.Held) Held {
	out := Held{Field: h.Field.Name, What: h.What, Values: h.Values, While: takeConditions(h.While)}
	if h.Version != nil {
		out.Version = h.Version.Name
	}
	for _, f := range h.Forms {
		out.Forms = append(out.Forms, Form{Value: f.Value, Version: f.Version, Members: takeMembers(f.Members)})
	}
	return out
}

func (h Held) restore(m *model.Datatype) (model.Held, error) {
	f := fieldOf(m, h.Field)
	while, err := restoreConditions(m, h.While)
	if f == nil || err != nil {
		return model.Held{}, fmt.Errorf("gen/migrate: the values of %s.%s cannot be read", m.Name, h.Field)
	}
	out := model.Held{Field: f, What: h.What, Values: h.Values, While: while}
	if h.Version != "" {
		if out.Version = fieldOf(m, h.Version); out.Version == nil {
			return model.Held{}, fmt.Errorf("gen/migrate: the versions of %s.%s are in %s, which is no field", m.Name, h.Field, h.Version)
		}
	}
	for _, form := range h.Forms {
		restored := model.Form{Value: form.Value, Version: form.Version}
		for _, member := range form.Members {
			if err := member.check("the forms of " + m.Name + "." + h.Field); err != nil {
				return model.Held{}, err
			}
			restored.Members = append(restored.Members, member.restore())
		}
		out.Forms = append(out.Forms, restored)
	}
	return out, nil
}

// takeForms replaces the forms by those of before, unless one of those is lost: what else differs needs no
// migration, and the next one records it.
func (h *Held) takeForms(before Held) {
	for _, old := range before.Forms {
		if slices.Contains(h.Values, old.Value) && misfitOf(old, h.Forms) != "" {
			return
		}
	}
	h.Forms, h.Version = before.Forms, before.Version
}

// misfitOf is why a document of a form of before does not decode any more; empty where it does.
func misfitOf(before Form, now []Form) string {
	for _, f := range now {
		if f.Value == before.Value && f.Version == before.Version {
			return strings.Join(misfitting(before.Members, f.Members), ", ")
		}
	}
	return goneForm
}

// goneForm is why the documents of a version do not decode that a program of now does not know.
const goneForm = "the version is gone"

// misfitting lists why documents with some members are not decoded into others as what they are.
func misfitting(before, now []Member) (why []string) {
	find := func(all []Member, name string) *Member {
		if i := slices.IndexFunc(all, func(m Member) bool { return m.Name == name }); i >= 0 {
			return &all[i]
		}
		return nil
	}
	for _, old := range before {
		m := find(now, old.Name)
		switch {
		case m == nil:
			why = append(why, old.Name+" is gone")
		case !decodes(old, *m):
			why = append(why, fmt.Sprintf("%s was a %s and is a %s", old.Name, old.Type, m.Type))
		case m.Required && !old.Required:
			why = append(why, old.Name+" is required")
		case len(m.Options) > 0 && slices.ContainsFunc(old.Options, func(o string) bool { return !slices.Contains(m.Options, o) }):
			why = append(why, old.Name+" has fewer options")
		}
	}
	for _, m := range now {
		if m.Required && find(before, m.Name) == nil {
			why = append(why, m.Name+" is new and required")
		}
	}
	return why
}

// decodes reports whether JSON of one type is JSON of another. A text may be no option, no number and no time.
func decodes(old, now Member) bool {
	kind := func(m Member) check.Kind { return fieldtype.MustLookup(m.Type).Kind }
	return old.Type == now.Type || kind(old) == kind(now) && (len(now.Options) == 0 || len(old.Options) > 0)
}

// lostForm is a form of before that no program of now can decode, although it knows the value.
type lostForm struct {
	held   model.Held // of before
	before Form
	why    string
}

func (t *Table) lostForms() (out []lostForm) {
	for _, h := range t.Before.Held {
		name, gone := t.heldBy(h), t.lost(h)
		for _, now := range t.Now.Held {
			if now.Field.Name != name {
				continue
			}
			forms := takeHeld(now).Forms
			if len(forms) == 0 {
				continue // an older version of modulagen recorded the way back to it
			}
			for _, old := range takeHeld(h).Forms {
				if why := misfitOf(old, forms); why != "" && !slices.Contains(gone, old.Value) {
					out = append(out, lostForm{h, old, why})
				}
			}
		}
	}
	return out
}

// formsRefused says why programs of before would misread what programs of now write; empty where they would not.
func (t *Table) formsRefused() string {
	for _, f := range t.lostForms() {
		return fmt.Sprintf("payloads of the %s %s of %s have another form now: %s", f.held.What, f.before.Value, t.Now.Name, f.why)
	}
	if c := t.newVersions(); c != nil {
		return fmt.Sprintf("they take a payload of %s for one of version 1, whatever its version is: %s is new", t.Now.Name, t.column(c.Now.Name))
	}
	return ""
}

// newVersions returns the column for the versions of documents where the table of before has documents
// and no such column; nil elsewhere.
func (t *Table) newVersions() *Column {
	for _, c := range t.Columns {
		isVersion := func(h model.Held) bool { return h.Version == c.Now }
		if c.Before == nil && len(t.Before.Held) > 0 && slices.ContainsFunc(t.Now.Held, isVersion) {
			return c
		}
	}
	return nil
}

// after is the migration from before which no program may run, if this one has to wait for any. Programs that do
// not read the versions of documents would take new ones for old, and put an end to jobs: it waits for all of them.
func (c *Comparison) after(name string) string {
	if slices.ContainsFunc(c.Tables, func(t *Table) bool { return t.Before != nil && t.newVersions() != nil }) {
		return name
	}
	return c.After
}

// refusalsForms looks for rows that wait with a document that no program of now can decode.
func (p *planner) refusalsForms(t *Table) []script.Refusal {
	var out []script.Refusal
	for _, f := range t.lostForms() {
		q := fmt.Sprintf("SELECT id FROM %s WHERE %s = %s", p.Quote(t.Before.Name), p.Quote(f.held.Field.Name), p.QuoteText(f.before.Value))
		if f.held.Version != nil {
			q += fmt.Sprintf(" AND %s = %s", p.Quote(f.held.Version.Name), strconv.Itoa(f.before.Version))
		}
		if len(f.held.While) > 0 {
			q += " AND " + p.Conditions(f.held.While)
		}
		out = append(out, script.Refusal{Query: q, Because: f.because(t)})
	}
	return out
}

func (f lostForm) because(t *Table) string {
	do := fmt.Sprintf("raise its version and keep the fields of before under older: %d", f.before.Version)
	if f.why == goneForm {
		do = "keep it under older"
	}
	return fmt.Sprintf("these rows of %s wait with a payload of the %s %s and version %d that programs of now cannot read (%s): %s; or let them end, or cancel them, first",
		t.Before.Name, f.held.What, f.before.Value, f.before.Version, f.why, do)
}

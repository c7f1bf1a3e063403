package migrate

import "fmt"

// refused says why a program of the version before cannot work on the result; empty where it can.
func (p *planner) refused() string {
	for _, d := range p.c.Dropped {
		return fmt.Sprintf("the table %s is gone", d.Name)
	}
	for _, t := range p.kept() {
		if why := p.tableRefused(t); why != "" {
			return why
		}
	}
	return ""
}

func (p *planner) tableRefused(t *Table) string {
	if t.Before.Name != t.Now.Name {
		return fmt.Sprintf("the table %s is %s now", t.Before.Name, t.Now.Name)
	}
	for _, f := range t.Dropped {
		return fmt.Sprintf("the column %s.%s is gone", t.Now.Name, f.Name)
	}
	for _, c := range t.Columns {
		if why := p.columnRefused(t, c); why != "" {
			return why
		}
	}
	if why := t.formsRefused(); why != "" {
		return why
	}
	for _, x := range t.Now.Indexes {
		if x.Unique && !p.wasUnique(t, x) {
			return fmt.Sprintf("the index %s of %s refuses rows that were possible", x.Name, t.Now.Name)
		}
	}
	return ""
}

func (p *planner) columnRefused(t *Table, c *Column) string {
	name, now := t.column(c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
	if c.Before == nil {
		if now.NotNull && now.Default == "" {
			return fmt.Sprintf("the new column %s has no default in the database, so that rows cannot be added without it", name)
		}
		return ""
	}
	switch {
	case c.Before.Name != c.Now.Name:
		return fmt.Sprintf("the column %s.%s is %s now", t.Before.Name, c.Before.Name, c.Now.Name)
	case c.converts() && c.Before.Type == c.Now.Type:
		return fmt.Sprintf("the %s %s has %d digits behind the point now, not %d", c.Now.Type, name, c.Now.Scale, c.Before.Scale)
	case c.converts():
		return fmt.Sprintf("the column %s is a %s now", name, c.Now.Type)
	case c.Before.NotNull != c.Now.NotNull && c.Now.NotNull:
		return fmt.Sprintf("the column %s must have a value now", name)
	case c.Before.NotNull != c.Now.NotNull && !t.beside(c.Now.Name):
		return fmt.Sprintf("the column %s may have no value now", name)
	case len(c.Values) > 0:
		return fmt.Sprintf("options of %s have other names now", name)
	case len(p.misfits(c, late, c.Now.Name)) > 0:
		return fmt.Sprintf("the column %s holds less than before", name)
	case p.membersRefused(t, c) != "":
		return p.membersRefused(t, c)
	case c.Now.Reference != nil && (c.Before.Reference == nil || c.Before.Reference.To != c.Now.Reference.To):
		return fmt.Sprintf("the column %s refers to %s now", name, c.Now.Reference.To)
	}
	return ""
}

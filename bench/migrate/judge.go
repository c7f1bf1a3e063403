package migrate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// effects are what a plan does to a database in use.
type effects struct {
	rewrites int // tables that are written again
	blocks   int // statements for as long as which writers wait, where that grows with the table
	loses    int // columns whose values are gone although the new definition has them
}

func (e effects) plus(o effects) effects {
	return effects{e.rewrites + o.rewrites, e.blocks + o.blocks, e.loses + o.loses}
}

func (e effects) String() string {
	if e == (effects{}) {
		return "-"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{e.rewrites, "rewrites"}, {e.blocks, "blocks"}, {e.loses, "loses"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.what, p.n))
		}
	}
	return strings.Join(parts, ", ")
}

// rule is a form of statement and what it does. Both sides are judged by the same ones.
type rule struct {
	form   *regexp.Regexp
	except *regexp.Regexp
	does   effects
}

var rules = map[model.Database][]rule{
	model.SQLite: {
		{form: regexp.MustCompile(`(?is)^INSERT INTO.*SELECT`), does: effects{rewrites: 1}},
	},
	model.Postgres: {
		{form: regexp.MustCompile(`(?is)^CREATE (UNIQUE )?INDEX`), except: regexp.MustCompile(`(?i)CONCURRENTLY`), does: effects{blocks: 1}},
		{form: regexp.MustCompile(`(?is)SET NOT NULL`), does: effects{blocks: 1}}, // see judge
		{form: regexp.MustCompile(`(?is)ADD CONSTRAINT.*(FOREIGN KEY|CHECK)`), except: regexp.MustCompile(`(?i)NOT VALID`), does: effects{blocks: 1}},
		// A longer varchar and one without bound are free; all other types are written again.
		{form: regexp.MustCompile(`(?is)ALTER COLUMN \S+ (SET DATA )?TYPE`), except: regexp.MustCompile(`(?i)TYPE (varchar\(300\)|character varying\(300\)|text)( COLLATE "C")?$`), does: effects{rewrites: 1}},
	},
	model.MySQL: {
		{form: regexp.MustCompile(`(?is)ALGORITHM=COPY`), does: effects{rewrites: 1}},
		// Without a word about it, the server copies the table for these.
		{form: regexp.MustCompile(`(?is)(ADD CONSTRAINT.*(FOREIGN KEY|CHECK)|MODIFY COLUMN|CHANGE COLUMN)`), except: regexp.MustCompile(`(?i)ALGORITHM=`), does: effects{rewrites: 1}},
	},
}

var validated = regexp.MustCompile(`(?i)VALIDATE CONSTRAINT`)

// judge says what the statements of a change do.
func judge(db model.Database, c change, statements []string) effects {
	var out effects
	checked := false // PostgreSQL needs no look at the rows where a valid check has had it
	for _, s := range statements {
		checked = checked || validated.MatchString(s)
		for _, r := range rules[db] {
			if !r.form.MatchString(s) || r.except != nil && r.except.MatchString(s) || checked && strings.Contains(s, "SET NOT NULL") {
				continue
			}
			out = out.plus(r.does)
		}
	}
	out.loses = lost(c, statements)
	return out
}

var dropped = regexp.MustCompile("(?i)DROP COLUMN [\"`]?(\\w+)")

// lost counts the columns that are dropped, or left out of a copy, although the definition
// says that they have another name.
func lost(c change, statements []string) int {
	n := 0
	for _, m := range regexp.MustCompile(`was: (\w+)`).FindAllStringSubmatch(c.after, -1) {
		old, kept := m[1], false
		if !strings.Contains(c.before, "name: "+old+",") {
			continue // an option
		}
		gone := false
		for _, s := range statements {
			kept = kept || regexp.MustCompile("(?i)RENAME COLUMN [\"`]?"+old+"\\b|CHANGE COLUMN [\"`]?"+old+"\\b").MatchString(s)
			for _, d := range dropped.FindAllStringSubmatch(s, -1) {
				gone = gone || d[1] == old
			}
			gone = gone || regexp.MustCompile(`(?is)^INSERT INTO`).MatchString(s) && !regexp.MustCompile("[\"`( ]"+old+"[\"`, )]").MatchString(s)
		}
		if gone && !kept {
			n++
		}
	}
	return n
}

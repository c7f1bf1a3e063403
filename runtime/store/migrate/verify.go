package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// Verification lists how a database differs from the definitions, each entry a line for people.
type Verification struct {
	// Pending are the migrations that the database lacks, with what they do.
	Pending []string
	// Differences are those that no pending migration accounts for: someone changed the tables.
	Differences []string
	// Statements mend some of the differences without touching a value. They have no semicolons.
	Statements []string
	// Expected are differences for which the pending migrations account: of tables that are as the last applied
	// migration left them, or of which one that was begun may have changed a part.
	Expected []string
	// Notes are what else is there: tables that the definitions do not know, such as those of other
	// programs, and indexes that people added.
	Notes []string
}

// Verify compares the tables of a database with the definitions and, where it lacks migrations, also with what
// the last applied one left. It changes nothing.
func (s *Set) Verify(ctx context.Context, b core.Backend, schema *core.Schema) (Verification, error) {
	st, err := inspect(ctx, b, b, schema)
	if err != nil {
		return Verification{}, err
	}
	if len(st.rows) == 0 && len(s.List) > 0 {
		return s.verifyUnrecorded(ctx, b, schema, st)
	}
	pending := s.pending(st)
	at := -1 // of the last migration before the pending ones
	if len(pending) > 0 {
		at = s.find(pending[0].Name) - 1
	}
	if at < 0 {
		return Verify(ctx, b, schema)
	}
	return s.verifyAfter(ctx, b, schema, st, at, pending)
}

// verifyAfter compares a database with what a migration left, and lists the pending ones.
func (s *Set) verifyAfter(ctx context.Context, b core.Backend, schema *core.Schema, st *state, at int, pending []Migration) (Verification, error) {
	out := Verification{Notes: core.Extra(b.Dialect(), schema, st.found)}
	partly := false
	for _, m := range pending {
		line := m.Name
		if sc, err := s.script(m, b.Dialect()); err == nil && len(sc.Steps) > 0 {
			line += ": " + steps(sc)
		}
		if r := st.row(m.Name); r != nil {
			line += " [" + r.begun() + "]"
			partly = partly || r.Statement > 0 || r.Begun
		}
		out.Pending = append(out.Pending, line)
	}
	if err := s.against(ctx, b, schema, s.List[at], partly, &out); err != nil {
		return Verification{}, err
	}
	return out, nil
}

// against compares with the definitions, and with the tables that a migration left, each table by itself.
func (s *Set) against(ctx context.Context, b core.Backend, schema *core.Schema, last Migration, partly bool, out *Verification) error {
	d := b.Dialect()
	left, err := s.tables(last, d)
	if err != nil {
		return err
	}
	newest, err := s.tables(s.List[len(s.List)-1], d)
	if err != nil {
		return err
	}
	all := slices.Concat(names(schema), slices.Collect(maps.Keys(left)))
	found, err := b.Inspect(ctx, b, slices.Compact(slices.Sorted(slices.Values(all))))
	if err != nil {
		return err
	}
	asLeft := map[string]bool{} // by the table's name; one that is missing is so where the migration left none
	for n := range left {
		asLeft[n] = slices.ContainsFunc(found, func(t core.TableDef) bool { return t.Name == n && core.Fits(left[n], core.Fingerprint(d, t)) })
	}
	for _, t := range schema.Tables {
		if _, known := left[t.Name]; !known {
			asLeft[t.Name] = !slices.ContainsFunc(found, func(f core.TableDef) bool { return f.Name == t.Name })
		}
		one := &core.Schema{DDL: schema.DDL, Tables: []core.TableDef{t}}
		lines, statements := core.Compare(d, one, found)
		if asLeft[t.Name] || partly {
			out.Expected = append(out.Expected, lines...)
		} else {
			out.Differences = append(out.Differences, lines...)
			if left[t.Name] == newest[t.Name] { // others would do what a pending migration does, which then fails
				out.Statements = append(out.Statements, statements...)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(left)) { // those that the pending migrations rename or remove
		if !slices.Contains(names(schema), n) && !asLeft[n] && !partly {
			out.Differences = append(out.Differences, fmt.Sprintf("%s: the table is not as %s left it", n, last.Name))
		}
	}
	others, err := otherTables(ctx, b, all)
	out.Notes = append(out.Notes, others...)
	return err
}

// Verify compares the tables of a database with a schema, whatever migrations it has: nothing is Pending or
// Expected. It changes nothing.
func Verify(ctx context.Context, b core.Backend, schema *core.Schema) (Verification, error) {
	st, err := inspect(ctx, b, b, schema)
	if err != nil {
		return Verification{}, err
	}
	out := Verification{Notes: core.Extra(b.Dialect(), schema, st.found)}
	out.Differences, out.Statements = core.Compare(b.Dialect(), schema, st.found)
	others, err := otherTables(ctx, b, names(schema))
	out.Notes = append(out.Notes, others...)
	return out, err
}

var tableLists = [...]string{
	"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name",
	"SELECT relname FROM pg_class AS c WHERE relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND relnamespace = current_schema()::regnamespace ORDER BY relname",
	"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME",
}

func otherTables(ctx context.Context, b core.Backend, tables []string) (out []string, err error) {
	known := map[string]bool{Ledger: true}
	for _, n := range tables {
		known[n] = true
	}
	var name string
	err = b.Query(ctx, tableLists[b.Dialect()], nil, []any{&name}, func() error {
		if !known[name] {
			out = append(out, name+": the database has a table that the definitions do not know")
		}
		return nil
	})
	return out, err
}

package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// nearest finds the migration whose tables are most like those of a database without a record, and says in
// which tables they differ; of several that are equally near, the last one. It is -1 where no table is that of any.
func (s *Set) nearest(d sqltext.Dialect, old []core.TableDef) (at int, differ []string, err error) {
	at = -1
	for i, m := range s.List {
		tables, err := s.tables(m, d)
		if err != nil {
			return -1, nil, err
		}
		lines := unlike(d, m.Name, tables, old)
		alike := slices.ContainsFunc(old, func(t core.TableDef) bool { return core.Fits(tables[t.Name], core.Fingerprint(d, t)) })
		if alike && (at < 0 || len(lines) <= len(differ)) {
			at, differ = i, lines
		}
	}
	return at, differ, nil
}

// unlike describes the tables that are not as a migration has them, a line for each.
func unlike(d sqltext.Dialect, migration string, wanted map[string]string, found []core.TableDef) []string {
	var out []string
	there := map[string]bool{}
	for _, t := range found {
		there[t.Name] = true
		switch print, known := wanted[t.Name]; {
		case !known:
			out = append(out, fmt.Sprintf("%s: the table is there, and %s has none", t.Name, migration))
		case !core.Fits(print, core.Fingerprint(d, t)):
			out = append(out, fmt.Sprintf("%s: the table is not as %s has it", t.Name, migration))
		}
	}
	for _, n := range slices.Sorted(maps.Keys(wanted)) {
		if !there[n] {
			out = append(out, n+": the table is missing")
		}
	}
	return out
}

// verifyUnrecorded compares a database without a record with the migration that it is nearest to: those after it
// account for the rest.
func (s *Set) verifyUnrecorded(ctx context.Context, b core.Backend, schema *core.Schema, st *state) (Verification, error) {
	old, err := s.oldTables(ctx, b, b, schema)
	if err != nil {
		return Verification{}, err
	}
	at, _, err := s.nearest(b.Dialect(), old)
	if err != nil {
		return Verification{}, err
	}
	if at < 0 || at == len(s.List)-1 {
		return Verify(ctx, b, schema)
	}
	return s.verifyAfter(ctx, b, schema, st, at, s.List[at+1:])
}

package evolution_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/runtime/store/core"
	runner "github.com/hegner123/modulagen/runtime/store/migrate"
)

var seed = flag.Uint64("seed", 0, "of the random histories; 0: another one each time")

// histories is how many random histories each database goes through.
const histories = 4

// TestRandomHistories takes databases with rows through versions that change at random, back where that can be
// done, and forth again.
func TestRandomHistories(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	onEach(t, func(t *testing.T, s *server) {
		for i := range uint64(histories) {
			t.Run(fmt.Sprintf("seed %d", first+i), func(t *testing.T) { wander(t, s, rand.New(rand.NewPCG(first+i, 0))) })
		}
	})
}

func wander(t *testing.T, s *server, r *rand.Rand) {
	d := newDraft(r)
	v := d.definitions().must(t)
	l := s.start(t, v)
	d.settle()
	for range 4 + r.IntN(4) {
		d.change()
		text := d.definitions()
		next := text.must(t)
		if l.history.chain.Records(next.Project) {
			d.settle()
			continue
		}
		l.to(next)
		if !t.Failed() && r.IntN(2) == 0 {
			l.back()
		}
		if t.Failed() {
			for _, name := range sortedKeys(text) {
				t.Log("\n" + text[name])
			}
			return
		}
		d.settle()
	}
}

// back takes the last migration back, where that can be done, compares, and applies it again.
func (l *live) back() {
	l.Helper()
	chain, n := l.history.chain, len(l.history.chain.Migrations)
	last, before := chain.Migrations[n-1], chain.Migrations[n-2]
	ways, err := migrate.Back(last, before.Snapshot, "migrations")
	if errors.Is(err, migrate.ErrOneWay) {
		return
	}
	if err != nil {
		l.Fatal(err)
	}
	now, was := l.history.last(), l.history.versions[len(l.history.versions)-2]
	rows := read(l, l.db.Conn(), now)
	b, _ := core.Below(l.db)
	way := ways[l.server.kind]
	if len(way.Steps) > 0 {
		if err := refusals(l.Context(), l.db.Conn(), &way.Steps[0]); err != nil {
			l.Logf("not taken back: %v", err)
			return
		}
	}
	if _, err := chain.Set().Down(l.Context(), b, last.Name, way, runner.Options{NoBackup: true}); err != nil {
		l.Fatalf("back: %v\n%s", err, way)
	}
	l.sameAsFresh(was)
	l.comparedBack(was, now, rows)
	l.again()
	if l.Failed() {
		l.Logf("%s", way)
	}
}

// again applies the last migration once more.
func (l *live) again() {
	l.Helper()
	if err := l.history.run(l.db); err != nil {
		l.Fatalf("again: %v", err)
	}
	l.sameAsFresh(l.history.last())
}

// comparedBack compares what was taken back with what it was, where no type changed.
func (l *live) comparedBack(was, now *version, rows contents) {
	l.Helper()
	found := read(l, l.db.Conn(), was)
	for _, d := range now.Datatypes {
		old := oldTable(was, now, d)
		if old == nil {
			continue
		}
		if len(found[old.Name]) != len(rows[d.Name]) {
			l.Errorf("back: %s has %d rows, and had %d", old.Name, len(found[old.Name]), len(rows[d.Name]))
		}
		for _, f := range d.Fields {
			o := oldField(old, d, f)
			if o == nil || o.Type != f.Type {
				continue
			}
			for _, r := range rows[d.Name] {
				want := r[f.Name]
				if want != nil {
					for _, option := range f.Options {
						if option.Was != "" && option.Value == *want && renamedOption(o, f, option.Was) == *want {
							want = some(option.Was)
							break
						}
					}
				}
				if has := found.row(old.Name, r.id())[o.Name]; !same(has, want) {
					l.Errorf("back: %s.%s of row %s is %s, and was %s", old.Name, o.Name, r.id(), show(has), show(want))
				}
			}
		}
	}
}

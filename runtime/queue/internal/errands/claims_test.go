package errands_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// inOrder returns chores as they are to be claimed: by columns of every type, each
// with null among its values.
func inOrder(now time.Time) []today.ChoreNew {
	set := []func(n *today.ChoreNew, i int){
		func(n *today.ChoreNew, i int) {
			n.Urgent = []store.Opt[bool]{opt(true), opt(false), {}}[i]
		},
		func(n *today.ChoreNew, i int) {
			n.At = []store.Opt[time.Time]{opt(now), opt(now.Add(-time.Microsecond)), {}}[i]
		},
		func(n *today.ChoreNew, i int) {
			n.Size = []store.Opt[today.ChoreSize]{{}, opt(today.ChoreSizeLarge), opt(today.ChoreSizeSmall)}[i]
		},
		func(n *today.ChoreNew, i int) { n.Label = []store.Opt[string]{{}, opt("B"), opt("a")}[i] },
		func(n *today.ChoreNew, i int) {
			n.Rank = []store.Opt[int64]{{}, store.Int(-5), store.Int(7)}[i]
		},
	}
	places := [][]int{} // of each row, by urgent, size, label, at desc, rank
	order := []int{0, 2, 3, 1, 4}
	for i := range 243 {
		if i%5 == 0 || i%7 == 0 { // enough of them
			places = append(places, []int{i / 81, i / 27 % 3, i / 9 % 3, i / 3 % 3, i % 3})
		}
	}
	rows := make([]today.ChoreNew, len(places))
	for i, place := range places {
		for column, value := range place {
			set[order[column]](&rows[i], value)
		}
		rows[i].Owner = opt(fmt.Sprint(i))
	}
	return rows
}

// Rows run in the order of claims, within a batch and across batches.
func TestOrder(t *testing.T) {
	live(t, func(t *testing.T, p *place) {
		db := p.open()
		rows := inOrder(time.Now().UTC().Truncate(time.Second))
		shuffled := slices.Clone(rows)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		must(db.Chore.CreateMany(t.Context(), shuffled))(t)
		ran := make(chan string, len(rows))
		work(t, db, today.Workers{ChoreOptions: queue.Options{Concurrency: 1}, Chore: handles(func(_ context.Context, row *today.Chore) error {
			ran <- row.Owner.V
			return nil
		})})
		for i := range rows {
			if got := receive(t, ran); got != fmt.Sprint(i) {
				t.Fatalf("at place %d the row %s ran", i, got)
			}
		}
	})
}

// The search of a claim, without the conditions that no index answers, goes through
// the index that has no rows on hold.
func TestClaimsFollowTheirIndex(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		if p.name == "mysql" {
			return // it has no partial indexes: its index leads with the hold
		}
		db := p.open()
		explain := map[string]string{"sqlite": "EXPLAIN QUERY PLAN ", "postgres": "EXPLAIN "}[p.name]
		var later []today.Walk
		for i := range 3000 {
			later = append(later, today.Walk{N: int64(i)})
		}
		must(db.Errand.EnqueueWalkMany(t.Context(), later, at(p.clock.time().Add(time.Hour))))(t)
		walk(t, db, 1)
		if p.name == "postgres" {
			if _, err := db.Store().Conn().Exec(t.Context(), "ANALYZE errand", nil); err != nil {
				t.Fatal(err)
			}
		}
		plan := explainClaim(t, db, p.name, explain)
		if !strings.Contains(plan, "errand_queue_claim_idx") {
			t.Errorf("the claim is planned as\n%s", plan)
		}
	})
}

func explainClaim(t *testing.T, db *today.DB, name, explain string) string {
	t.Helper()
	var plan strings.Builder
	var line string
	var a, b, c int64
	dest := []any{&line}
	if name == "sqlite" {
		dest = []any{&a, &b, &c, &line}
	}
	err := db.Store().Conn().Query(t.Context(), explain+`SELECT due.id FROM errand AS due
		WHERE due.state = 'ready' AND due.queue_hold = '' AND due.queue_name = 'main'
		ORDER BY due.queue_rank, due.id LIMIT 10`, nil, dest, func() error {
		plan.WriteString(line + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

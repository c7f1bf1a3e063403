package table

import (
	"testing"
	"time"
)

// Each gap is looked for some 40 times and then given up, whatever the others do.
func TestGapsAgeByThemselves(t *testing.T) {
	var g gaps
	looks := map[int64]int{}
	added := map[int64]time.Duration{}
	id := int64(0)
	for now := time.Duration(0); now < 70*time.Second; now += gapFirst {
		if now < 30*time.Second && now%(100*time.Millisecond) == 0 { // ten a second
			id += 2
			g.add(id, id, int64(now))
			added[id] = now
		}
		ids := g.due(int64(now), 500)
		for _, one := range ids {
			looks[one]++
			if age := now - added[one]; age > gapKept+gapEvery {
				t.Fatalf("the gap %d is looked for %s after it was found", one, age)
			}
		}
		g.looked(ids, nil, int64(now))
		if len(g.all) > 311 {
			t.Fatalf("%d gaps are waited for after %s", len(g.all), now)
		}
	}
	if len(g.all) != 0 {
		t.Errorf("%d gaps are still waited for", len(g.all))
	}
	if len(looks) != 300 {
		t.Errorf("%d of 300 gaps were looked for", len(looks))
	}
	for one, n := range looks {
		if n < 30 || n > 45 {
			t.Errorf("the gap %d was looked for %d times", one, n)
		}
	}
}

// A gap is looked for again after as long as it has been missing, at most a
// second: a late row is found that late at most.
func TestGapIsFoundSoon(t *testing.T) {
	for _, late := range []time.Duration{0, time.Millisecond, 50 * time.Millisecond, 3 * time.Second, 29 * time.Second} {
		var g gaps
		g.add(7, 7, 0)
		now := time.Duration(0)
		for {
			now += max(g.wait(int64(now), time.Hour), time.Nanosecond)
			ids := g.due(int64(now), 500)
			if len(ids) == 1 && now >= late {
				break
			}
			if g.looked(ids, nil, int64(now)); len(g.all) == 0 {
				t.Fatalf("a row that is %s late is not waited for", late)
			}
		}
		if most := late + min(max(late, gapFirst), gapEvery) + gapFirst; now > most {
			t.Errorf("a row that is %s late is found after %s", late, now)
		}
		g.looked([]int64{7}, map[int64]bool{7: true}, int64(now))
		if len(g.all) != 0 {
			t.Error("a row that was found is still waited for")
		}
	}
}

func TestGapsAreBounded(t *testing.T) {
	var g gaps
	g.add(1, 1_000_000_000, 0)
	g.add(1_000_000_002, 1_000_000_003, 0)
	if len(g.all) != gapsMost || g.all[gapsMost-1].id != 1_000_000_003 {
		t.Errorf("%d gaps, the last %d", len(g.all), g.all[len(g.all)-1].id)
	}
	n := 0
	for {
		ids := g.due(int64(gapFirst), 500)
		if len(ids) == 0 {
			break
		}
		if len(ids) > 500 {
			t.Fatalf("%d at once", len(ids))
		}
		n += len(ids)
		g.looked(ids, nil, int64(gapFirst))
	}
	if n != gapsMost {
		t.Errorf("%d of %d were looked for", n, gapsMost)
	}
}

package table

import (
	"slices"
	"time"
)

const (
	gapFirst = 5 * time.Millisecond // until a gap is looked at again, at first
	gapEvery = time.Second          // and at most
	gapKept  = 30 * time.Second     // how long a missing row is waited for
	gapsMost = 10_000               // gaps that are waited for; of more, the oldest are given up
)

// gap is the id of a row of changes that was missing when a later one was read:
// its transaction has not committed yet, or never will.
type gap struct {
	id    int64
	since int64 // by the invalidator's clock, as next is
	next  int64 // when it is looked for again
}

// gaps are the missing ids that are still waited for. Each ages by itself: it is
// looked for after 5 ms, then after as long again as it has been missing, at most
// a second, and is given up after 30 s. A gap costs some 40 lookups by primary
// key, however many others there are and however many rows came after it.
type gaps struct {
	all  []gap // in the order of the ids, which is the order in which they were found
	next int64 // the earliest next; meaningless when there are none
}

// add notes that the ids from first to last are missing.
func (g *gaps) add(first, last, now int64) {
	first = max(first, last-gapsMost+1)
	for id := first; id <= last; id++ {
		g.all = append(g.all, gap{id: id, since: now, next: now + int64(gapFirst)})
	}
	if over := len(g.all) - gapsMost; over > 0 {
		g.all = slices.Delete(g.all, 0, over)
	}
	g.schedule()
}

// due returns at most limit ids that are to be looked for.
func (g *gaps) due(now int64, limit int) []int64 {
	if len(g.all) == 0 || g.next > now {
		return nil
	}
	var ids []int64
	for _, one := range g.all {
		if one.next <= now && len(ids) < limit {
			ids = append(ids, one.id)
		}
	}
	return ids
}

// looked notes that ids, in their order, were looked for: those that were found
// are gaps no more, nor are those that have been missing for too long.
func (g *gaps) looked(ids []int64, found map[int64]bool, now int64) {
	g.all = slices.DeleteFunc(g.all, func(one gap) bool {
		_, asked := slices.BinarySearch(ids, one.id)
		return asked && (found[one.id] || now-one.since >= int64(gapKept))
	})
	for i := range g.all {
		one := &g.all[i]
		if _, asked := slices.BinarySearch(ids, one.id); asked {
			one.next = now + min(max(now-one.since, int64(gapFirst)), int64(gapEvery))
		}
	}
	g.schedule()
}

func (g *gaps) schedule() {
	if len(g.all) == 0 {
		return
	}
	g.next = g.all[0].next
	for _, one := range g.all[1:] {
		g.next = min(g.next, one.next)
	}
}

// wait is how long no gap is due; most when there are none.
func (g *gaps) wait(now int64, most time.Duration) time.Duration {
	if len(g.all) == 0 {
		return most
	}
	return min(most, max(0, time.Duration(g.next-now)))
}

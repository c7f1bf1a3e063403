package sqlc

import (
	"slices"

	"github.com/hegner123/modulagen/gen/model"
)

// cost is what a query takes in sqlc, in tenths of a millisecond; *measured*.
var cost = map[model.Database]int{model.SQLite: 50, model.Postgres: 5, model.MySQL: 5}

// The bounds of a chunk: starting a copy costs some 30 ms, so a chunk is worth
// several times that, and a copy's memory and answer grow with the chunk.
const (
	leastCost   = 1_500
	mostQueries = 250
)

// chunks cuts units into the work of single copies: of one database each, the
// user's apart from the generated ones (whose analysis is worth keeping even if
// the user's fail), the most expensive first.
func chunks(units []*unit, processes int) [][]*unit {
	type group struct {
		db   model.Database
		user bool
	}
	groups := map[group][]*unit{}
	var order []group
	for _, u := range units {
		g := group{u.database, u.user != nil}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], u)
	}
	var out [][]*unit
	for _, g := range order {
		queries := 0
		for _, u := range groups[g] {
			queries += len(u.queries)
		}
		parts := max(1, min(processes, queries*cost[g.db]/leastCost), (queries+mostQueries-1)/mostQueries)
		if parts > processes {
			parts = (parts + processes - 1) / processes * processes
		}
		out = append(out, deal(groups[g], parts)...)
	}
	slices.SortStableFunc(out, func(a, b []*unit) int { return chunkCost(b) - chunkCost(a) })
	return out
}

func chunkCost(units []*unit) int {
	n := 0
	for _, u := range units {
		n += len(u.queries) * cost[u.database]
	}
	return n
}

// deal deals units to at most n parts of like size.
func deal(units []*unit, n int) [][]*unit {
	parts := make([][]*unit, min(n, len(units)))
	for i, u := range units {
		parts[i%len(parts)] = append(parts[i%len(parts)], u)
	}
	return parts
}

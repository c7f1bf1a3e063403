package queuemodel

import "slices"

// graph is every state that the search has met, in the order met.
type graph struct {
	worlds []world
	from   []int  // the state that each was first met from; -1 for the first
	by     []name // the step that led to it
	known  map[world]int
	back   [][]int32 // the states that lead to each
	steps  int
}

// violation is a step that broke a rule, with the shortest way to it.
type violation struct {
	rule  string
	trace []string
}

// explore walks through all states, nearest first, so that the first violation
// met has a trace of the fewest steps. It gives up at that.
func explore(g guards) (*graph, *violation) {
	gr := &graph{known: map[world]int{}}
	gr.meet(world{}, -1, name{})
	for i := 0; i < len(gr.worlds); i++ {
		for _, s := range g.steps(gr.worlds[i]) {
			gr.steps++
			if s.wrong != "" {
				return gr, &violation{s.wrong, append(gr.trace(i), s.name.String())}
			}
			next := gr.meet(s.to, i, s.name)
			if next != i {
				gr.back[next] = append(gr.back[next], int32(i))
			}
		}
	}
	return gr, nil
}

func (gr *graph) meet(w world, from int, by name) int {
	i, known := gr.known[w]
	if !known {
		i = len(gr.worlds)
		gr.known[w] = i
		gr.worlds = append(gr.worlds, w)
		gr.from = append(gr.from, from)
		gr.by = append(gr.by, by)
		gr.back = append(gr.back, nil)
	}
	return i
}

// trace returns the steps that lead to a state.
func (gr *graph) trace(i int) []string {
	var out []string
	for ; gr.from[i] >= 0; i = gr.from[i] {
		out = append(out, gr.by[i].String())
	}
	slices.Reverse(out)
	return out
}

// stuck returns a state from which no order of steps ends the job, or -1.
func (gr *graph) stuck(j int) int {
	reached := make([]bool, len(gr.worlds))
	var todo []int
	for i, w := range gr.worlds {
		if w.jobs[j].state.ended() {
			reached[i] = true
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, before := range gr.back[i] {
			if !reached[before] {
				reached[before] = true
				todo = append(todo, int(before))
			}
		}
	}
	return slices.Index(reached, false)
}

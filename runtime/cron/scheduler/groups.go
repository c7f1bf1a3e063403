package scheduler

import (
	"context"
	"slices"

	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// groups are jobs that a statement changes, those with the same arguments together: jobs of one
// schedule move to the same instant, and most runs end in the same way. One statement changes all
// jobs of a group.
type groups struct {
	all   []*group
	index map[[protocol.ArgCount]any]*group
}

// group is jobs with the same arguments.
type group struct {
	ids  []any
	args []any
}

// add adds a job. Arguments are comparable: texts, numbers and instants.
func (g *groups) add(id int64, args []any) {
	key := [protocol.ArgCount]any(args)
	key[protocol.ArgID] = nil
	if g.index == nil {
		g.index = map[[protocol.ArgCount]any]*group{}
	}
	same := g.index[key]
	if same == nil {
		same = &group{args: key[:]}
		g.index[key] = same
		g.all = append(g.all, same)
	}
	same.ids = append(same.ids, id)
}

// exec runs the statement for each group, and returns how many rows it changed. Groups of the same
// size are sent together: MySQL has a placeholder for each id.
func (g *groups) exec(ctx context.Context, c *core.Conn, st *core.Statement) (changed int64, err error) {
	bySize := map[int][]*group{}
	var sizes []int
	for _, each := range g.all {
		n := len(each.ids)
		if bySize[n] == nil {
			sizes = append(sizes, n)
		}
		bySize[n] = append(bySize[n], each)
	}
	for _, n := range sizes {
		list := bySize[n]
		touched, err := core.ExecEach(ctx, c, st, len(list), func(i int) []any {
			args := slices.Clone(list[i].args)
			args[protocol.ArgIDs] = core.IDList(list[i].ids)
			return args
		})
		if err != nil {
			return changed, err
		}
		for _, n := range touched {
			changed += n
		}
	}
	return changed, nil
}

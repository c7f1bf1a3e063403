package queue

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/load/node"
)

// ageing reads how waiting is weighed against the first field of the order.
// It is a sum of the two, so that the order must be one that a sum can give.
func (r reader) ageing(n *yaml.Node, q *Section) {
	key, at := node.Pair(n, "ageing")
	if at == nil {
		return
	}
	q.Ageing = node.Duration(n, "ageing")
	order := node.Items(n, "order")
	if len(order) == 0 {
		r.def.Wrong(key, "ageing goes with order, and there is none", "add order: [priority desc, created_at], with fields of yours")
		return
	}
	if len(q.Order) != len(order) {
		return // reported
	}
	switch first := q.Order[0]; {
	case first.Field.Type != "number":
		r.def.Wrong(order[0], fmt.Sprintf("%s is of type %s; with ageing, order starts with a number", first.Field.Name, first.Field.Type), "start with the field that holds the priority, and desc, or remove ageing")
		return
	case !first.Desc:
		r.def.Wrong(order[0], fmt.Sprintf("%s is not desc; with ageing, the greatest comes first", first.Field.Name), fmt.Sprintf(`write "%s desc"`, first.Field.Name))
	case !first.Field.NotNull:
		r.def.Wrong(order[0], fmt.Sprintf("%s may be null, and ageing counts with it", first.Field.Name), "give it default: 0")
	}
	if len(order) > 2 {
		r.def.Wrong(order[2], "with ageing, order has a number and at most a datetime after it", "remove the others")
		return
	}
	if len(order) == 1 {
		return
	}
	switch second := q.Order[1]; {
	case second.Field.Type != "datetime":
		r.def.Wrong(order[1], fmt.Sprintf("%s is of type %s; with ageing, only a datetime follows the number", second.Field.Name, second.Field.Type), "remove it")
	case second.Desc:
		r.def.Wrong(order[1], fmt.Sprintf("%s is desc, and with ageing the job that has waited longest comes first", second.Field.Name), fmt.Sprintf("write %q", second.Field.Name))
	case second.Field.Default == nil || !second.Field.Default.Now:
		r.def.Wrong(order[1], fmt.Sprintf("%s does not say since when a job waits, and ageing goes by that", second.Field.Name), "give it default: now, or remove it from order")
	}
}

// retention reads how long ended jobs are kept.
func (r reader) retention(n *yaml.Node, q *Section) {
	at := node.Section(n, "retention")
	for _, s := range []struct{ key, state string }{{"done", q.Done}, {"dead", q.Dead}, {"cancelled", q.Cancelled}, {"unknown", q.Unknown}} {
		after := node.Duration(at, s.key)
		if after == 0 {
			continue
		}
		if s.state == "" {
			if node.Get(node.Section(n, "state"), s.key) == nil {
				key, _ := node.Pair(at, s.key)
				r.def.Wrong(key, fmt.Sprintf("the queue has no state for %s jobs", s.key), fmt.Sprintf("add %s: to state, with the option that says so, or remove it", s.key))
			}
			continue
		}
		q.Retention = append(q.Retention, Retention{State: s.state, After: after})
	}
}

// queueNames reads the named queues.
func (r reader) queueNames(n *yaml.Node, q *Section) {
	list := node.Section(n, "queues")
	if list == nil {
		return
	}
	for i := 0; i+1 < len(list.Content); i += 2 {
		key, value := list.Content[i], list.Content[i+1]
		if value.Kind != yaml.MappingNode {
			continue
		}
		name := Named{Pos: r.def.Pos(key), Name: key.Value}
		name.Concurrency, _ = node.Int(value, "concurrency")
		q.Names = append(q.Names, name)
	}
}

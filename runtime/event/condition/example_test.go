package condition_test

import (
	"fmt"

	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

type post struct {
	ID     int64
	Status string
}

// In a program, the columns are those of a Spec, and Spec.Fields appends the places.
func Example() {
	columns := []core.Column{
		{Name: "id", Rules: check.Rules{Kind: check.Int}},
		{Name: "status", Rules: check.Rules{Kind: check.Text, Options: []string{"draft", "published"}}},
	}
	places := func(p *post) condition.Row { return condition.Row{&p.ID, &p.Status} }

	cond, err := condition.Parse([]byte(`{"field": "status", "changed": true, "eq": "published"}`), columns)
	if err != nil {
		fmt.Println(err)
		return
	}
	draft, published := &post{1, "draft"}, &post{1, "published"}
	fmt.Println("created:", cond.Holds(nil, places(published)))
	fmt.Println("published:", cond.Holds(places(draft), places(published)))
	fmt.Println("changed otherwise:", cond.Holds(places(published), places(published)))
	fmt.Println("deleted:", cond.Holds(places(published), nil))
	// Output:
	// created: true
	// published: true
	// changed otherwise: false
	// deleted: true
}

func ExampleParse_mistakes() {
	columns := []core.Column{{Name: "status", Rules: check.Rules{Kind: check.Text, Options: []string{"draft", "published"}}}}
	_, err := condition.Parse([]byte(`{"any_of": [
		{"field": "statsu", "eq": "published"},
		{"field": "status", "gt": "draft"},
		{"field": "status", "eq": "publishd"}
	]}`), columns)
	fmt.Println(err)
	// Output:
	// condition: 3 mistakes:
	// $.any_of[0].field (byte 25): unknown field "statsu"; did you mean "status"?
	// $.any_of[1].gt (byte 77): gt does not apply to status, which is a select; it has eq, ne, in, changed and exists
	// $.any_of[2].eq (byte 121): status is a select, not the text "publishd"; its options are published, draft
}

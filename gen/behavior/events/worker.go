package events

import (
	"fmt"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker"
)

// newHandlers makes the handlers of a subscription.
var newHandlers = worker.Decl{
	Name: "NewEventHandlers",
	Doc: []string{
		"NewEventHandlers returns the handlers of a subscription:",
		"\terr := db.Subscribe(ctx, \"workers\", workers.NewEventHandlers(db), event.Options{Logger: slog.Default()})",
	},
	Text: "func NewEventHandlers(db *@generated.DB) @generated." + handlersName + " {\n\tvar h @generated." + handlersName + "\n\treturn h\n}",
}

// Worker returns the handlers of a datatype's events.
func (Behavior) Worker(d *model.Datatype) *worker.Part {
	s := Of(d)
	if s == nil {
		return nil // the log
	}
	p := &worker.Part{Doc: "It has a method for each of its events."}
	if s.Writes() != 0 {
		handler(p, d, d.GoAccessor, "Changed", "c", changeName(d), "writes of "+d.Name, d.Pos,
			"is called with each write of a row that is an event", "&@generated."+changeName(d)+"{After: &@generated."+d.GoRow+"{}}")
	}
	for _, e := range s.Emits {
		handler(p, d, e.payload(d), e.GoName, "e", e.event(d), "event "+e.topic(d), e.GoPos,
			"is called with each event "+e.topic(d), "&@generated."+e.event(d)+"{Payload: "+worker.Payload(e.payload(d), e.Fields)+"}")
	}
	return p
}

// handler adds the method for an event, its place in the handlers, and its test.
func handler(p *worker.Part, d *model.Datatype, field, method, variable, event, of string, pos model.Pos, does, sample string) {
	p.Methods = append(p.Methods, worker.Method{
		Name: method, For: of, Pos: pos,
		Doc:       []string{method + " " + does + ", in order. With an error it is called again, as event.Options says."},
		Signature: fmt.Sprintf("(ctx @context.Context, %s *@generated.%s) error", variable, event),
	})
	p.Wiring = append(p.Wiring, worker.Wiring{
		Func: newHandlers.Name, Shared: []worker.Decl{newHandlers}, Has: field, For: of, Pos: pos,
		Text: "\t%[1]s." + field + " = ({})." + method + "\n",
	})
	name := "Test" + d.GoAccessor + method
	p.Tests = append(p.Tests, worker.Decl{
		Name: name, With: method, For: of, Pos: pos,
		Doc: []string{name + " calls the handler of a subscription with an event."},
		Text: fmt.Sprintf(`func %s(t *@testing.T) {
	handler := NewEventHandlers(testDB(t)).%s
	if handler == nil {
		t.Fatal("the subscription has no handler")
	}
	checkEnd(t, %q, true, handler(t.Context(), %s))
}`, name, field, d.GoAccessor+"."+method, sample),
	})
}

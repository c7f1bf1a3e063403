package webhook

import (
	"fmt"

	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker"
)

// Worker returns the options that have webhooks delivered: a program writes no handler for them.
func (Behavior) Worker(d *model.Datatype) *worker.Part {
	s := Of(d)
	of := "webhooks " + d.Name
	p := &worker.Part{
		Doc: "Webhooks need no handler of a program, only that one delivers them.",
		Imports: map[string]string{
			"webhook": webhookPath, "io": "io",
		},
		Methods: []worker.Method{{
			Name: "Options", Once: true, For: of, Pos: d.Pos,
			Doc:       []string{"Options has webhooks delivered: to public addresses over https, unless Egress says otherwise."},
			Signature: "() @webhook.Options",
			Body:      []string{"return @webhook.Options{Logger: @slog.Default()}"},
		}},
		Wiring: []worker.Wiring{{
			Func: "New", Shared: []worker.Decl{worker.New}, Has: field, For: of, Pos: d.Pos,
			Text: "\t%[1]s." + field + " = ({}).Options()\n",
		}},
	}
	if test, ok := s.test(d, of); ok {
		p.Tests = []worker.Decl{test}
	}
	return p
}

// test delivers a webhook to a server of the test, which verifies its signature.
func (s *Section) test(d *model.Datatype, of string) (worker.Decl, bool) {
	r, q := s.Requests, queue.Of(d)
	lines, ids := worker.References(r.Datatype)
	ids[r.Fields["url"]] = "server.URL"
	references := ""
	for _, line := range lines {
		references += "\t" + line + "\n"
	}
	name := "Test" + d.GoAccessor
	return worker.Decl{
		Name: name, For: of, Pos: d.Pos,
		Doc: []string{name + " delivers a webhook to a server of the test, which verifies its signature."},
		Text: fmt.Sprintf(`func %s(t *@testing.T) {
	db := testDB(t)
	var receiver @http.Handler
	server := @httptest.NewServer(@http.HandlerFunc(func(w @http.ResponseWriter, r *@http.Request) { receiver.ServeHTTP(w, r) }))
	defer server.Close()
%s	request, err := db.%s.Create(t.Context(), %s)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := db.%s.RotateSecret(t.Context(), request.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	bodies := make(chan []byte, 1)
	receiver, err = @webhook.NewReceiver(@http.HandlerFunc(func(_ @http.ResponseWriter, r *@http.Request) {
		body, err := @io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- body
	}), @webhook.ReceiverOptions{Keys: []@webhook.Verifier{secret}})
	if err != nil {
		t.Fatal(err)
	}
	id, err := db.%s.Test(t.Context(), request.ID)
	if err != nil {
		t.Fatal(err)
	}
	o := (&%s{DB: db}).Options()
	o.Egress.Allow = append(o.Egress.Allow, "127.0.0.1")
	if err := db.Drain(t.Context(), @generated.Workers{%s: o}); err != nil {
		t.Fatal(err)
	}
	row, err := db.%s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if row.%s != %s || len(bodies) != 1 {
		t.Errorf("the delivery is %%s, and %%d bodies have arrived: %%v", row.%s, len(bodies), row.%s)
	}
}`, name, references, r.GoAccessor, worker.Row(r.Datatype, ids), r.GoAccessor, d.GoAccessor, d.GoAccessor, field, d.GoAccessor,
			q.State.GoName, worker.Option(q.State, q.Done), q.State.GoName, q.Error.GoName),
	}, r.Fields["url"] != nil
}

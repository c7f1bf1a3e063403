package queue

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker"
)

// Worker returns the handlers of a queue: a method for each kind, and for each older version of its
// payload. What another behavior works has none.
func (Behavior) Worker(d *model.Datatype) *worker.Part {
	q := Of(d)
	if q.Worked != nil {
		return nil
	}
	h := handlers{d, q, &worker.Part{
		Implements: d.GoRow + "Handler",
		Doc:        "It has a method for each kind of job.",
		Wiring: []worker.Wiring{{
			Func: "New", Shared: []worker.Decl{worker.New}, Has: d.GoAccessor,
			Text: fmt.Sprintf("\t%%[1]s.%s = {}\n\t%%[1]s.%sOptions.Logger = @slog.Default()\n", d.GoAccessor, d.GoAccessor),
		}},
	}}
	h.p.Helpers = []worker.Decl{h.drain()}
	if len(q.Kinds) == 0 {
		h.p.Doc = "It has one method, which is called with a row."
		h.row()
	}
	for _, k := range q.Kinds {
		h.kind(k)
		for _, old := range k.Older {
			h.older(k, old)
		}
	}
	return h.p
}

// handlers describes the handlers of one queue.
type handlers struct {
	d *model.Datatype
	q *Section
	p *worker.Part
}

// outcome says what becomes of a job, which each method decides by its error.
const outcome = "With nil it is done; with an error it is tried again, and after its last attempt it is dead."

func (h handlers) drained() string { return "drain" + h.d.GoAccessor }

// drain declares what tests of the queue call.
func (h handlers) drain() worker.Decl {
	options := h.d.GoAccessor + "Options"
	return worker.Decl{
		Name: h.drained(),
		Doc: []string{
			h.drained() + " runs what is due in " + h.d.Name + ", and returns what was returned for each kind of job that ran.",
		},
		Text: fmt.Sprintf(`func %s(t *@testing.T, db *@generated.DB) map[string]error {
	t.Helper()
	ran := map[string]error{}
	all := New(db)
	w := @generated.Workers{%s: all.%s, %s: all.%s}
	w.%s.Middleware = append(w.%s.Middleware, func(ctx @context.Context, c *@queue.Claim, next func(@context.Context) error) error {
		err := next(ctx)
		ran[c.Kind()] = err
		return err
	})
	@queuetest.Drain(t, db, w)
	return ran
}`, h.drained(), h.d.GoAccessor, h.d.GoAccessor, options, options, options, options),
	}
}

// ended are the statements that check that a kind's method was called.
func (h handlers) ended(method, kind string) string {
	return fmt.Sprintf("\tran := %s(t, db)\n\terr, called := ran[%q]\n\tcheckEnd(t, %q, called, err)\n", h.drained(), kind, h.d.GoAccessor+"."+method)
}

func (h handlers) row() {
	row := h.d.GoRow
	h.p.Methods = append(h.p.Methods, worker.Method{
		Name: row, Pos: h.q.Pos, For: "queue " + h.d.Name,
		Doc:       []string{row + " handles a row. " + outcome},
		Signature: fmt.Sprintf("(ctx @context.Context, row *@generated.%s) error", row),
	})
	references, ids := worker.References(h.d)
	body := statements(references)
	literal := worker.Row(h.d, ids)
	if waits(h.q.Policy.Unique) {
		body += fmt.Sprintf("\tn := %s\n\tn.%s = @store.Set(@time.Now()) // it does not wait for duplicates\n", literal, h.q.RunAt.GoName)
		literal = "n"
	}
	body += fmt.Sprintf("\tif %s, err := db.%s.Enqueue(t.Context(), %s); err != nil {\n\t\tt.Fatal(err)\n\t}\n", blanks(h.q.Policy.Unique), h.d.GoAccessor, literal)
	h.test("Test"+h.d.GoAccessor, row, "enqueues a row of "+h.d.Name+", and runs it.", body+h.ended(row, ""), "queue "+h.d.Name, h.q.Pos)
}

// waits reports whether jobs are not due when they are enqueued.
func waits(u *Unique) bool { return u != nil && u.OnDuplicate == "debounce" }

// blanks is what a test makes of what Enqueue returns beside the error.
func blanks(u *Unique) string {
	if u != nil {
		return "_, _"
	}
	return "_"
}

// statements are lines of a test.
func statements(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("\t" + line + "\n")
	}
	return b.String()
}

func (h handlers) test(name, with, does, body, of string, pos model.Pos) {
	h.p.Tests = append(h.p.Tests, worker.Decl{
		Name: name, With: with, Doc: []string{name + " " + does}, For: of, Pos: pos,
		Text: fmt.Sprintf("func %s(t *@testing.T) {\n\tdb := testDB(t)\n%s}", name, body),
	})
}

// hinted is how many members of a payload a comment names.
const hinted = 4

func (h handlers) kind(k *Kind) {
	of := "kind " + k.Name
	m := worker.Method{
		Name: k.GoName, Pos: k.Pos, For: of,
		Doc:       []string{k.GoName + " runs a job of kind " + k.Name + ". " + outcome},
		Signature: fmt.Sprintf("(ctx @context.Context, job *@generated.%sJob) error", k.GoName),
	}
	var members []string
	for _, f := range k.Fields {
		members = append(members, "job.Payload."+f.GoName)
	}
	if m.Hint = strings.Join(members, ", "); len(members) > hinted {
		m.Hint = strings.Join(members[:hinted], ", ") + " and others"
	}
	h.p.Methods = append(h.p.Methods, m)

	references, ids := worker.References(h.d)
	options := h.options(k, ids)
	h.test("Test"+h.d.GoAccessor+k.GoName, k.GoName, "enqueues a job of kind "+k.Name+", and runs it.",
		statements(references)+fmt.Sprintf("\tif %s, err := db.%s.Enqueue%s(t.Context(), %s%s); err != nil {\n\t\tt.Fatal(err)\n\t}\n",
			blanks(k.Policy.Unique), h.d.GoAccessor, k.GoName, worker.Payload(k.GoName, k.Fields), options)+h.ended(k.GoName, k.Name), of, k.Pos)
}

// options is the argument that sets what a row needs beside its payload.
func (h handlers) options(k *Kind, ids map[*model.Field]string) string {
	set := worker.Required(h.d, ids, h.q.KindField, h.q.PayloadField)
	if waits(k.Policy.Unique) {
		set = append(set, "n."+h.q.RunAt.GoName+" = @store.Set(@time.Now()) // it does not wait for duplicates")
	}
	if len(set) == 0 {
		return ""
	}
	return fmt.Sprintf(", func(n *@generated.%sNew) {\n\t\t%s\n\t}", h.d.GoRow, strings.Join(set, "\n\t\t"))
}

// older describes what makes today's payload of an earlier one.
func (h handlers) older(k *Kind, old *OldPayload) {
	name := fromName(k, old)
	of := fmt.Sprintf("version %d of kind %s", old.Version, k.Name)
	h.p.Methods = append(h.p.Methods, worker.Method{
		Name: name, Pos: old.Pos, For: of, Zero: "@generated." + k.GoName + "{}, ",
		Doc: []string{fmt.Sprintf("%s makes the payload of today of one that a program with version %d has enqueued: then %s is called with it. With an error the attempt has failed.",
			name, old.Version, k.GoName)},
		Signature: fmt.Sprintf("(ctx @context.Context, old @generated.%s) (@generated.%s, error)", old.GoName, k.GoName),
	})
	references, ids := worker.References(h.d)
	ids[h.q.KindField], ids[h.q.PayloadField] = worker.Option(h.q.KindField, k.Name), "payload"
	id := "int64(row.ID)"
	if h.d.ID == model.IDULID {
		id = "string(row.ID)"
	}
	body := statements(references) + fmt.Sprintf(`	payload, err := @json.Marshal(%s)
	if err != nil {
		t.Fatal(err)
	}
	row, err := db.%s.Create(t.Context(), %s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Store().Conn().Exec(t.Context(), "UPDATE %s SET %s = %d WHERE id = ?", []any{%s})
	if err != nil {
		t.Fatal(err)
	}
`, worker.Payload(old.GoName, old.Fields), h.d.GoAccessor, worker.Row(h.d, ids), h.d.Name, h.q.Worker.Version.Name, old.Version, id)
	h.test("Test"+h.d.GoAccessor+name, name, "runs a job of kind "+k.Name+fmt.Sprintf(" that was enqueued in version %d.", old.Version),
		body+strings.Replace(strings.Replace(h.ended(name, k.Name), "err, called := ran", "ended, called := ran", 1), "called, err)", "called, ended)", 1), of, old.Pos)
}

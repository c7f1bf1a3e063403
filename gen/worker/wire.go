package worker

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/worker/source"
)

// wire adds a statement to the function that it belongs to. A program that has removed the function
// does it in its own way.
func (a *adding) wire(w Wiring) error {
	of := ""
	if w.Method {
		of = a.name
	}
	fn := a.Func(of, w.Func)
	if fn == nil {
		return nil
	}
	if fn.Mentions(w.Has) {
		return nil
	}
	what := fmt.Sprintf("%s in %s", w.Has, w.Func)
	literal := a.t.Literal("DB", "%[2]s")
	taken := w.Not != "" && fn.Mentions(w.Not)
	line := fn.Line()
	if literal != "" && !taken {
		ok, err := fn.Insert(strings.ReplaceAll(w.Text, "{}", literal))
		if err != nil {
			return err
		}
		if ok {
			a.lack(fn.Path, what, w.For, w.Pos)
			return nil
		}
	}
	if literal == "" {
		literal = "&" + a.name + "{}"
	}
	a.lack(fn.Path, what, w.For, w.Pos)
	a.Lacks[len(a.Lacks)-1].ByHand = a.byHand(w, literal, line)
	return nil
}

// byHand says which statement a person has to add.
func (a *adding) byHand(w Wiring, literal string, line int) string {
	text := strings.TrimSpace(strings.ReplaceAll(w.Text, "{}", literal))
	text = fmt.Sprintf(text, "w", "db")
	text = source.Imports.Plain(a.Imports(), text)
	return fmt.Sprintf("write in %s, line %d: %s", w.Func, line, strings.ReplaceAll(text, "\n\t", "; "))
}

package gen_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
)

// builtins makes a project of the built-in definitions.
func builtins(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module shop\n"}
	for _, name := range datatypes.Names() {
		text, err := datatypes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		files["datatypes/"+name+".yaml"] = string(text)
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestPagesShowWhatIsWritten: what pages show of handlers is what scaffold writes, to the letter.
func TestPagesShowWhatIsWritten(t *testing.T) {
	plan, err := gen.Workers(t.Context(), gen.WorkersOptions{Dir: builtins(t), Names: []string{"job_queue"}})
	if err != nil {
		t.Fatal(err)
	}
	written := ""
	for _, c := range plan.Changes {
		written += string(c.After)
	}
	for page, want := range map[string]int{"../docs/queue.md": 2, "../README.md": 1} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for i, block := range strings.Split(string(text), "```") {
			code, isGo := strings.CutPrefix(block, "go\n")
			if i%2 == 0 || !isGo || !strings.Contains(code, "notImplemented(") && !strings.Contains(code, "func New(") {
				continue
			}
			shown++
			if !strings.Contains(written, code) {
				t.Errorf("%s shows\n%s\nand this is written:\n%s", page, code, written)
			}
		}
		if shown != want {
			t.Errorf("%s shows %d pieces of what is written, want %d", page, shown, want)
		}
	}
}

// TestEveryBuiltinSays: of each built-in, handlers are written, or it is refused with those that
// have some.
func TestEveryBuiltinSays(t *testing.T) {
	with := map[string]bool{"job_queue": true, "email_queue": true, "webhook_queue": true, "cron_job": true}
	dir := builtins(t)
	for _, name := range datatypes.Names() {
		plan, err := gen.Workers(t.Context(), gen.WorkersOptions{Dir: dir, Names: []string{name}})
		if with[name] {
			if err != nil || len(plan.Changes) != 4 {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, gen.ErrNoHandlers) || !strings.Contains(err.Error(), name+"; it does for cron_job, email_queue, job_queue, webhook_queue") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestModuleOfWorkers: the module is that of the nearest go.mod, however its line is written.
func TestModuleOfWorkers(t *testing.T) {
	for text, want := range map[string]string{
		"module shop\n": `"shop/generated"`, "// a comment\n\nmodule \"example.com/shop\" // ours\r\n\ngo 1.26\n": `"example.com/shop/generated"`,
		"go 1.26\n": "",
	} {
		dir := builtins(t)
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		plan, err := gen.Workers(t.Context(), gen.WorkersOptions{Dir: dir, Names: []string{"job_queue"}})
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "names no module") {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil || !strings.Contains(string(plan.Changes[0].After), want) {
			t.Errorf("%q: %v\n%s", text, err, plan.Changes[0].After)
		}
	}
}

// TestFolderOfWorkers: handlers do not go among definitions or generated code.
func TestFolderOfWorkers(t *testing.T) {
	dir := builtins(t)
	if err := os.WriteFile(filepath.Join(dir, "modulagen.yaml"), []byte("output: workers\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := gen.Workers(t.Context(), gen.WorkersOptions{Dir: dir, Names: []string{"job_queue"}}); err == nil ||
		!strings.Contains(err.Error(), "output and workers are both in workers") {
		t.Errorf("got %v", err)
	}
}

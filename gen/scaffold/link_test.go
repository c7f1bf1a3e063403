package scaffold

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLinksLeadNowhere: a folder that came with a clone may hold links, and
// nothing is written where they lead outside of it.
func TestLinksLeadNowhere(t *testing.T) {
	for _, name := range []string{"datatypes", "queries", ".modulagen", "main.go", "datatypes/job_queue.yaml"} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			dir, outside := filepath.Join(base, "project"), filepath.Join(base, "outside")
			at := filepath.Join(dir, filepath.FromSlash(name))
			for _, folder := range []string{outside, filepath.Dir(at)} {
				if err := os.MkdirAll(folder, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			to := outside
			if filepath.Ext(name) != "" && name != ".modulagen" {
				to = filepath.Join(outside, "new")
			}
			to, err := filepath.Rel(filepath.Dir(at), to)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(to, at); err != nil {
				t.Fatal(err)
			}
			kept, err := Write(dir, files(t, Project{Module: "shop", Version: "v1.2.3"}), true)
			if filepath.Ext(name) == "" || name == ".modulagen" {
				if err == nil {
					t.Error("wrote through a link")
				}
			} else if err != nil || len(kept) != 1 || kept[0] != name {
				t.Errorf("kept %v, %v", kept, err)
			}
			if name == "datatypes" || name == ".modulagen" {
				if path, err := Add(dir, "datatypes", "blog_post", ""); err == nil {
					t.Errorf("wrote %s through a link", path)
				}
			}
			if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
				t.Errorf("wrote outside of the project: %v, %v", entries, err)
			}
		})
	}
}

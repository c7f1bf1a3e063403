package generate

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/hegner123/modulagen/bench/generate/entschema"
	"github.com/hegner123/modulagen/bench/measure"
)

// builtins measures the seven built-in definitions.
func builtins(ctx context.Context, w *workplace, p plan, report *measure.Report) error {
	us := ours(w, "ours7", "cache_entry.yaml")
	if err := copyBuiltins(ctx, w); err != nil {
		return err
	}
	peer := entProject(w, "ent7", "cache_entry.go")
	if err := copySchemas(w); err != nil {
		return err
	}
	rounds := measure.Rounds{Ours: p.rounds, Peer: p.rounds}
	return comparePair(ctx, us, peer, rounds, rounds, report, goals{
		name: "7 built-ins", nothing: 1.2, nothingRatio: p.target(2), edited: 0.4, editedRatio: p.target(6),
		limit: p.target(1),
	})
}

// goals are what the issue asks of one project: seconds at most, and a ratio to
// the peer at least.
type goals struct {
	name                      string
	nothing, edited           float64
	nothingRatio, editedRatio *float64
	limit                     *float64 // 1, or nil in a quick run
}

// comparePair measures from nothing, then with one edited. Each figure makes
// two rows: against the peer, and against the limit that is asked for.
func comparePair(ctx context.Context, us, peer *project, nothing, edited measure.Rounds, report *measure.Report, g goals) error {
	for _, c := range []struct {
		name      string
		us, peer  measure.Sample
		rounds    measure.Rounds
		limit     float64
		wantRatio *float64
	}{
		{g.name + ", from nothing", us.nothing(ctx), peer.nothing(ctx), nothing, g.nothing, g.nothingRatio},
		{g.name + ", one edited", us.oneEdited(ctx), peer.oneEdited(ctx), edited, g.edited, g.editedRatio},
	} {
		ourMedian, peerMedian, err := measure.Alternate(c.rounds, c.us, c.peer)
		if err != nil {
			return err
		}
		report.Add(measure.Compare(suite, c.name, allDBs, "s", entName, ourMedian, peerMedian, c.wantRatio))
		if g.limit != nil {
			report.Add(measure.Compare(suite, c.name, allDBs, "s", "limit", ourMedian, c.limit, g.limit))
		}
	}
	return nil
}

// copyBuiltins makes a project of the definitions that the tool ships.
func copyBuiltins(ctx context.Context, w *workplace) error {
	parent, err := w.goTool(ctx, w.dir, "list", "-m", "-f", "{{.Dir}}", "github.com/hegner123/modulagen")
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(parent), "datatypes", "*.yaml"))
	if err != nil {
		return err
	}
	if len(files) != 7 {
		return fmt.Errorf("generate: %d built-in definitions, and the schemas of the peer are for 7", len(files))
	}
	for _, file := range files {
		if err := copyFile(file, w.path("ours7", "datatypes", filepath.Base(file))); err != nil {
			return err
		}
	}
	return writeFile(w.path("ours7", "modulagen.yaml"), []byte(configuration))
}

// configuration is a modulagen.yaml that leaves everything at its default.
const configuration = "datatypes: datatypes\n"

// copySchemas makes a project of the peer's schemas of the same entities.
func copySchemas(w *workplace) error {
	return fs.WalkDir(entschema.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == "doc.go" {
			return err
		}
		text, err := entschema.Files.ReadFile(path)
		if err != nil {
			return err
		}
		return writeFile(w.path("ent7", "schema", path), text)
	})
}

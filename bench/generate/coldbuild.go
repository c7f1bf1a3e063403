package generate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hegner123/modulagen/bench/measure"
)

// coldBuild compiles the large project's generated code of both sides, which
// the cases before have left in place.
func coldBuild(ctx context.Context, w *workplace, p plan, report *measure.Report) error {
	us, err := newBuild(ctx, w, "./"+oursName(p.large)+"/generated")
	if err != nil {
		return err
	}
	peer, err := newBuild(ctx, w, "./"+entNameOf(p.large))
	if err != nil {
		return err
	}
	ourMedian, peerMedian, err := measure.Alternate(measure.Rounds{Ours: p.rounds, Peer: p.long}, us.sample(ctx), peer.sample(ctx))
	if err != nil {
		return err
	}
	report.Note("generate: go build, cold: dependencies are in the build cache, generated code is not")
	report.Add(measure.Compare(suite, fmt.Sprintf("%d datatypes, go build, cold", p.large), "-", "s", entName,
		ourMedian, peerMedian, p.target(8)))
	return nil
}

// build compiles one package of the workplace into a build cache that starts
// with the package's dependencies only.
type build struct {
	work     *workplace
	target   string
	prepared string // a build cache that holds the dependencies
}

func newBuild(ctx context.Context, w *workplace, target string) (*build, error) {
	b := &build{work: w, target: target, prepared: w.path("_prepared", filepath.Base(filepath.Dir(target+"/x")))}
	list, err := w.goTool(ctx, w.dir, "list", "-deps", target)
	if err != nil {
		return nil, err
	}
	args := []string{"build"}
	for pkg := range strings.Lines(list) {
		pkg = strings.TrimSpace(pkg)
		if !strings.HasPrefix(pkg, "benchwork/") && pkg != "unsafe" {
			args = append(args, pkg)
		}
	}
	_, err = measure.Run(b.goBuild(ctx, b.prepared, args))
	return b, err
}

func (b *build) goBuild(ctx context.Context, cache string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = b.work.dir, environment("GOCACHE="+cache)
	return cmd
}

func (b *build) sample(ctx context.Context) measure.Sample {
	return func() (float64, error) {
		cache := b.work.path("_cold")
		if err := linkTree(b.prepared, cache); err != nil {
			return 0, err
		}
		defer os.RemoveAll(cache)
		usage, err := measure.Run(b.goBuild(ctx, cache, []string{"build", b.target}))
		return usage.Wall.Seconds(), err
	}
}

// linkTree copies a folder by hard links: the entries of a build cache are
// never changed in place, so a copy of gigabytes costs next to nothing.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, relative), 0o777)
		}
		return os.Link(path, filepath.Join(to, relative))
	})
}

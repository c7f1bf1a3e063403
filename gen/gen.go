package gen

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/behavior/cache"
	"github.com/hegner123/modulagen/gen/behavior/catalogue"
	"github.com/hegner123/modulagen/gen/behavior/cron"
	"github.com/hegner123/modulagen/gen/behavior/events"
	"github.com/hegner123/modulagen/gen/behavior/mail"
	"github.com/hegner123/modulagen/gen/behavior/publish"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/behavior/retain"
	"github.com/hegner123/modulagen/gen/behavior/timestamps"
	"github.com/hegner123/modulagen/gen/behavior/version"
	"github.com/hegner123/modulagen/gen/behavior/webhook"
	"github.com/hegner123/modulagen/gen/behavior/workflow"
	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
	"github.com/hegner123/modulagen/gen/output"
	"github.com/hegner123/modulagen/gen/program"
	"github.com/hegner123/modulagen/gen/sqlc"
	"github.com/hegner123/modulagen/gen/worker"
)

// Behaviors is every behavior, in the order in which they read their sections, rewrite
// datatypes and print. One is added here, and nowhere else outside its own folder.
var Behaviors = []Behavior{
	timestamps.Behavior{},
	queue.Behavior{},
	cache.Behavior{},
	workflow.Behavior{},
	publish.Behavior{},
	events.Behavior{},
	catalogue.Behavior{},
	webhook.Behavior{},
	mail.Behavior{},
	retain.Behavior{},
	cron.Behavior{},
	version.Behavior{},
}

// Behavior is what the stages need of one; each declares its part.
type Behavior interface {
	load.Behavior
	behavior.Behavior
	dialect.Behavior
	golang.Behavior
	worker.Behavior
}

// Options of Generate. Everything may be zero.
type Options struct {
	Dir     string // the project's folder; "" is the current one
	Version string // of the tool, for the manifest
	Cache   string // the folder of kept analyses, see sqlc.Analyser; "off" for none

	// Anew analyses what the module itself keeps an analysis of, see sqlc.Analyser.
	Anew bool
	// Say, if set, is called with a line about each step that takes minutes.
	Say func(line string)

	ReadOnly bool // plan, but write nothing
	Stubs    bool // for a run of `go generate`, see output.Dir
	Force    bool // overwrite and delete generated files that someone edited

	// Until is the last stage to run; "" is output.
	Until string

	// Progress, if set, is called with the stage that begins, and within the stage of
	// sqlc how many queries of how many are analysed.
	Progress func(stage string, done, total int)
}

// Result is what each stage made. It is filled as far as the stages came.
type Result struct {
	Project  *model.Project
	SQL      *dialect.SQL
	Analysed *sqlc.Result
	Files    map[string][]byte // by path in the output folder
	Plan     *output.Plan      // what differs on disk

	Migrations *migrate.Chain // what is recorded of earlier definitions
	Written    bool           // the plan was carried out
}

// Generate runs all stages.
func Generate(ctx context.Context, opts Options) (*Result, error) {
	if opts.Dir == "" {
		opts.Dir = "."
	}
	r := &run{Options: opts}
	stages := []stage{
		{"load", r.load},
		{"behavior", r.behavior},
		{"names", r.names},
		{"migrations", r.migrations},
		{"dialect", r.dialect},
		{"sqlc", r.sqlc},
		{"golang", r.golang},
		{"output", r.output},
	}
	return &r.result, r.through(ctx, stages)
}

// Check reads the definitions of a project's folder and returns what is wrong in
// them as a mistake.List: what Generate finds before it comes to SQL.
func Check(fsys fs.FS) error {
	p, err := load.Load(fsys, Behaviors)
	if err == nil {
		err = behavior.Apply(p, Behaviors)
	}
	if err == nil {
		err = names.Check(p)
	}
	return load.Quote(fsys, err)
}

// stage is one arrow of the pipeline.
type stage struct {
	name string
	run  func(context.Context) error
}

// run is the state between the stages.
type run struct {
	Options
	result Result
}

func (r *run) through(ctx context.Context, stages []stage) error {
	for _, s := range stages {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.progress(s.name, 0, 0)
		if err := s.run(ctx); err != nil {
			return err
		}
		if s.name == r.Until {
			return nil
		}
	}
	return nil
}

func (r *run) progress(stage string, done, total int) {
	if r.Progress != nil {
		r.Progress(stage, done, total)
	}
}

// Grammar returns what a definition may hold, the behaviors' sections included.
func Grammar() *language.Mapping {
	keys := make([]language.Key, len(Behaviors))
	for i, b := range Behaviors {
		keys[i] = b.Key()
	}
	return language.Definition(keys)
}

// Configuration returns what modulagen.yaml may hold, the behaviors' keys included.
func Configuration() *language.Mapping { return load.Configuration(Behaviors) }

func (r *run) load(context.Context) error {
	return r.reading(func(fsys fs.FS) (err error) {
		r.result.Project, err = load.Load(fsys, Behaviors)
		return err
	})
}

// reading opens the project's folder. A definition that is a link to elsewhere is
// not read.
func (r *run) reading(read func(fs.FS) error) error {
	root, err := os.OpenRoot(r.Dir)
	if err != nil {
		return fmt.Errorf("gen: there is no folder %s", r.Dir)
	}
	defer root.Close()
	return read(root.FS())
}

func (r *run) behavior(context.Context) error {
	return r.quoted(behavior.Apply(r.result.Project, Behaviors))
}

func (r *run) names(context.Context) error {
	return r.quoted(names.Check(r.result.Project))
}

// quoted adds the lines of definitions to mistakes that were found in them.
func (r *run) quoted(err error) error { return Quote(r.Dir, err) }

// Quote adds the lines of files in a project's folder to mistakes that were found in them. Another
// error is returned as it is.
func Quote(dir string, err error) error {
	if err == nil {
		return nil
	}
	r := run{Options: Options{Dir: cmp.Or(dir, ".")}}
	return r.reading(func(fsys fs.FS) error { return load.Quote(fsys, err) })
}

func (r *run) dialect(context.Context) error {
	r.result.SQL = dialect.Lower(r.result.Project, Behaviors)
	return nil
}

func (r *run) sqlc(ctx context.Context) (err error) {
	in := sqlc.Input{Project: r.result.Project, Tables: map[model.Database][]sqlc.Table{}}
	for db, script := range r.result.SQL.Databases {
		for _, t := range script.Tables {
			in.Tables[db] = append(in.Tables[db], sqlc.Table(t))
		}
	}
	analyser := sqlc.Analyser{
		Program: program.Finder{Program: program.Sqlc, Project: r.Dir, Cache: r.Cache, Say: r.Say}.Find,
		Cache:   r.Cache, Anew: r.Anew,
		Progress: func(done, total int) { r.progress("sqlc", done, total) },
	}
	r.result.Analysed, err = analyser.Run(ctx, in)
	return err
}

func (r *run) golang(context.Context) (err error) {
	files, err := golang.Print(r.result.Project, r.result.SQL, r.result.Analysed, Behaviors)
	if err != nil {
		return err
	}
	for db, script := range r.result.SQL.Databases {
		files["sql/"+string(db)+"/schema.sql"] = []byte(script.Schema())
		files["sql/"+string(db)+"/queries.sql"] = []byte(script.QueriesFile())
	}
	files["sql/sqlc.yaml"] = []byte(r.result.SQL.SqlcYAML())
	if err := r.migrationFiles(files); err != nil {
		return err
	}
	r.result.Files = files
	return nil
}

func (r *run) output(ctx context.Context) (err error) {
	dir := output.Dir{Project: r.Dir, Path: r.result.Project.Config.Output, Version: r.Version, Stubs: r.Stubs}
	if !r.ReadOnly {
		unlock, err := dir.Lock()
		if err != nil {
			return err
		}
		defer unlock()
		if err := dir.Recover(); err != nil {
			return err
		}
	}
	if r.result.Plan, err = dir.Plan(r.result.Files); err != nil || r.ReadOnly {
		return err
	}
	if err := r.result.Plan.Commit(ctx, r.Force); err != nil {
		return err
	}
	r.result.Written = true
	return nil
}

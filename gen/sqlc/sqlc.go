package sqlc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
)

// Analyser runs sqlc.
type Analyser struct {
	// Program finds or builds the program modulagen-sqlc and returns its path. It
	// is called at most once in a run, and only when a query must be analysed of
	// which no analysis is kept.
	Program func(context.Context) (string, error)
	// Cache is the folder for analyses; "" is $MODULAGEN_CACHE, else the user's
	// cache folder; "off" keeps nothing.
	Cache string
	// Anew asks about queries, too, of which the module itself keeps an analysis,
	// and fills Result.Keep.
	Anew bool
	// Processes is how many copies run at once; 0 is one for each processor.
	Processes int
	// Progress, if set, is called with how many of the queries have been analysed. It
	// may be called from several goroutines, one at a time.
	Progress func(done, total int)
}

// Table is one datatype in one database's SQL.
type Table struct {
	Datatype *model.Datatype
	DDL      string
	Queries  []model.Query
}

// Input is a project and its SQL.
type Input struct {
	Project *model.Project
	Tables  map[model.Database][]Table // of the databases that the project targets
}

// Result is the analysis of a whole project.
type Result struct {
	// Operations are the generated queries that were analysed, by database and
	// name. Queries of a kept shape are not among them.
	Operations map[model.Database]map[string]*Analysed
	// Queries are the user's own, in the order in which they were written.
	Queries []*UserQuery
	// Stats says what the analysis cost.
	Stats Stats
	// Keep is what the module can keep of this run, see [Kept]. It is filled when
	// the Analyser asks anew.
	Keep []string
}

// Stats counts queries.
type Stats struct {
	Queries int // all of them, on all databases
	Cached  int // of which an analysis was kept
}

// Run analyses every query of a project. What a user wrote wrong is a
// mistake.List.
func (a Analyser) Run(ctx context.Context, in Input) (*Result, error) {
	var mistakes mistake.List
	files := make([]*source, len(in.Project.Queries))
	for i, f := range in.Project.Queries {
		files[i] = &source{UserFile: f, mistakes: &mistakes}
	}
	datatypes := byName(in.Project)
	user := collect(files, datatypes)
	taken, rows := names.Of(in.Project), map[string]bool{}
	for _, v := range user {
		v.complete(in.Project.Databases())
		v.collisions(taken, rows)
	}
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	for _, w := range eachWritten(user) {
		w.lacks()
		w.literals(datatypes)
		w.differ()
	}
	generated, own := units(in, user)
	a.Program = once(a.Program)
	generated, proven := a.unproven(generated)
	all := append(slices.Clone(generated), own...)
	known, stats, err := a.units(ctx, all, func(ps []problem) error { return report(ps, datatypes) })
	if err != nil {
		return nil, err
	}
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	stats.Queries, stats.Cached = stats.Queries+proven, stats.Cached+proven
	out := &Result{Operations: map[model.Database]map[string]*Analysed{}, Stats: stats}
	for _, db := range in.Project.Databases() {
		out.Operations[db] = map[string]*Analysed{}
	}
	for _, u := range generated {
		for i := range known[u] {
			if err := agree(u.database, u.queries[i], &known[u][i]); err != nil {
				return nil, err
			}
			out.Operations[u.database][u.queries[i].Name] = &known[u][i]
		}
	}
	out.Queries = reconcile(datatypes, user, own, known)
	shareRows(out.Queries)
	if err := mistakes.Err(); err != nil {
		return out, err
	}
	if err := a.rehearse(ctx, in.Tables[model.SQLite], out.Queries); err != nil {
		return out, err
	}
	if err := mistakes.Err(); err != nil {
		return out, err
	}
	if a.Anew {
		out.Keep = keep(generated, own, known, in.Tables[model.SQLite], out.Queries)
	}
	return out, nil
}

// once calls a function that finds the program at most once.
func once(find func(context.Context) (string, error)) func(context.Context) (string, error) {
	var found sync.Once
	var path string
	var err error
	return func(ctx context.Context) (string, error) {
		found.Do(func() {
			if find == nil {
				err = errors.New("gen/sqlc: a query must be analysed, and there is no program to ask")
				return
			}
			path, err = find(ctx)
		})
		return path, err
	}
}

// program finds the program.
func (a Analyser) program(ctx context.Context) (program, error) {
	path, err := a.Program(ctx)
	return program{path}, err
}

// units cuts a project into what is analysed together.
func units(in Input, user []*versions) (generated, own []*unit) {
	for _, db := range in.Project.Databases() {
		schemas := newSchemas(in.Tables[db])
		for _, t := range in.Tables[db] {
			if len(t.Queries) == 0 {
				continue
			}
			texts := make([]string, len(t.Queries))
			for i, q := range t.Queries {
				texts[i] = q.Text
			}
			generated = append(generated, &unit{database: db, schema: schemas.of(texts...), queries: t.Queries})
		}
		for _, v := range user {
			r := v.of[db]
			q := model.Query{Name: v.name, Command: r.query.command, Text: r.text, Pos: r.query.file.pos(r.query.at)}
			own = append(own, &unit{database: db, schema: schemas.of(r.text), queries: []model.Query{q}, user: r})
		}
	}
	return generated, own
}

// units returns the analysis of each unit: from the cache, or else from sqlc and
// the engine, whose problems go to report.
func (a Analyser) units(ctx context.Context, all []*unit, report func([]problem) error) (map[*unit][]Analysed, Stats, error) {
	cache := a.cache()
	known, missing := recall(cache, all, a.processes())
	var stats Stats
	for _, u := range all {
		stats.Queries += len(u.queries)
		if _, ok := known[u]; ok {
			stats.Cached += len(u.queries)
		}
	}
	if len(missing) == 0 {
		return known, stats, ctx.Err()
	}
	answers, problems, err := a.ask(ctx, missing, stats.Queries-stats.Cached)
	if err != nil {
		return nil, stats, err
	}
	refused := map[*unit]bool{}
	for _, p := range problems {
		refused[p.unit] = true
	}
	for u, list := range answers {
		known[u] = list
		if !refused[u] {
			cache.put(u.key(), list)
		}
	}
	cache.prune(time.Now())
	return known, stats, report(problems)
}

func (a Analyser) processes() int {
	if a.Processes > 0 {
		return a.Processes
	}
	return runtime.GOMAXPROCS(0)
}

// recall reads what the cache knows, several entries at a time.
func recall(c cache, all []*unit, workers int) (map[*unit][]Analysed, []*unit) {
	lists := make([][]Analysed, len(all))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(all); i += workers {
				lists[i], _ = c.get(all[i].key(), len(all[i].queries))
			}
		})
	}
	wg.Wait()
	known := make(map[*unit][]Analysed, len(all))
	var missing []*unit
	for i, u := range all {
		if lists[i] != nil {
			known[u] = lists[i]
		} else {
			missing = append(missing, u)
		}
	}
	return known, missing
}

// ask has the units analysed by copies of sqlc, several at a time, and prepared
// by an engine meanwhile.
func (a Analyser) ask(ctx context.Context, missing []*unit, total int) (map[*unit][]Analysed, []problem, error) {
	p, err := a.program(ctx)
	if err != nil {
		return nil, nil, err
	}
	tmp, err := os.MkdirTemp("", "modulagen-sqlc-")
	if err != nil {
		return nil, nil, fmt.Errorf("gen/sqlc: %w", err)
	}
	defer os.RemoveAll(tmp)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	refused, err := p.prepare(ctx, missing)
	if err != nil {
		return nil, nil, err
	}
	g := gathering{out: map[*unit][]Analysed{}, problems: refused, total: total, progress: a.Progress}
	work := make(chan []*unit)
	var wg sync.WaitGroup
	for range a.processes() {
		wg.Go(func() {
			for chunk := range work {
				answer, err := p.analyse(ctx, tmp, chunk)
				if g.add(chunk, answer, err) {
					cancel()
				}
			}
		})
	}
	for _, chunk := range chunks(without(missing, refused), a.processes()) {
		work <- chunk
	}
	close(work)
	wg.Wait()
	return g.out, g.problems, g.err
}

// without leaves out the units that the engine refused: sqlc's SQLite parser
// would only say so again, and without a place.
func without(units []*unit, refused []problem) []*unit {
	return slices.DeleteFunc(slices.Clone(units), func(u *unit) bool {
		return slices.ContainsFunc(refused, func(p problem) bool { return p.unit == u })
	})
}

// gathering puts the answers together.
type gathering struct {
	mu          sync.Mutex
	out         map[*unit][]Analysed
	problems    []problem
	err         error
	done, total int
	progress    func(done, total int)
}

// add takes one answer and reports whether to give up.
func (g *gathering) add(chunk []*unit, a answer, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		if g.err == nil || errors.Is(g.err, context.Canceled) {
			g.err = err
		}
		return true
	}
	for u, list := range a.analysed {
		g.out[u] = list
	}
	g.problems = append(g.problems, a.problems...)
	for _, u := range chunk {
		g.done += len(u.queries)
	}
	if g.progress != nil {
		g.progress(g.done, g.total)
	}
	return false
}

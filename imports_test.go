// Package modulagen holds no code: it is where the rules of the whole house are
// tested. The command is in cmd/modulagen.
package modulagen_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hegner123/modulagen/"

// A ban says what a part of the house must never import, and why.
type ban struct {
	part   string   // packages whose path, within the module, is this or lies below it
	alone  bool     // this package, and not what lies below it
	except []string // but these, and what lies below them
	from   []string // prefixes of import paths
	deep   bool     // through others too, not only itself
	allow  []string // but these
	why    string
}

var bans = []ban{
	{
		part: "runtime", deep: true,
		from: []string{module + "gen", module + "generated", module + "cmd", "github.com/sqlc-dev/", "github.com/dave/jennifer"},
		why:  "a user's program links the runtime, and must not link the generator, sqlc or jennifer with it",
	},
	{
		part: "runtime", deep: true, except: []string{"runtime/cron/lua"},
		from: []string{"github.com/yuin/gopher-lua", "gopkg.in/yaml.v3"},
		why:  "a program without plugins links neither Lua nor yaml, in which the manifests of plugins are written",
	},
	{
		part: "runtime/cron/lua", from: []string{module},
		allow: []string{
			module + "internal/near", module + "runtime/cache", module + "runtime/cache/backend", module + "runtime/cron", module + "runtime/cron/project",
			module + "runtime/egress", module + "runtime/event/document", module + "runtime/queue",
			module + "runtime/store", module + "runtime/store/check", module + "runtime/store/core",
		},
		why: "plugins reach the project through what generated code offers actions, and nothing beside it",
	},
	{
		part: "generated", deep: true,
		from: []string{module + "gen", module + "cmd", "github.com/sqlc-dev/", "github.com/dave/jennifer", "github.com/yuin/gopher-lua", "gopkg.in/yaml.v3"},
		why:  "generated code needs the runtime alone",
	},
	{
		part: "gen", deep: true, from: []string{module + "generated"},
		why: "output that does not compile must not stop the tool that would repair it from building",
	},
	{
		part: "gen/fieldtype", from: []string{module},
		allow: []string{module + "runtime/store/check"},
		why:   "every stage reads the table of types, so it may depend on none",
	},
	{
		part: "gen/model", from: []string{module + "gen", module + "runtime"},
		allow: []string{module + "gen/fieldtype", module + "runtime/store/check"},
		why:   "the model is data: it decides nothing",
	},
	{
		part: "gen/load", from: []string{module + "gen/behavior", module + "gen/dialect", module + "gen/golang", module + "gen/sqlc", module + "gen/output"},
		why: "stages meet in gen.go only",
	},
	{
		part: "gen/behavior", alone: true, from: []string{module + "gen/load", module + "gen/dialect", module + "gen/golang"},
		why: "stages meet in gen.go only, and in the behaviors below this one",
	},
	{
		part: "gen/behavior", from: []string{module + "gen/sqlc", module + "gen/output"},
		why: "a behavior reads, rewrites, lowers and prints; what becomes of that is not its business",
	},
	{
		part: "gen/names", from: []string{module + "gen/load", module + "gen/behavior", module + "gen/dialect", module + "gen/golang", module + "gen/sqlc", module + "gen/output"},
		why: "behaviors and stages declare names with it",
	},
	{
		part: "gen/dialect", from: []string{module + "gen/load", module + "gen/behavior", module + "gen/golang", module + "gen/output"},
		why: "stages meet in gen.go only",
	},
	{
		// It reads the lowered SQL in the types of gen/dialect, which are data.
		part: "gen/golang", from: []string{module + "gen/load", module + "gen/behavior", module + "gen/output"},
		why: "stages meet in gen.go only",
	},
	{
		part: "gen/sqlc", from: []string{module + "gen/load", module + "gen/behavior", module + "gen/dialect", module + "gen/golang", module + "gen/output"},
		why: "stages meet in gen.go only",
	},
	{
		part: "gen", deep: true, from: []string{module + "cmd"},
		why: "the generator can be used without its command line",
	},
	{
		part: "gen", deep: true, from: []string{module + "runtime/store/sqlite", module + "runtime/store/postgres", module + "runtime/store/mysql"},
		why: "the generator shares the leaves of the runtime, rules and statements, and opens no database of a user",
	},
	{
		part: "gen", deep: true, except: []string{"gen/sqlc/child"}, from: []string{"github.com/sqlc-dev/"},
		why: "sqlc leaves through os.Exit and takes minutes to compile: it is in a program of its own, modulagen-sqlc",
	},
	{
		part: "gen", deep: true, except: []string{"gen/sqlc/engine"}, from: []string{"modernc.org/"},
		why: "SQLite's engine takes half a minute to compile, and only the program that analyses queries needs it",
	},
	{
		part: "cmd/modulagen", deep: true, from: []string{"github.com/sqlc-dev/", "modernc.org/", module + "gen/sqlc/child", module + "gen/sqlc/engine"},
		why: "the tool is built in every project, on a new machine too: what takes minutes to compile is in modulagen-sqlc",
	},
	{
		part: "cmd/modulagen", deep: true, from: []string{module + "runtime/store/sqlite", module + "runtime/store/postgres", module + "runtime/store/mysql"},
		why: "the tool opens no database: modulagen-migrate does, which has the drivers",
	},
	{
		part: "cmd/modulagen-migrate", deep: true, from: []string{module + "gen", "github.com/dave/jennifer", "gopkg.in/yaml.v3"},
		allow: []string{module + "gen/migrate/protocol"},
		why:   "it is built where a database is opened first: what it needs not takes longer to compile",
	},
	{
		part: "gen/migrate/protocol", from: []string{module},
		allow: []string{module + "runtime/store/core", module + "runtime/store/migrate", module + "runtime/store/migrate/script", module + "runtime/store/sqltext"},
		why:   "modulagen-migrate is made of it",
	},
	{
		part: "gen", except: []string{"gen/golang", "gen/behavior"}, from: []string{"github.com/dave/jennifer"},
		why: "one stage prints Go, and what it lets behaviors print",
	},
	{
		part: "runtime/store", alone: true, from: []string{module + "runtime/store/core"},
		why: "store is what programs name; core, which generated code and drivers call, stands on it",
	},
	{
		part: "runtime/store", deep: true, from: []string{module + "runtime/queue"},
		why: "the queue stands on the store",
	},
	{
		part: "runtime/store", deep: true, from: []string{module + "runtime/cache"},
		why: "the cache stands on the store",
	},
	{
		part: "runtime/queue", alone: true, from: []string{module + "runtime/queue/engine"},
		why: "queue is what programs name; the engine, which generated code calls, stands on it",
	},
	{
		part: "runtime/cache", alone: true, from: []string{module + "runtime/cache/table"},
		why: "cache is what programs name, on any backend; the table, which generated code calls, is one",
	},
	{
		part: "runtime/cache/table", from: []string{module + "runtime/cache"},
		allow: []string{module + "runtime/cache/backend", module + "runtime/cache/protocol"},
		why:   "generated code links the table, whether the program has a cache in it or not",
	},
	{
		part: "runtime/cache/backend", from: []string{module + "runtime/cache"},
		allow: []string{module + "runtime/cache/protocol"},
		why:   "caches and their backends meet in it",
	},
	{
		part: "runtime/publish", deep: true, from: []string{module + "runtime/queue", module + "runtime/cache", module + "runtime/event"},
		why: "what is published has nothing to do with jobs, entries and events: those come by effects of the store",
	},
	{
		part: "runtime/retain", deep: true, from: []string{module + "runtime/queue", module + "runtime/cache", module + "runtime/event"},
		why: "what is deleted has nothing to do with jobs, entries and events: those come by effects of the store",
	},
	{
		part: "runtime/event", alone: true, from: []string{module + "runtime/event/feed", module + "runtime/store"},
		why: "event is what programs name; the feed, which generated code calls, stands on it",
	},
	{
		part: "runtime/event/feed", from: []string{module + "runtime/store/sqltext"},
		why: "what databases do in their own way is the store's, once: core.List, Conn.Now, Conn.Committed",
	},
	{
		part: "runtime/event", deep: true, from: []string{module + "runtime/queue", module + "runtime/cache"},
		why: "either works without the others",
	},
	{
		part: "runtime/queue", deep: true, from: []string{module + "runtime/event"},
		why: "either works without the other: what the queue writes has events through the store's effects",
	},
	{
		part: "runtime/cache", deep: true, from: []string{module + "runtime/event"},
		why: "either works without the other",
	},
	{
		part: "runtime/queue", from: []string{module + "runtime/store/sqltext"},
		why: "what databases do in their own way is the store's, once: core.List, ChangeSome, Conn.Now, Conn.Yield, Statement.Has",
	},
	{
		part: "runtime/cache", from: []string{module + "runtime/store/sqltext"},
		why: "what databases do in their own way is the store's, once: core.List, ChangeSome, Conn.Now, Conn.Yield, Statement.Has",
	},
	{
		part: "runtime/queue", deep: true, from: []string{module + "runtime/cache"},
		why: "either works without the other",
	},
	{
		part: "runtime/cache", deep: true, from: []string{module + "runtime/queue"},
		why: "either works without the other",
	},
	{
		part: "runtime/cache", deep: true, except: []string{"runtime/cache/rediscache", "runtime/cache/otelcache"},
		from: []string{"github.com/redis/", "go.opentelemetry.io/"},
		why:  "a program without Redis or OpenTelemetry links neither",
	},
	{
		part: "runtime/queue", deep: true, except: []string{"runtime/queue/otelqueue"}, from: []string{"go.opentelemetry.io/"},
		why: "a program without OpenTelemetry does not link it",
	},
	{
		part: "runtime/egress", deep: true, from: []string{module, "golang.org/x/"},
		why: "what guards a program's network can be read to its end: a leaf, with the standard library below it",
	},
	{
		part: "runtime/webhook", alone: true, from: []string{module, "golang.org/x/"},
		allow: []string{module + "runtime/egress", module + "runtime/queue"},
		why:   "receivers verify with it, in programs that have nothing else of modulagen: they link what its Options name, and no more",
	},
	{
		part: "runtime/webhook", alone: true, deep: true,
		from: []string{
			module + "runtime/webhook/", module + "runtime/queue/engine", module + "runtime/event", module + "runtime/cache",
			module + "runtime/store/sqlite", module + "runtime/store/postgres", module + "runtime/store/mysql", "golang.org/x/", "github.com/jackc/", "github.com/go-sql-driver/", "modernc.org/",
		},
		why: "webhook is what programs name; delivery, which generated code calls, stands on it, and receivers link neither it nor a database",
	},
	{
		part: "runtime/webhook/delivery", deep: true, from: []string{module + "runtime/cache", module + "runtime/event/feed", module + "runtime/catalogue"},
		why: "webhooks are delivered in projects without subscriptions, caches or a catalogue",
	},
	{
		part: "runtime/queue", deep: true, from: []string{module + "runtime/webhook", module + "runtime/egress"},
		why: "webhooks stand on the queue",
	},
	{
		part: "runtime/event", deep: true, from: []string{module + "runtime/webhook"},
		why: "webhooks stand on events",
	},
	{
		part: "runtime/store/migrate", alone: true, from: []string{module},
		allow: []string{module + "runtime/store", module + "runtime/store/core", module + "runtime/store/migrate/script", module + "runtime/store/sqltext"},
		why:   "every generated program links the runner of migrations: it needs the store, and no driver, behavior or planner",
	},
	{
		part: "runtime/store/migrate/script", from: []string{module},
		why: "the generator writes what the runtime reads: the format belongs to neither",
	},
	{
		part: "runtime/catalogue", from: []string{module}, allow: []string{module + "runtime/store", module + "runtime/store/core"},
		why: "Open fills the catalogue of every project that has one: that takes the store alone",
	},
	{
		part: "runtime/store", deep: true, from: []string{module + "runtime/event", module + "runtime/webhook"},
		why: "events and webhooks stand on the store",
	},
	{
		part: "runtime/event/condition", deep: true,
		from: []string{module + "runtime/queue", module + "runtime/cache", module + "runtime/egress", module + "runtime/webhook"},
		why:  "writes evaluate conditions in their transaction: that takes a row, and nothing that waits or sends",
	},
	{
		part: "runtime/webhook/rowtemplate", deep: true,
		from: []string{module + "runtime/queue", module + "runtime/cache", module + "runtime/egress", module + "runtime/event"},
		why:  "what is sent is made of the row alone, wherever it is sent to",
	},
	{
		part: "runtime/webhook/rowtemplate", from: []string{"text/template", "html/template"},
		allow: []string{"text/template/parse"},
		why:   "text/template would call methods of rows for whoever writes a template; only its parser is used",
	},
	{
		part: "runtime/mail", alone: true, from: []string{module},
		allow: []string{module + "runtime/mail/internal/entity", module + "runtime/internal/templatecheck", module + "runtime/queue", module + "internal/near"},
		why:   "mail is what programs name; the outbox, which generated code calls, stands on it",
	},
	{
		part: "runtime/mail/internal/entity", from: []string{module},
		why: "it writes bytes, and decides nothing about messages",
	},
	{
		part: "runtime/mail", alone: true, deep: true,
		from: []string{
			module + "runtime/mail/outbox", module + "runtime/mail/mailtest", module + "runtime/queue/engine",
			module + "runtime/store/sqlite", module + "runtime/store/postgres", module + "runtime/store/mysql", "github.com/jackc/", "github.com/go-sql-driver/", "modernc.org/",
		},
		why: "mail is what programs name, also those that parse reports and take unsubscriptions alone; outbox, which generated code calls, stands on it",
	},
	{
		part: "runtime/mail", deep: true,
		from: []string{module + "runtime/cache", module + "runtime/event", module + "runtime/webhook", module + "runtime/publish", module + "runtime/catalogue"},
		why:  "mail is sent in projects that have none of these: it stands on the queue alone",
	},
	{
		part: "runtime/mail/outbox", from: []string{module + "runtime/store/sqltext"},
		why: "what databases do in their own way is the store's, once",
	},
	{
		part: "runtime/cron/schedule", deep: true, from: []string{module},
		allow: []string{module + "internal/near"},
		why:   "an expression and a time zone are all that a schedule depends on: it is used without a database",
	},
	{
		part: "runtime/queue", deep: true, from: []string{module + "runtime/mail"},
		why: "mail stands on the queue",
	},
	{
		part: "runtime/store", deep: true, from: []string{module + "runtime/mail"},
		why: "mail stands on the store",
	},
	{
		part: "runtime/cache", deep: true, from: []string{module + "runtime/mail"},
		why: "either works without the other",
	},
	{
		part: "runtime/event", deep: true, from: []string{module + "runtime/mail"},
		why: "either works without the other: what becomes of messages has events through the store's effects",
	},
	{
		part: "runtime/webhook", deep: true, from: []string{module + "runtime/mail"},
		why: "either works without the other",
	},
	{
		part: "gen", deep: true, from: []string{module + "runtime/mail"}, allow: []string{module + "runtime/mail/protocol"},
		why: "the tool is built in every project, and needs no library of mail",
	},
	{
		part: "runtime/cron", alone: true, from: []string{module},
		allow: []string{module + "runtime/cron/project", module + "runtime/egress", module + "runtime/queue", module + "runtime/store", module + "runtime/store/core", module + "internal/near", module + "runtime/internal/columntext"},
		why:   "cron is what programs name; the scheduler, which generated code calls, stands on it",
	},
	{
		part: "runtime/cron/schedule", from: []string{module}, allow: []string{module + "internal/near"},
		why: "a schedule is a text and a clock: commands and programs read one without a database",
	},
	{
		part: "runtime/cron/project", from: []string{module},
		allow: []string{module + "runtime/store", module + "runtime/store/core", module + "runtime/store/check", module + "runtime/queue/engine", module + "runtime/cache/backend"},
		why:   "it says what datatypes offer; generated code fills it in, and links what the project has",
	},
	{
		part: "runtime/cron", deep: true, except: []string{"runtime/cron/internal"},
		from: []string{module + "runtime/cache/table", module + "runtime/event/feed", module + "runtime/webhook", module + "runtime/mail", module + "runtime/publish", module + "runtime/retain", module + "runtime/catalogue"},
		why:  "jobs run in projects that have none of these: actions reach them through package project",
	},
	{
		part: "runtime/cron/scheduler", from: []string{module + "runtime/store/sqltext"},
		why: "what databases do in their own way is the store's, once",
	},
	{
		part: "runtime/cron", alone: true, deep: true,
		from: []string{module + "runtime/store/sqlite", module + "runtime/store/postgres", module + "runtime/store/mysql", "github.com/jackc/", "github.com/go-sql-driver/", "modernc.org/"},
		why:  "a program links the databases that it opens",
	},
	{
		part: "runtime/queue", deep: true, from: []string{module + "runtime/cron"},
		why: "cron stands on the queue",
	},
	{
		part: "runtime/store", deep: true, from: []string{module + "runtime/cron"},
		why: "cron stands on the store",
	},
	{
		part: "gen", deep: true, from: []string{module + "runtime/cron/scheduler", module + "runtime/cron/action"},
		why: "the tool is built in every project, and reads schedules without what fires them",
	},
	{
		part: "internal/near", from: []string{module},
		why: "generator and runtime have names that somebody misspells: a leaf of both",
	},
	{
		part: "runtime/store/check", from: []string{module},
		why: "the generator uses it too: a leaf, with nothing of the runtime below it",
	},
}

// TestImports holds the direction of imports that the map in CONTRIBUTING.md draws.
func TestImports(t *testing.T) {
	format := `{{.ImportPath}}|{{join .Imports " "}}|{{join .Deps " "}}`
	out, err := exec.Command("go", "list", "-f", format, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		parts := strings.Split(strings.TrimSpace(line), "|")
		if len(parts) != 3 {
			t.Fatalf("go list printed %q", line)
		}
		for _, path := range append(strings.Fields(parts[2]), parts[0]) {
			known[path] = true
		}
		for _, b := range bans {
			b.check(t, parts[0], strings.Fields(parts[1]), strings.Fields(parts[2]))
		}
		apart(t, parts[0], strings.Fields(parts[1]))
	}
	for _, b := range bans {
		b.names(t, known)
	}
}

// shared are packages beside the behaviors, which any of them may use.
var shared = []string{"adapter"}

// standsOn lists the behaviors that another one needs by what it is: without queue, a
// webhook is not delivered and a message not sent, and without events there is no webhook.
// Runs of cron are rows of a queue, and what its jobs do is what the others offer.
var standsOn = map[string][]string{
	"cron": {"cache", "mail", "publish", "queue", "retain", "webhook"},
	"mail": {"queue"}, "webhook": {"events", "queue"},
}

// apart reports a behavior that imports another: any of them can be left out of the list,
// but those that it stands on.
func apart(t *testing.T, pkg string, imports []string) {
	const behaviors = module + "gen/behavior/"
	of := func(path string) string {
		rest, ok := strings.CutPrefix(path, behaviors)
		if !ok {
			return ""
		}
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	for _, path := range imports {
		own, other := of(pkg), of(path)
		if own != "" && other != "" && own != other && !slices.Contains(shared, other) && !slices.Contains(standsOn[own], other) {
			t.Errorf("%s imports %s: a behavior works without the others", pkg, path)
		}
	}
}

// names reports a path that names nothing any more: what it banned may go on
// under another name.
func (b ban) names(t *testing.T, known map[string]bool) {
	paths := slices.Concat(b.from, b.allow, []string{module + b.part})
	for _, path := range b.except {
		paths = append(paths, module+path)
	}
	for _, path := range paths {
		found := false
		for k := range known {
			found = found || strings.HasPrefix(k, path)
		}
		if !found {
			t.Errorf("there is no package %s, which the ban on %s names", path, b.part)
		}
	}
}

func (b ban) check(t *testing.T, pkg string, imports, deps []string) {
	if path := strings.TrimPrefix(pkg, module); !within(path, b.part) || b.excepts(path) {
		return
	}
	if b.deep {
		imports = deps
	}
	for _, path := range imports {
		banned := slices.ContainsFunc(b.from, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
		if banned && !b.allowed(path) && !b.own(strings.TrimPrefix(path, module)) {
			t.Errorf("%s imports %s: %s", pkg, path, b.why)
		}
	}
}

func (b ban) excepts(path string) bool {
	if b.alone && path != b.part {
		return true
	}
	return slices.ContainsFunc(b.except, func(e string) bool { return within(path, e) })
}

// own reports whether a package is of the part itself. What lies below a part that
// stands alone is not.
func (b ban) own(path string) bool { return within(path, b.part) && !b.alone }

func (b ban) allowed(path string) bool { return slices.Contains(b.allow, path) }

// within reports whether a path is the part or lies below it.
func within(path, part string) bool {
	return path == part || strings.HasPrefix(path, part+"/")
}

package modulagen_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A figure is a number in a page for users that the code decides. Each # in the
// phrase stands for one; values are Go expressions over the constants of a package,
// in the order of the phrase's figures. The second argument of cmp.Or(o.Lease, ...)
// is o.Lease.
type figure struct {
	page, phrase, pkg string
	values            []string
}

var figures = []figure{
	{"access", "The lists of a statement hold # values at most together", "runtime/store/core", []string{"maxMarks"}},
	{"access", "and beyond that for each further #.", "runtime/store/core", []string{"roundStep"}},
	{"backups", "a later backup # after nobody", "runtime/cron/backup", []string{"abandonedAfter"}},
	{"cron", "`Retry-After` asks for, at most #", "runtime/cron/action", []string{"maxRetryAfter"}},
	{"cron", "newest first: #, and at most #", "runtime/cron/action", []string{"digestRows", "maxDigestRows"}},
	{"cron", "of which # are kept", "runtime/cron", []string{"MaxOutput"}},
	{"publish", "in transactions of at most # rows", "runtime/publish", []string{"Batch"}},
	{"definitions", "in transactions of at most # rows", "runtime/retain", []string{"Batch"}},
	{"definitions", "| date, datetime | years before # or after # |", "runtime/store/check", []string{"firstYear", "lastYear"}},
	{"definitions", "| decimal | more than # digits,", "runtime/store/check", []string{"MaxDigits"}},
	{"definitions", "more than # arrays and objects within one another", "runtime/store/check", []string{"MaxJSON"}},

	{"evolution", "(`MigrateWait`, # unless set)", "runtime/store/migrate", []string{"defaultWait"}},
	{"evolution", "UPDATE is run on # rows at a time", "runtime/store/migrate", []string{"batchRows"}},
	{"evolution", "existing rows runs on # of them at a time", "runtime/store/migrate", []string{"batchRows"}},
	{"evolution", "renews it every #, and that of a killed one ends within #.", "runtime/store/migrate", []string{"renewEach", "leaseTime"}},
	{"evolution", "counts as running for # after a batch", "runtime/store/migrate", []string{"leaseTime"}},

	{"cron", "| instants that misfire `all` makes up for | # |", "runtime/cron/scheduler", []string{"maxMissed"}},
	{"cron", "for at most # of them.", "runtime/cron/scheduler", []string{"maxMissed"}},
	{"cron", "the others, of which there are at most #;", "runtime/cron/scheduler", []string{"maxWaiting"}},
	{"cron", "| runs of a job that wait, with overlap `queue` | # |", "runtime/cron/scheduler", []string{"maxWaiting"}},
	{"cron", "| instants of `Next` and `Backfill` | # |", "runtime/cron/scheduler", []string{"maxNext"}},
	{"cron", "| the error of a job | # characters |", "runtime/cron/protocol", []string{"MaxError"}},
	{"cron", "| a configuration | # |", "runtime/cron", []string{"maxConfig"}},
	{"plugins", "| `Instructions` | # |", "runtime/cron/lua", []string{"o.Instructions"}},
	{"plugins", "| `Memory` | # |", "runtime/cron/lua", []string{"o.Memory"}},
	{"plugins", "| `Depth` | # |", "runtime/cron/lua", []string{"o.Depth"}},
	{"plugins", "| `Output` | # |", "runtime/cron/lua", []string{"o.Output"}},
	{"plugins", "| `Calls` | # |", "runtime/cron/lua", []string{"o.Calls"}},
	{"plugins", "| `Time` | # |", "runtime/cron/lua", []string{"o.Time"}},
	{"plugins", "a string has at most #, `pcall` is at most # deep, statements and expressions of a file #, and a file has #.", "runtime/cron/lua", []string{"maxString", "maxProtected", "maxNesting", "maxFile"}},

	{"webhooks", "up to # (`Options.MaxRetryAfter`)", "runtime/webhook", []string{"o.MaxRetryAfter"}},
	{"webhooks", "only fail for # (`Options.DisableAfter`)", "runtime/webhook", []string{"o.DisableAfter"}},
	{"webhooks", "and a worker # in all", "runtime/webhook", []string{"o.Queue.Concurrency"}},
	{"webhooks", "| a body | # |", "runtime/webhook/protocol", []string{"MaxBody"}},
	{"webhooks", "| headers of a request | # |", "runtime/webhook/delivery", []string{"maxHeaders"}},
	{"webhooks", "| deliveries of one write that are kept in memory | #, or # |", "runtime/webhook/delivery", []string{"batchRows", "batchBytes"}},

	{"email", "tries again after #, and up to # later", "runtime/mail/outbox", []string{"firstHold", "maxHold"}},
	{"email", "recorded together, up to # at once", "runtime/mail/outbox", []string{"ahead + low"}},
	{"email", "looked up holds for #)", "runtime/mail/outbox", []string{"fresh"}},
	{"email", "| recipients of a message | # |", "runtime/mail", []string{"maxRecipients"}},
	{"email", "| addresses in Reply-To | # |", "runtime/mail", []string{"maxReplyTo"}},
	{"email", "a message as it is sent # (`Options.MaxSize`)", "runtime/mail", []string{"o.MaxSize"}},
	{"email", "| # (`SMTP.Connections`) |", "runtime/mail", []string{"o.Parallel"}},
	{"email", "ahead of those | # times as many |", "runtime/mail", []string{"parallelAhead"}},
	{"email", "| # (`Queue.ClaimBytes`), and", "runtime/mail", []string{"o.Queue.ClaimBytes"}},

	{"cache", "(`Options.Lease`, #)", "runtime/cache", []string{"o.Lease"}},
	{"cache", "`Options.LoadTimeout` (#)", "runtime/cache", []string{"o.LoadTimeout"}},
	{"cache", "`Options.Timeout` (#)", "runtime/cache", []string{"o.Timeout"}},
	{"cache", "`Options.MemoryFor`, #.", "runtime/cache", []string{"o.MemoryFor"}},
	{"cache", "`Options.Memory` (# of encoded values)", "runtime/cache", []string{"o.Memory"}},
	{"cache", "where those are more than # in a batch of", "runtime/cache/table", []string{"maxForget"}},
	{"cache", "in a batch of #.", "runtime/store/core", []string{"EffectBatch"}},
	{"cache", "before it deletes the author, # at a time", "runtime/store/core", []string{"EffectBatch"}},
	{"cache", "after up to # on MySQL", "runtime/cache/table", []string{"lookEvery"}},
	{"cache", "or a commit took more than #)", "runtime/cache/table", []string{"gapKept"}},
	{"cache", "`Clear` work in batches of #:", "runtime/cache/table", []string{"dropBatch"}},
	{"cache", "Expired entries are removed in batches of #,", "runtime/cache/table", []string{"dropBatch"}},
	{"cache", "by `db.Run` once # and", "runtime/cache/table", []string{"maintainEvery"}},
	{"cache", "counted in memory and written every # and", "runtime/cache/backend", []string{"flushEvery"}},
	{"cache", "(# are allowed for a write that waited)", "runtime/cache", []string{"sealLate"}},

	{"queue", "two leases (# each unless", "runtime/queue/engine", []string{"o.Lease"}},
	{"queue", "| `Concurrency` | # |", "runtime/queue/engine", []string{"o.Concurrency"}},
	{"queue", "| `Lease` | # | how long a claim holds without a sign of life; # to # |", "runtime/queue/engine", []string{"o.Lease", "minLease", "maxLease"}},
	{"queue", "| `StopTimeout` | # |", "runtime/queue/engine", []string{"o.StopTimeout"}},
	{"queue", "| `Grace` | # |", "runtime/queue/engine", []string{"o.Grace"}},
	{"queue", "ends wait in memory (#, then claiming stops)", "runtime/queue/engine", []string{"maxWaiting"}},
	{"queue", "as run in about #, at most # in each named queue, and a claim takes up to # rows", "runtime/queue/engine", []string{"ahead", "2 * maxBatch", "maxBatch"}},
	{"queue", "Ends are written up to # at a time", "runtime/queue/engine", []string{"maxSettle"}},
	{"queue", "the last error is on the row (# characters)", "runtime/queue/engine", []string{"maxError"}},
	{"queue", "the last # failures are in `queue_errors` (# each)", "runtime/queue/engine", []string{"maxHistory", "maxPast"}},
	{"queue", "as JSON, at most #; written", "runtime/queue/internal/handle", []string{"maxResult"}},
	{"queue", "falls more than # behind", "runtime/queue/engine", []string{"eventBuffer"}},
	{"queue", "a #nd of the span, or", "runtime/queue/engine", []string{"slicesOfRate"}},
	{"queue", "A running worker does it every #, in batches of #, up to # for each state", "runtime/queue/engine", []string{"pruneEvery", "maxSettle", "pruneRounds * maxSettle"}},
	{"queue", "| handlers at once | # in", "runtime/queue/engine", []string{"maxConcurrency"}},
	{"queue", "| rows in a claim, in a settling statement | #; # |", "runtime/queue/engine", []string{"maxBatch", "maxSettle"}},
	{"queue", "does it for up to # claims of one datatype", "runtime/queue/engine", []string{"maxSettle"}},
	{"queue", "| rows claimed ahead | what runs in #, at most # |", "runtime/queue/engine", []string{"ahead", "2 * maxBatch"}},
	{"queue", "| ends that wait for the database | #, then", "runtime/queue/engine", []string{"maxWaiting"}},
	{"queue", "| lease | # to # |", "runtime/queue/engine", []string{"minLease", "maxLease"}},
	{"queue", "| backoff, snooze, retry after | # |", "runtime/queue/internal/handlererr", []string{"MaxDelay"}},
	{"queue", "| payload, result | # each", "runtime/queue/internal/handle", []string{"maxResult"}},
	{"queue", "| error; entries of the history | # characters; # of # characters |", "runtime/queue/engine", []string{"maxError", "maxHistory", "maxPast"}},
	{"queue", "| note | # characters |", "runtime/queue/internal/handle", []string{"maxNote"}},
	{"queue", "| kinds, named queues, versions | #, #, # |", "gen/behavior/queue", []string{"maxKinds", "maxQueues", "maxVersion"}},
	{"queue", "| attempts of a kind, rate | #; # in a span |", "gen/behavior/queue", []string{"maxAttempts", "maxRate"}},
	{"queue", "| event reader's buffer | # |", "runtime/queue/engine", []string{"eventBuffer"}},

	{"events", "has come at least once #,", "runtime/event/feed", []string{"advanceEvery"}},
	{"events", "sees a new subscription within # of its start", "runtime/event/feed", []string{"freshFor"}},
	{"events", "it looks for those every #.", "runtime/event/feed", []string{"lookEvery"}},
	{"events", "a name that is not 1 to # characters of ASCII", "runtime/event/protocol", []string{"MaxName"}},
	{"events", "`Options.Lease` (# unless given, at least #)", "runtime/event/feed", []string{"defaultLease", "leastLease"}},
	{"events", "returns `event.ErrUnsubscribed`, within # while", "runtime/event/feed", []string{"passEvery"}},
	{"events", "`Close` waits # for it to return", "runtime/store/core", []string{"endWait"}},
	{"events", "has the subscription for # at most", "runtime/event/feed", []string{"shareAfter"}},
	{"events", "then lets others try for #,", "runtime/event/feed", []string{"sharePause"}},
	{"events", "A row of more than # bytes as JSON", "runtime/event/protocol", []string{"MaxRow"}},
	{"events", "An event is kept for # days,", "runtime/event/feed", []string{"keptFor / (24 * time.Hour)"}},
	{"events", "which it does once #.", "runtime/event/feed", []string{"pruneEvery"}},
	{"events", "has more than # bytes as JSON, is a", "runtime/event/protocol", []string{"MaxRow"}},
	{"definitions", "Each of `emits`, # at most", "gen/behavior/events", []string{"maxEmits"}},
	{"events", "`error` (# characters at most)", "runtime/event/protocol", []string{"MaxError"}},

	{"access", "counted up to limit (0: #)", "runtime/store", []string{"DefaultCount"}},
	{"access", "// 0 is #; at most #", "runtime/store", []string{"DefaultLimit", "MaxLimit"}},
	{"access", "they are longer than #, the page comes", "runtime/store/core", []string{"maxCursor"}},

	{"databases", "| as writers | # unless `MaxConns`", "runtime/store/postgres", []string{"maxConns"}},
	{"databases", "and one that listens | #, and up to", "runtime/store/mysql", []string{"maxConns"}},
	{"databases", "| SQLite's writer, without a deadline | # |", "runtime/store/sqlite", []string{"writerWait"}},
	{"databases", "| `Close` | # for subscriptions to end; # for statements", "runtime/store/core", []string{"endWait", "closeWait"}},
	{"databases", "a connection keeps # at most (`?statements=N`", "runtime/store/mysql", []string{"keptStatements"}},
	{"databases", "and below # |", "runtime/store/core", []string{"bulkBytes"}},
	{"databases", "| Arguments of one statement | SQLite #,", "runtime/store/core", []string{"maxMarks"}},

	{"definitions", "Names are snake case, up to # characters", "gen/language", []string{"MaxName"}},
}

// Figures in the pages are those of the code.
func TestFigures(t *testing.T) {
	pages, packages := map[string]string{}, map[string]*constants{}
	for _, f := range figures {
		if pages[f.page] == "" {
			text, err := os.ReadFile(filepath.Join("docs", f.page+".md"))
			if err != nil {
				t.Fatal(err)
			}
			pages[f.page] = strings.Join(strings.Fields(string(text)), " ")
		}
		if packages[f.pkg] == nil {
			packages[f.pkg] = constantsOf(t, f.pkg)
		}
		if err := f.check(pages[f.page], packages[f.pkg]); err != nil {
			t.Errorf("docs/%s.md: %s: %v", f.page, f.phrase, err)
		}
	}
}

const number = `([0-9][0-9.,]*[0-9]|[0-9]|an?|one|two|five|ten)( ?(?:ms|s|min|minutes?|seconds?|h|years|[KM]iB)\b)?`

func (f figure) check(page string, consts *constants) error {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(f.phrase), "#", number)
	found := regexp.MustCompile("(?i)"+pattern).FindAllStringSubmatch(page, -1)
	if len(found) == 0 {
		return fmt.Errorf("no such phrase: follow the page, or drop the line")
	}
	for _, m := range found {
		for i, expr := range f.values {
			want, err := consts.value(expr)
			if err != nil {
				return err
			}
			got, err := read(m[1+2*i], strings.TrimSpace(m[2+2*i]))
			if err != nil {
				return err
			}
			if got != want {
				return fmt.Errorf("the page says %s%s, the code %s = %v", m[1+2*i], m[2+2*i], expr, want)
			}
		}
	}
	return nil
}

var words = map[string]float64{"a": 1, "an": 1, "one": 1, "two": 2, "five": 5, "ten": 10}

var units = map[string]float64{
	"": 1, "ms": 1e6, "s": 1e9, "min": 60e9, "h": float64(time.Hour), "years": 365 * 24 * float64(time.Hour), "kib": 1 << 10, "mib": 1 << 20,
	"second": 1e9, "seconds": 1e9, "minute": 60e9, "minutes": 60e9,
}

// read returns a figure as constants have it: a count, bytes, or nanoseconds.
func read(text, unit string) (float64, error) {
	n, word := words[strings.ToLower(text)]
	if !word {
		var err error
		if n, err = strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64); err != nil {
			return 0, err
		}
	}
	return n * units[strings.ToLower(unit)], nil
}

// constants are those of a package: their expressions, as they are written, and
// the defaults of options.
type constants struct {
	named map[string]ast.Expr
}

func constantsOf(t *testing.T, pkg string) *constants {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(pkg, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go in %s, %v", pkg, err)
	}
	c := &constants{map[string]ast.Expr{}}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, c.visit)
	}
	return c
}

func (c *constants) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if i < len(n.Values) {
				c.named[name.Name] = n.Values[i]
			}
		}
	case *ast.CallExpr:
		if types.ExprString(n.Fun) == "cmp.Or" && len(n.Args) == 2 {
			c.named[types.ExprString(n.Args[0])] = n.Args[1]
		}
	}
	return true
}

func (c *constants) value(text string) (float64, error) {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return 0, err
	}
	v, err := c.eval(expr)
	if err != nil {
		return 0, err
	}
	f, _ := constant.Float64Val(v)
	return f, nil
}

var spans = map[string]time.Duration{
	"time.Microsecond": time.Microsecond, "time.Millisecond": time.Millisecond, "time.Second": time.Second, "time.Minute": time.Minute, "time.Hour": time.Hour,
}

func (c *constants) eval(expr ast.Expr) (constant.Value, error) {
	text := types.ExprString(expr)
	if d, ok := spans[text]; ok {
		return constant.MakeInt64(int64(d)), nil
	}
	if named := c.named[text]; named != nil {
		return c.eval(named)
	}
	switch e := expr.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0), nil
	case *ast.ParenExpr:
		return c.eval(e.X)
	case *ast.BinaryExpr:
		x, err := c.eval(e.X)
		if err != nil {
			return nil, err
		}
		y, err := c.eval(e.Y)
		if err != nil {
			return nil, err
		}
		if e.Op == token.SHL {
			n, _ := constant.Uint64Val(y)
			return constant.Shift(x, token.SHL, uint(n)), nil
		}
		return constant.BinaryOp(x, e.Op, y), nil
	}
	return nil, fmt.Errorf("%s is no constant of the package any more", text)
}

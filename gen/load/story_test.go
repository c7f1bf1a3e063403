package load_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/cache"
	"github.com/hegner123/modulagen/gen/behavior/catalogue"
	"github.com/hegner123/modulagen/gen/behavior/cron"
	"github.com/hegner123/modulagen/gen/behavior/events"
	"github.com/hegner123/modulagen/gen/behavior/mail"
	"github.com/hegner123/modulagen/gen/behavior/publish"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/behavior/retain"
	"github.com/hegner123/modulagen/gen/behavior/webhook"
	"github.com/hegner123/modulagen/gen/behavior/workflow"
	"github.com/hegner123/modulagen/gen/internal/story"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/names"
)

var update = flag.Bool("update", false, "write what the stories give into them; read every change as its user would")

// stories reads every story of a folder of testdata.
func stories(t testing.TB, folder string) []*story.Story {
	all, err := story.Read(filepath.Join("..", "..", "testdata", folder))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func hold(t *testing.T, s *story.Story, got string) {
	if got == s.Want {
		return
	}
	if !*update {
		t.Errorf("%s\n--- got\n%s--- want\n%s", s.About, got, s.Want)
		return
	}
	if err := s.Rewrite(got); err != nil {
		t.Fatal(err)
	}
}

func TestMistakes(t *testing.T) {
	distinct := map[string]bool{}
	for _, s := range stories(t, "mistakes") {
		t.Run(s.Name, func(t *testing.T) {
			err := mistakesOf(s)
			var list mistake.List
			if !errors.As(err, &list) {
				t.Fatalf("has no mistakes: %v", err)
			}
			hold(t, s, err.Error()+"\n")
			for _, m := range list {
				distinct[m.Message] = true
				held(t, m)
			}
		})
	}
	if len(distinct) < 60 && !testing.Short() && flag.Lookup("test.run").Value.String() == "" {
		t.Errorf("only %d distinct mistakes", len(distinct))
	}
}

// mistakesOf returns the mistakes of a story, those among its names too.
func mistakesOf(s *story.Story) error {
	p, err := load.Load(s.Project, gen.Behaviors)
	if err != nil {
		return err
	}
	if err = behavior.Apply(p, gen.Behaviors); err == nil {
		err = names.Check(p)
	}
	return load.Quote(s.Project, err)
}

// held looks at what every mistake owes its reader.
func held(t *testing.T, m mistake.Mistake) {
	if m.File == "" || m.Message == "" || strings.HasSuffix(m.Message, ".") || strings.Contains(m.Message, "\n") {
		t.Errorf("not put well: %#v", m)
	}
	if m.Line > 0 && m.Column > 0 && m.Column < 160 && m.Source == "" {
		t.Errorf("no source line: %#v", m)
	}
	if m.Source != "" && m.Column > 1+len([]rune(m.Source)) {
		t.Errorf("points beyond the line: %#v", m)
	}
}

func TestDefinitions(t *testing.T) {
	for _, s := range stories(t, "definitions") {
		t.Run(s.Name, func(t *testing.T) {
			p, err := load.Load(s.Project, gen.Behaviors)
			if err != nil {
				t.Fatal(err)
			}
			hold(t, s, describe(p))
		})
	}
}

// describe writes a model out for a reader.
func describe(p *model.Project) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s in %s\n", p.Config.Package, p.Config.Output)
	if p.Config.Migrations != "migrations" {
		fmt.Fprintf(&b, "migrations in %s\n", p.Config.Migrations)
	}
	if len(p.Config.Databases) > 0 {
		fmt.Fprintf(&b, "targets %s\n", model.List(p.Databases()))
	}
	describeDropped(&b, "", p.Config.Drop)
	for _, q := range p.Queries {
		fmt.Fprintf(&b, "queries %s for %v\n", q.Path, q.Databases)
	}
	for _, d := range p.Datatypes {
		fmt.Fprintf(&b, "\n%s: type %s, db.%s, %q, id %s\n", d.Name, d.GoRow, d.GoAccessor, d.Label, d.ID)
		if d.Route != "" {
			fmt.Fprintf(&b, "  route %s\n", d.Route)
		}
		if d.Description != "" {
			fmt.Fprintf(&b, "  description %q\n", d.Description)
		}
		if d.Was != "" {
			fmt.Fprintf(&b, "  was %s (line %d)\n", d.Was, d.WasPos.Line)
		}
		describeDropped(&b, "  ", d.Drop)
		describeFields(&b, "  ", d.Fields)
		for _, x := range d.Indexes {
			describeIndex(&b, x)
		}
		if q := queue.Of(d); q != nil {
			describeQueue(&b, q)
		}
		if c := cache.Of(d); c != nil {
			describeCache(&b, c)
		}
		if w := workflow.Of(d); w != nil {
			fmt.Fprintf(&b, "  workflow %s: %v\n", w.Name, w.Moves)
		}
		if p := publish.Of(d); p != nil {
			fmt.Fprintf(&b, "  publish %s %s: %q after %q and %q\n", p.Status.Name, p.Date.Name, p.Published, p.Draft, p.Scheduled)
		}
		if r := retain.Of(d); r != nil {
			fmt.Fprintf(&b, "  retain %s for %v, sessions=%t", r.Field.Name, r.For, r.Sessions)
			for _, by := range r.Restrict {
				fmt.Fprintf(&b, ", unless %s.%s refers to it", by.Datatype.Name, by.Field.Name)
			}
			b.WriteString("\n")
		}
		describeUse(&b, d)
		describeSchedules(&b, d)
		if e := events.Of(d); e != nil {
			fmt.Fprintf(&b, "  events on %03b", e.On)
			if e.Publish {
				b.WriteString(" and when published")
			}
			b.WriteString("\n")
			for _, e := range e.Emits {
				fmt.Fprintf(&b, "  emits %s %s\n", e.Name, e.GoName)
				describeFields(&b, "    ", e.Fields)
			}
		}
	}
	return b.String()
}

// describeUse writes out which fields a runtime reads and writes.
func describeUse(b *strings.Builder, d *model.Datatype) {
	if s := catalogue.Of(d); s != nil {
		fmt.Fprintf(b, "  catalogue of %s: %s\n", s.Kind(), fieldsOf(s.Table))
	}
	if s := webhook.Of(d); s != nil {
		for _, part := range []struct {
			name string
			adapter.Table
		}{{"deliveries", s.Deliveries}, {"requests", s.Requests}, {"links", s.Links}, {"log", s.Log}, {"routes", s.Routes}} {
			fmt.Fprintf(b, "  webhook %s in %s: %s\n", part.name, part.Name, fieldsOf(part.Table))
		}
	}
	if s := cron.Of(d); s != nil {
		b.WriteString("  cron\n")
		for _, key := range slices.Sorted(maps.Keys(s.Jobs.Fields)) {
			fmt.Fprintf(b, "    %s is %s\n", key, s.Jobs.Fields[key].Name)
		}
		fmt.Fprintf(b, "    runs in %s: %s\n", s.Runs.Name, fieldsOf(s.Runs))
		if s.Calendars.Datatype != nil {
			fmt.Fprintf(b, "    calendars in %s: %s\n", s.Calendars.Name, fieldsOf(s.Calendars))
		}
	}
	if s := mail.Of(d); s != nil {
		fmt.Fprintf(b, "  mail, sent again if unknown: %v\n", s.Resend)
		for _, key := range slices.Sorted(maps.Keys(s.Messages.Fields)) {
			fmt.Fprintf(b, "    %s is %s\n", key, s.Messages.Fields[key].Name)
		}
		if q := queue.Of(d); q.DoneAt != nil {
			fmt.Fprintf(b, "    the queue writes %s\n", q.DoneAt.Name)
		}
		if s.Suppressions != nil {
			fmt.Fprintf(b, "    suppressions in %s: %s\n", s.Suppressions.Name, fieldsOf(*s.Suppressions))
		}
	}
}

func fieldsOf(t adapter.Table) string {
	return strings.Join(slices.Sorted(maps.Keys(t.Fields)), " ")
}

func describeFields(b *strings.Builder, indent string, fields []*model.Field) {
	for _, f := range fields {
		fmt.Fprintf(b, "%s%s %s: %s %q", indent, f.Name, f.GoName, f.Type, f.Label)
		for _, part := range []struct {
			is   bool
			text string
		}{
			{f.Required, "required"},
			{f.Unique, "unique"},
			{f.Secret, "secret"},
			{!f.NotNull, "nullable"},
			{f.Rules.Min.IsSet(), "min " + f.Rules.Min.String()},
			{f.Rules.Max.IsSet(), "max " + f.Rules.Max.String()},
			{f.Rules.Pattern != "", "pattern " + f.Rules.Pattern},
			{f.Type == "decimal", fmt.Sprintf("scale %d", f.Scale)},
			{f.GoType != "", "go_type " + f.GoType},
			{f.Help != "", fmt.Sprintf("help %q", f.Help)},
			{len(f.Rules.Rules) > 0, fmt.Sprintf("%d rules", len(f.Rules.Rules))},
		} {
			if part.is {
				b.WriteString(", " + part.text)
			}
		}
		if f.Default != nil {
			fmt.Fprintf(b, ", default %q now=%v", f.Default.Text, f.Default.Now)
		}
		if f.Reference != nil {
			fmt.Fprintf(b, ", to %s on delete %s", f.References.Name, f.Reference.OnDelete)
		}
		describeChanges(b, f)
		b.WriteString("\n")
		for _, o := range f.Options {
			fmt.Fprintf(b, "%s  %q %s %q of %s", indent, o.Value, o.GoName, o.Label, f.EnumGoName)
			if o.Was != "" {
				fmt.Fprintf(b, ", was %q (column %d)", o.Was, o.WasPos.Column)
			}
			b.WriteString("\n")
		}
		if f.JSONGoName != "" {
			fmt.Fprintf(b, "%s  struct %s\n", indent, f.JSONGoName)
			describeFields(b, indent+"    ", f.JSONFields)
		}
	}
}

// describeChanges writes out what becomes of what a column holds.
func describeChanges(b *strings.Builder, f *model.Field) {
	if f.Was != "" {
		fmt.Fprintf(b, ", was %s (column %d) keep=%v", f.Was, f.WasPos.Column, f.Keep)
	}
	if e := f.Existing; e != nil {
		fmt.Fprintf(b, ", existing default=%v set=%v %q step %q (column %d)", e.Default, e.Set, e.Text, e.Step, e.Pos.Column)
	}
}

func describeDropped(b *strings.Builder, indent string, dropped []model.Dropped) {
	for _, d := range dropped {
		fmt.Fprintf(b, "%sdrop %s (%d:%d)\n", indent, d.Name, d.Pos.Line, d.Pos.Column)
	}
}

func describeIndex(b *strings.Builder, x *model.Index) {
	fmt.Fprintf(b, "  index %s unique=%v go=%q:%s", x.Name, x.Unique, x.GoName, columns(x.Columns))
	for _, w := range x.Where {
		fmt.Fprintf(b, ", where %s %s %q", w.Field.Name, w.Op, w.Values)
	}
	b.WriteString("\n")
}

func columns(cols []model.IndexColumn) string {
	var b strings.Builder
	for _, c := range cols {
		b.WriteString(" " + c.Field.Name)
		if c.Desc {
			b.WriteString(" desc")
		}
	}
	return b.String()
}

func describeQueue(b *strings.Builder, q *queue.Section) {
	fmt.Fprintf(b, "  queue %s: %s -> %s -> %s or %s", q.State.Name, q.Ready, q.Running, q.Done, q.Dead)
	if q.Cancelled != "" {
		fmt.Fprintf(b, " or %s", q.Cancelled)
	}
	if q.Unknown != "" {
		fmt.Fprintf(b, " or %s", q.Unknown)
	}
	fmt.Fprintf(b, ", order%s", columns(q.Order))
	if q.Ageing > 0 {
		fmt.Fprintf(b, " ageing %v", q.Ageing)
	}
	b.WriteString("\n")
	for _, r := range []struct {
		name string
		f    *model.Field
	}{
		{"run_at", q.RunAt},
		{"attempts", q.Attempts},
		{"max_attempts", q.MaxAttempts},
		{"error", q.Error},
		{"started_at", q.StartedAt},
		{"claimed_by", q.ClaimedBy},
		{"completed_at", q.CompletedAt},
		{"kind", q.KindField},
		{"payload", q.PayloadField},
	} {
		if r.f != nil {
			fmt.Fprintf(b, "    %s is %s\n", r.name, r.f.Name)
		}
	}
	for _, name := range q.Names {
		fmt.Fprintf(b, "    queue %s, %d at once\n", name.Name, name.Concurrency)
	}
	for _, r := range q.Retention {
		fmt.Fprintf(b, "    %s kept for %v\n", r.State, r.After)
	}
	describePolicy(b, "    ", q.Policy)
	for _, k := range q.Kinds {
		fmt.Fprintf(b, "    kind %s %s", k.Name, k.GoName)
		if k.Version != 1 {
			fmt.Fprintf(b, " version %d", k.Version)
		}
		b.WriteString("\n")
		describePolicy(b, "      ", k.Policy)
		describeFields(b, "      ", k.Fields)
		for _, o := range k.Older {
			fmt.Fprintf(b, "      before it %d, %s\n", o.Version, o.GoName)
			describeFields(b, "        ", o.Fields)
		}
	}
}

func describeCache(b *strings.Builder, c *cache.Section) {
	fmt.Fprintf(b, "  cache of %s in %s, at most %d entries, %d bytes, for %v\n", c.Key.Name, c.Value.Name, c.MaxEntries, c.MaxBytes, c.MaxAge)
	for _, r := range []struct {
		name string
		f    *model.Field
	}{
		{"expires_at", c.ExpiresAt},
		{"created_at", c.CreatedAt},
		{"hit_count", c.HitCount},
		{"tags", c.Tags},
	} {
		if r.f != nil {
			fmt.Fprintf(b, "    %s is %s\n", r.name, r.f.Name)
		}
	}
	for _, source := range c.DependsOn {
		fmt.Fprintf(b, "    depends on %s\n", source.Datatype.Name)
	}
}

func describePolicy(b *strings.Builder, indent string, p queue.Policy) {
	for _, part := range []struct {
		is   bool
		text string
	}{
		{p.Queue != "", "in queue " + p.Queue},
		{p.Timeout > 0, fmt.Sprintf("timeout %v", p.Timeout)},
		{p.MaxAttempts > 0, fmt.Sprintf("%d attempts", p.MaxAttempts)},
		{p.Backoff.Form != "", fmt.Sprintf("backoff %s %v", p.Backoff.Form, p.Backoff.Delays)},
		{p.Concurrency > 0, fmt.Sprintf("%d at once over all", p.Concurrency)},
	} {
		if part.is {
			b.WriteString(indent + part.text + "\n")
		}
	}
	if p.Rate != nil {
		fmt.Fprintf(b, "%sat most %d in %v\n", indent, p.Rate.Max, p.Rate.Every)
	}
	if p.Per != nil {
		fmt.Fprintf(b, "%sper %s (line %d)\n", indent, p.Per.Name, p.Per.Pos.Line)
	}
	if u := p.Unique; u != nil {
		fmt.Fprintf(b, "%sunique for %v, then %s, wait %v, at most %v, by", indent, u.For, u.OnDuplicate, u.Wait, u.AtMost)
		for _, f := range u.By {
			fmt.Fprintf(b, " %s (line %d)", f.Name, f.Pos.Line)
		}
		b.WriteString("\n")
	}
}

func TestBuiltins(t *testing.T) {
	project := fstest.MapFS{}
	for _, name := range datatypes.Names() {
		text, err := datatypes.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		project["datatypes/"+name+".yaml"] = &fstest.MapFile{Data: text}
	}
	p, err := load.Load(project, gen.Behaviors)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range p.Datatypes {
		got = append(got, d.GoAccessor+" "+d.GoRow)
	}
	want := "CacheEntry CacheEntry, CronCalendar CronCalendar, CronJob CronJob, CronRuns CronRun, Datatypes Datatype, EmailQueue EmailQueue, EmailSuppressions EmailSuppression, FetchRequests FetchRequest, Fields Field, JobQueue JobQueue, " +
		"RouteWebhooks RouteWebhook, Routes Route, WebhookDeliveries WebhookDelivery, WebhookQueue WebhookQueue"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

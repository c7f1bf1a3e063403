package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// maxDays bounds older_than_days: a hundred years.
const maxDays = 36_500

// maxTags bounds the tags of one invalidate_cache.
const maxTags = 1000

// behavior is an action of datatypes that have a behavior.
type behavior struct {
	project *project.Project
	section string // as definitions name the behavior
	has     func(*project.Datatype) bool
}

// one returns the datatype with a name, if it has the behavior.
func (b *behavior) one(name string) (*project.Datatype, error) {
	names := b.project.Names(b.has)
	if d := b.project.Datatype(name); d != nil && b.has(d) {
		return d, nil
	} else if d != nil {
		return nil, wrong("datatype", "%s has no %s%s", name, b.section, meant("", names))
	}
	return nil, wrong("datatype", "%q is not known%s", name, meant(name, names))
}

// chosen returns the datatype with a name, or all for "".
func (b *behavior) chosen(name string) ([]*project.Datatype, error) {
	if name != "" {
		d, err := b.one(name)
		return []*project.Datatype{d}, err
	}
	var out []*project.Datatype
	for i := range b.project.Datatypes {
		if d := &b.project.Datatypes[i]; b.has(d) {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		return nil, wrong("", "names an action on datatypes with %s, and the project has none: add the section to a definition", b.section)
	}
	return out, nil
}

// each calls work for every datatype and writes to the run's output what it did; where one fails,
// the others are done all the same.
func each(ctx context.Context, r *cron.Run, list []*project.Datatype, verb, noun string, work func(*project.Datatype) (int64, error)) error {
	var failed []error
	for _, d := range list {
		n, err := work(d)
		if n > 0 || err == nil {
			r.Printf("%s %s of %s\n", verb, count(n, noun), d.Name)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", d.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// count is a number with what is counted.
func count(n int64, noun string) string {
	plural := map[string]string{"row": "rows", "entry": "entries", "message": "messages"}
	if n != 1 {
		noun = plural[noun]
	}
	return fmt.Sprintf("%d %s", n, noun)
}

type datatypeConfig struct {
	Datatype string `json:"datatype,omitempty"`
}

func publishOf(p *project.Project) cron.Action {
	b := &behavior{p, "publish:", func(d *project.Datatype) bool { return d.Publish != nil }}
	return configured(func(c datatypeConfig) error {
		_, err := b.chosen(c.Datatype)
		return err
	}, func(ctx context.Context, r *cron.Run, c datatypeConfig) error {
		list, err := b.chosen(c.Datatype)
		if err != nil {
			return err
		}
		return each(ctx, r, list, "published", "row", func(d *project.Datatype) (int64, error) { return d.Publish(ctx, p.DB.Conn()) })
	})
}

func sweepOf(p *project.Project) cron.Action {
	b := &behavior{p, "cache:", func(d *project.Datatype) bool { return d.Sweep != nil }}
	return configured(func(c datatypeConfig) error {
		_, err := b.chosen(c.Datatype)
		return err
	}, func(ctx context.Context, r *cron.Run, c datatypeConfig) error {
		list, err := b.chosen(c.Datatype)
		if err != nil {
			return err
		}
		return each(ctx, r, list, "removed", "entry", func(d *project.Datatype) (int64, error) { return d.Sweep(ctx, p.DB.Conn()) })
	})
}

type tagsConfig struct {
	Tags     []string `json:"tags"`
	Datatype string   `json:"datatype,omitempty"`
}

// Validate refuses a list without tags.
func (c *tagsConfig) Validate() error {
	if len(c.Tags) == 0 {
		return wrong("tags", "is empty; write the tags whose entries are removed")
	}
	if len(c.Tags) > maxTags {
		return wrong("tags", "has %d tags, and %d are permitted", len(c.Tags), maxTags)
	}
	for i, tag := range c.Tags {
		if tag == "" {
			return wrong(fmt.Sprintf("tags[%d]", i), "is empty")
		}
	}
	return nil
}

func invalidateOf(p *project.Project) cron.Action {
	b := &behavior{p, "cache:", func(d *project.Datatype) bool { return d.Invalidate != nil }}
	return configured(func(c tagsConfig) error {
		_, err := b.chosen(c.Datatype)
		return err
	}, func(ctx context.Context, r *cron.Run, c tagsConfig) error {
		list, err := b.chosen(c.Datatype)
		if err != nil {
			return err
		}
		return each(ctx, r, list, "removed", "entry", func(d *project.Datatype) (int64, error) {
			return d.Invalidate(ctx, p.DB.Conn(), c.Tags)
		})
	})
}

type cleanupConfig struct {
	Datatype string   `json:"datatype"`
	Days     *float64 `json:"older_than_days,omitempty"`
}

// Validate refuses a number of days that would delete what is new.
func (c *cleanupConfig) Validate() error { return checkDays(c.Days) }

type sessionsConfig struct {
	Datatype string   `json:"datatype,omitempty"`
	Days     *float64 `json:"older_than_days,omitempty"`
}

// Validate is that of cleanup.
func (c *sessionsConfig) Validate() error { return checkDays(c.Days) }

func checkDays(days *float64) error {
	if days != nil && (*days <= 0 || *days > maxDays) {
		return wrong("older_than_days", "is %v, and must be more than 0 and at most %d; leave it out for what the definition says", *days, maxDays)
	}
	return nil
}

// olderThan is 0 for what the definition says.
func olderThan(days *float64) time.Duration {
	if days == nil {
		return 0
	}
	return max(time.Microsecond, time.Duration(*days*float64(24*time.Hour)))
}

func cleanupOf(p *project.Project) cron.Action {
	b := &behavior{p, "retain:", func(d *project.Datatype) bool { return d.Cleanup != nil }}
	return configured(func(c cleanupConfig) error {
		_, err := b.one(c.Datatype)
		return err
	}, func(ctx context.Context, r *cron.Run, c cleanupConfig) error {
		d, err := b.one(c.Datatype)
		if err != nil {
			return err
		}
		return deleteOld(ctx, p.DB.Conn(), r, []*project.Datatype{d}, c.Days)
	})
}

func sessionsOf(p *project.Project) cron.Action {
	b := &behavior{p, "retain: with sessions: true", func(d *project.Datatype) bool { return d.Cleanup != nil && d.Sessions }}
	return configured(func(c sessionsConfig) error {
		_, err := b.chosen(c.Datatype)
		return err
	}, func(ctx context.Context, r *cron.Run, c sessionsConfig) error {
		list, err := b.chosen(c.Datatype)
		if err != nil {
			return err
		}
		return deleteOld(ctx, p.DB.Conn(), r, list, c.Days)
	})
}

func deleteOld(ctx context.Context, c *core.Conn, r *cron.Run, list []*project.Datatype, days *float64) error {
	return each(ctx, r, list, "deleted", "row", func(d *project.Datatype) (int64, error) {
		return d.Cleanup(ctx, c, olderThan(days))
	})
}

// configured makes an action whose configuration is checked also against the project.
func configured[C any](check func(C) error, run func(ctx context.Context, r *cron.Run, c C) error) cron.Action {
	return &checked[C]{check, run}
}

type checked[C any] struct {
	check func(C) error
	run   func(ctx context.Context, r *cron.Run, c C) error
}

// Check decodes and checks.
func (a *checked[C]) Check(config store.JSON) error {
	c, err := cron.Decode[C](config)
	if err != nil {
		return err
	}
	return a.check(c)
}

// Run decodes, checks and runs.
func (a *checked[C]) Run(ctx context.Context, r *cron.Run) error {
	c, err := cron.Decode[C](r.Config)
	if err != nil {
		return err
	}
	if err := a.check(c); err != nil {
		return err
	}
	return a.run(ctx, r, c)
}

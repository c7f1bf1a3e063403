package action

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// writes is an action that only writes to the database.
type writes[C any] struct {
	db    *core.DB
	check func(C) error
	run   func(ctx context.Context, c *core.Conn, r *cron.Run, config C) error
}

func (a *writes[C]) decode(config store.JSON) (C, error) {
	c, err := cron.Decode[C](config)
	if err != nil {
		return c, err
	}
	return c, a.check(c)
}

// Check decodes and checks.
func (a *writes[C]) Check(config store.JSON) error {
	_, err := a.decode(config)
	return err
}

// Run writes in a transaction of its own.
func (a *writes[C]) Run(ctx context.Context, r *cron.Run) error {
	return a.db.Tx(ctx, func(c *core.Conn) error { return a.RunTx(ctx, c, r) })
}

// RunTx writes in the transaction of c.
func (a *writes[C]) RunTx(ctx context.Context, c *core.Conn, r *cron.Run) error {
	config, err := a.decode(r.Config)
	if err != nil {
		return err
	}
	return a.run(ctx, c, r, config)
}

type jobConfig struct {
	Queue   string          `json:"queue,omitempty"` // "": the one that there is
	Kind    string          `json:"kind,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// jobOf is the action_type job: it adds a job to a queue.
func jobOf(p *project.Project) cron.Action {
	b := &behavior{p, "queue:", func(d *project.Datatype) bool { return len(d.Kinds) > 0 }}
	if len(p.Names(b.has)) == 0 {
		return absent{reason: "adds jobs, and the project has no queue for them: add a datatype with queue:"}
	}
	return &writes[jobConfig]{
		db: p.DB,
		check: func(c jobConfig) error {
			kind, err := b.kind(c)
			if err != nil {
				return err
			}
			return payloadError(kind.Check(store.JSON(c.Payload)))
		},
		run: func(ctx context.Context, conn *core.Conn, r *cron.Run, c jobConfig) error {
			kind, err := b.kind(c)
			if err != nil {
				return err
			}
			id, err := kind.Enqueue(ctx, conn, store.JSON(c.Payload))
			if err == nil {
				r.Printf("added job %v\n", id)
			}
			return err
		},
	}
}

// kind finds the kind of a configuration.
func (b *behavior) kind(c jobConfig) (project.Kind, error) {
	d, err := b.named("queue", c.Queue)
	if err != nil {
		return project.Kind{}, err
	}
	if kind, ok := d.Kinds[c.Kind]; ok {
		return kind, nil
	}
	kinds := slices.Sorted(maps.Keys(d.Kinds))
	switch {
	case len(kinds) == 1 && kinds[0] == "":
		return project.Kind{}, wrong("kind", "is %q, and the jobs of %s have no kinds; remove it", c.Kind, d.Name)
	case c.Kind == "":
		return project.Kind{}, wrong("kind", "is missing; the kinds of %s are%s", d.Name, listed(kinds))
	}
	return project.Kind{}, wrong("kind", "%q is not one of %s%s", c.Kind, d.Name, meant(c.Kind, kinds))
}

// named returns the datatype that the value of a key names. Where there is only one, the key may be left out.
func (b *behavior) named(key, name string) (*project.Datatype, error) {
	names := b.project.Names(b.has)
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if name == "" {
		return nil, wrong(key, "is missing; there are%s", listed(names))
	}
	if d := b.project.Datatype(name); d != nil && b.has(d) {
		return d, nil
	} else if d != nil {
		return nil, wrong(key, "is %s, which has no %s%s", name, b.section, meant("", names))
	}
	return nil, wrong(key, "%q is not known%s", name, meant(name, names))
}

// payloadError is an error of a payload, as one of the configuration.
func payloadError(err error) error {
	if err == nil || errors.Is(err, cron.ErrConfig) {
		return err
	}
	return wrong("payload", "cannot be used: %v", err)
}

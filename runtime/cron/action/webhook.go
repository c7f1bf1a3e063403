package action

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// webhookConfig is a delivery that a job makes.
type webhookConfig struct {
	Request  string          `json:"request"` // the name of its row
	Data     json.RawMessage `json:"data,omitempty"`
	Datatype string          `json:"datatype,omitempty"` // of the queue; "": the one that there is
}

// Validate refuses a request without a name.
func (c *webhookConfig) Validate() error {
	if c.Request == "" {
		return wrong("request", "is empty; write the name of a request")
	}
	return nil
}

// webhookOf is the action_type webhook. Whether a request has the name is known only when a job is
// due: it may be added, renamed and deleted after the job.
func webhookOf(p *project.Project) cron.Action {
	b := &behavior{p, "webhook:", func(d *project.Datatype) bool { return d.Deliver != nil }}
	if len(p.Names(b.has)) == 0 {
		return absent{reason: "delivers webhooks, and the project has none: add a datatype with webhook:, whose requests have a field name"}
	}
	return &writes[webhookConfig]{
		db: p.DB,
		check: func(c webhookConfig) error {
			_, err := b.named("datatype", c.Datatype)
			return err
		},
		run: func(ctx context.Context, conn *core.Conn, r *cron.Run, c webhookConfig) error {
			d, err := b.named("datatype", c.Datatype)
			if err != nil {
				return err
			}
			data := store.JSON(c.Data)
			if len(data) == 0 {
				data = store.JSON("{}")
			}
			id, err := d.Deliver(ctx, conn, c.Request, data)
			if err != nil {
				return fmt.Errorf("cron: request %q: %w", c.Request, err)
			}
			r.Printf("added delivery %d to %s\n", id, d.Name)
			return nil
		},
	}
}

package action

import (
	"context"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// mailConfig is a message that a job sends.
type mailConfig struct {
	Mailbox string     `json:"mailbox,omitempty"` // "": the one that there is
	To      addressees `json:"to"`
	From    string     `json:"from"`
	Subject string     `json:"subject"`
	HTML    string     `json:"html,omitempty"`
	Plain   string     `json:"plain,omitempty"`
}

// Validate refuses a message without a body.
func (c *mailConfig) Validate() error {
	if c.HTML == "" && c.Plain == "" {
		return wrong("plain", "is missing, and so is html; write one of them")
	}
	return nil
}

func (c *mailConfig) message() project.Message {
	return project.Message{From: c.From, To: c.To, Subject: c.Subject, HTML: c.HTML, Plain: c.Plain}
}

// checkMessage returns what would have a mailbox refuse a message.
func checkMessage(d *project.Datatype, m project.Message) error {
	if d.CheckMessage == nil {
		return nil
	}
	if err := d.CheckMessage(m); err != nil {
		return wrong("", "is not a message that can be sent: %v", err)
	}
	return nil
}

// mailboxes are the datatypes that send mail.
func mailboxes(p *project.Project) *behavior {
	return &behavior{p, "mail:", func(d *project.Datatype) bool { return d.Send != nil }}
}

const noMailbox = "sends mail, and the project has no mailbox: add a datatype with mail:"

// mailOf is the action_type mail.
func mailOf(p *project.Project) cron.Action {
	b := mailboxes(p)
	if len(p.Names(b.has)) == 0 {
		return absent{reason: noMailbox}
	}
	return &writes[mailConfig]{
		db: p.DB,
		check: func(c mailConfig) error {
			d, err := b.named("mailbox", c.Mailbox)
			if err != nil {
				return err
			}
			return checkMessage(d, c.message())
		},
		run: func(ctx context.Context, conn *core.Conn, r *cron.Run, c mailConfig) error {
			d, err := b.named("mailbox", c.Mailbox)
			if err != nil {
				return err
			}
			id, err := d.Send(ctx, conn, c.message())
			if err == nil {
				r.Printf("added message %d to %s\n", id, d.Name)
			}
			return err
		},
	}
}

package action

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Bounds of a digest.
const (
	digestRows    = 50
	maxDigestRows = 1000
	maxSince      = 366 * 24 * time.Hour
)

// digestConfig is a mail about rows.
type digestConfig struct {
	Mailbox   string          `json:"mailbox,omitempty"`
	To        addressees      `json:"to"`
	From      string          `json:"from"`
	Subject   string          `json:"subject"` // a template, without rows
	Datatype  string          `json:"datatype"`
	Where     json.RawMessage `json:"where,omitempty"` // a condition of package condition
	Since     *days           `json:"since,omitempty"`
	Field     string          `json:"since_field,omitempty"`
	Limit     *int            `json:"limit,omitempty"`
	Template  string          `json:"template,omitempty"` // of HTML
	Plain     string          `json:"plain,omitempty"`    // a template
	SkipEmpty *bool           `json:"skip_empty,omitempty"`
}

// days is a duration that people write as "24h" or "7d".
type days time.Duration

// UnmarshalJSON reads a text of package time, or a number of days.
func (d *days) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		if n, ok := strings.CutSuffix(text, "d"); ok {
			if count, err := strconv.ParseUint(n, 10, 16); err == nil {
				*d = days(time.Duration(count) * 24 * time.Hour)
				return nil
			}
		}
		if span, err := time.ParseDuration(text); err == nil {
			*d = days(span)
			return nil
		}
	}
	return errors.New(`since is a text such as "24h" or "7d"`)
}

// Validate checks what does not need the project.
func (c *digestConfig) Validate() error {
	var failed []error
	if c.Limit != nil && (*c.Limit < 1 || *c.Limit > maxDigestRows) {
		failed = append(failed, wrong("limit", "is %d, and must be from 1 to %d", *c.Limit, maxDigestRows))
	}
	if c.Since != nil && (*c.Since <= 0 || time.Duration(*c.Since) > maxSince) {
		failed = append(failed, wrong("since", "is %s, and must be more than 0 and at most %s", time.Duration(*c.Since), maxSince))
	}
	if c.Field != "" && c.Since == nil {
		failed = append(failed, wrong("since_field", `is there without since; write how far back, such as "since": "24h"`))
	}
	if len(c.To) == 0 {
		failed = append(failed, wrong("to", "is empty; write an address"))
	}
	return errors.Join(failed...)
}

// digest is a configuration that was checked against the project.
type digest struct {
	mailbox *project.Datatype
	rows    *digestType
	where   store.Cond[int64]
	since   time.Duration // 0: all
	field   int           // the column that since is about
	limit   int
	skip    bool
	text    *digestText
	config  *digestConfig
}

// digestAction is digest_email.
type digestAction struct {
	project   *project.Project
	mailboxes *behavior
	datatypes *behavior
}

func digestOf(p *project.Project) cron.Action {
	b := mailboxes(p)
	if len(p.Names(b.has)) == 0 {
		return absent{reason: noMailbox}
	}
	return &digestAction{p, b, &behavior{p, "rows", func(d *project.Datatype) bool { return d.Rows != nil }}}
}

// Check returns what is wrong with the fields, the templates and the message.
func (a *digestAction) Check(config store.JSON) error {
	_, err := a.read(config)
	return err
}

func (a *digestAction) read(config store.JSON) (*digest, error) {
	c, err := cron.Decode[digestConfig](config)
	if err != nil {
		return nil, err
	}
	d := &digest{config: &c, limit: digestRows, skip: c.SkipEmpty == nil || *c.SkipEmpty}
	if c.Limit != nil {
		d.limit = *c.Limit
	}
	var wrongMailbox, wrongDatatype error
	d.mailbox, wrongMailbox = a.mailboxes.named("mailbox", c.Mailbox)
	of, wrongDatatype := a.datatypes.one(c.Datatype)
	if err := errors.Join(wrongMailbox, wrongDatatype); err != nil {
		return nil, err
	}
	if d.rows, err = digestTypeOf(of.Rows); err != nil {
		return nil, err
	}
	if err := errors.Join(d.readWhere(c.Where), d.readSince(c)); err != nil {
		return nil, err
	}
	if d.text, err = digestTextOf(&c, d.rows); err != nil {
		return nil, err
	}
	return d, d.checkMessage()
}

func (d *digest) readWhere(where json.RawMessage) error {
	if len(where) == 0 || string(where) == "null" {
		return nil
	}
	columns := d.rows.spec.Columns
	parsed, err := condition.Parse(where, columns)
	if err == nil {
		d.where, err = parsed.Filter(columns)
	}
	if err != nil {
		return wrong("where", "cannot be used: %v", err)
	}
	return nil
}

func (d *digest) readSince(c digestConfig) error {
	if c.Since == nil {
		return nil
	}
	d.since = time.Duration(*c.Since)
	name := c.Field
	if name == "" {
		name = "created_at"
	}
	columns := d.rows.spec.Columns
	var times []string
	for i := range columns {
		if columns[i].Rules.Kind != check.Time || columns[i].Rules.Secret {
			continue
		}
		times = append(times, columns[i].Name)
		if columns[i].Name == name {
			d.field = i
		}
	}
	if d.field == 0 {
		return wrong("since_field", "%q is not a datetime of %s%s", name, d.rows.spec.Name, meant(name, times))
	}
	return nil
}

// checkMessage has the mailbox judge a digest of no rows.
func (d *digest) checkMessage() error {
	m, err := d.message(&digestData{})
	if err != nil {
		return wrong("", "has templates that fail without rows: %v", err)
	}
	return checkMessage(d.mailbox, m)
}

// Run reads the rows and adds the mail.
func (a *digestAction) Run(ctx context.Context, r *cron.Run) error {
	d, err := a.read(r.Config)
	if err != nil {
		return queue.Discard(err)
	}
	conn := a.project.DB.Conn()
	data, err := d.data(ctx, conn, r)
	if err != nil {
		return err
	}
	if data.Count == 0 && d.skip {
		r.Printf("no row of %s, and no mail\n", d.rows.spec.Name)
		return nil
	}
	m, err := d.message(data)
	if err != nil {
		return queue.Discard(err)
	}
	m.IdempotencyKey = key(a.project.DB, r)
	id, err := d.mailbox.Send(ctx, conn, m)
	if err != nil {
		return err
	}
	r.Printf("added message %d to %s, about %s of %s\n", id, d.mailbox.Name, count(int64(data.Count), "row"), d.rows.spec.Name)
	return nil
}

// data reads the rows of a run: those of the time before its instant, so that two runs that follow
// one another have no row in common and none between them.
func (d *digest) data(ctx context.Context, c *core.Conn, r *cron.Run) (*digestData, error) {
	due := r.Due
	if due.IsZero() {
		due = c.DB().Clock()
	}
	out := &digestData{Job: r.Job, Datatype: d.rows.spec.Name, Until: due.UTC()}
	where, sort := d.where, []store.Order[int64]{core.FieldOf[int64, any](0).Desc()}
	if d.since > 0 {
		out.Since = due.Add(-d.since).UTC()
		field := core.FieldOf[int64, time.Time](d.field)
		within := store.And(field.Gte(out.Since), field.Lt(due))
		if where.Filter == nil {
			where = within
		} else {
			where = store.And(where, within)
		}
		sort = slices.Insert(sort, 0, field.Desc())
	}
	t := core.Bind(c, d.rows.spec)
	var err error
	if out.Rows, err = d.rows.read(ctx, t, core.QueryOf(store.Query[int64]{Where: where, Sort: sort, Limit: d.limit})); err != nil {
		return nil, err
	}
	if out.Count = out.Rows.Len(); out.Count >= d.limit || out.Rows.cut {
		if out.Count, err = t.Count(ctx, core.AnyCond{Filter: where.Filter}, 0); err != nil {
			return nil, err
		}
	}
	return out, nil
}

package delivery

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/condition"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

// freshFor is how long this process goes by what it knows of webhooks. It bounds how late
// a change that another process makes is seen.
const freshFor = time.Second

// How long a transaction waits for others that read the webhooks, or for a connection to read
// them beside it, and how long reading them after it may take.
const (
	lockTime    = time.Second
	besideTime  = 100 * time.Millisecond
	refreshTime = 10 * time.Second
)

// registry is which webhooks there are, as far as this process knows: a write asks it, and
// costs nothing more while the answer is fresh.
type registry struct {
	spec       *Spec
	topics     map[string]*topic
	loading    chan struct{} // taken by the one that reads them for all
	known      atomic.Pointer[hooks]
	forgets    atomic.Int64 // how often forget was called
	refreshing atomic.Bool

	making sync.Mutex
	made   map[templateKey]compiled
}

// topic is a Topic, and what templates know of its rows.
type topic struct {
	Topic
	row *rowtemplate.Row
	err error // of the program
}

// hooks are the webhooks at some time.
type hooks struct {
	at       time.Time // when reading them began
	byTopic  map[string]map[event.Op][]*hook
	requests map[int64]*request
}

// hook is a link with its request, for one topic.
type hook struct {
	link      *Link
	route     int64 // of the topic; 0: the catalogue has none
	request   *request
	condition *condition.Condition // nil: always
	templates                      // of the request, on the topic's rows
	err       error                // what keeps the hook from being used
}

type registryKey struct{ spec *Spec }

func registryOf(db *core.DB, s *Spec) *registry {
	return db.Shared(registryKey{s}, func() any { return newRegistry(s) }).(*registry)
}

func newRegistry(s *Spec) *registry {
	r := &registry{spec: s, topics: map[string]*topic{}, loading: make(chan struct{}, 1), made: map[templateKey]compiled{}}
	for _, t := range s.Topics {
		row, err := rowtemplate.RowOf(t.Spec.Row(), t.Spec.Columns)
		r.topics[t.Spec.Name] = &topic{t, row, err}
	}
	return r
}

// forget has the next write ask the database.
func (r *registry) forget() {
	r.forgets.Add(1)
	r.known.Store(nil)
}

// hooks returns what is known, which is at most freshFor old. One reads it for all that ask
// meanwhile. It must not wait for a connection that one of those holds: it reads by the
// connections reserved for changes, of which SQLite has none.
func (r *registry) hooks(ctx context.Context, c *core.Conn) (*hooks, error) {
	if known := r.fresh(); known != nil {
		return known, nil
	}
	from := c.Committed(ctx)
	if from.InTransaction() {
		return r.within(ctx, from)
	}
	var late <-chan time.Time
	if c.InTransaction() {
		timer := time.NewTimer(lockTime)
		defer timer.Stop()
		late = timer.C
	} else {
		from = c.DB().Changes(ctx).Conn()
	}
	select {
	case r.loading <- struct{}{}:
		defer func() { <-r.loading }()
	case <-late: // the one that reads may wait for this transaction's connection
	case <-ctx.Done():
		return nil, core.Ended(ctx)
	}
	if known := r.fresh(); known != nil {
		return known, nil
	}
	return r.read(ctx, from)
}

// read reads the webhooks as they are committed by now, and keeps them.
func (r *registry) read(ctx context.Context, from *core.Conn) (*hooks, error) {
	forgets := r.forgets.Load()
	known, err := r.load(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	if r.forgets.Load() == forgets { // else what was read may be older than what was forgotten
		r.known.Store(known)
	}
	return known, nil
}

// within reads the webhooks for a transaction on SQLite, which holds the one connection that
// writes: those that read for all may wait for it. What is committed takes another
// connection, which there may be none of: then it reads by the transaction, which sees also
// what it has written itself, and keeps nothing of that.
func (r *registry) within(ctx context.Context, c *core.Conn) (*hooks, error) {
	beside, cancel := context.WithTimeout(ctx, besideTime)
	defer cancel()
	if known, err := r.read(beside, c.DB().Conn()); err == nil {
		return known, nil
	}
	known, err := r.load(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	r.refresh(ctx, c.DB())
	return known, nil
}

// refresh has the webhooks read again beside a transaction, for the writes that come after
// this one.
func (r *registry) refresh(ctx context.Context, db *core.DB) {
	if !r.refreshing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer r.refreshing.Store(false)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
		defer cancel()
		_, _ = r.read(ctx, db.Conn()) // the next write that fails to read them says so
	}()
}

func (r *registry) fresh() *hooks {
	if known := r.known.Load(); known != nil && time.Since(known.at) <= freshFor {
		return known
	}
	return nil
}

// load reads the webhooks.
func (r *registry) load(ctx context.Context, c *core.Conn) (*hooks, error) {
	h := &hooks{at: time.Now(), byTopic: map[string]map[event.Op][]*hook{}, requests: map[int64]*request{}}
	routes, err := r.routes(ctx, c)
	if err != nil {
		return nil, err
	}
	for row, err := range r.spec.Requests(ctx, c) {
		if err != nil {
			return nil, err
		}
		h.requests[row.ID] = checkRequest(row)
	}
	var links []*Link
	for link, err := range r.spec.Links(ctx, c) {
		if err != nil {
			return nil, err
		}
		links = append(links, link)
	}
	r.link(h, links, routes)
	return h, nil
}

// link makes the hooks of links.
func (r *registry) link(h *hooks, links []*Link, routes map[int64]string) {
	ids := map[string]int64{}
	for id, slug := range routes {
		ids[slug] = id
	}
	r.making.Lock()
	defer r.making.Unlock()
	before := r.made
	r.made = map[templateKey]compiled{}
	for _, link := range links {
		if req := h.requests[link.Request]; req != nil {
			for _, t := range r.linked(link, routes) {
				k := r.hook(link, req, t, before)
				k.route = ids[t.Route]
				h.add(t, k)
			}
		}
	}
}

func (h *hooks) add(t *topic, k *hook) {
	byOp := h.byTopic[t.Spec.Name]
	if byOp == nil {
		byOp = map[event.Op][]*hook{}
		h.byTopic[t.Spec.Name] = byOp
	}
	byOp[event.Op(k.link.Event)] = append(byOp[event.Op(k.link.Event)], k)
}

// hook makes a hook, and compiles the templates of its request for the rows that it is about.
func (r *registry) hook(link *Link, req *request, t *topic, before map[templateKey]compiled) *hook {
	k := &hook{link: link, request: req, err: req.err()}
	if k.err == nil {
		k.condition, k.err = t.condition(link)
	}
	if k.err == nil {
		k.templates, k.err = req.compile(func(text templateText) (*rowtemplate.Template, error) {
			return r.compile(text, t, before)
		})
	}
	return k
}

// condition reads the condition of a link on the topic's rows; nil where there is none.
func (t *topic) condition(link *Link) (*condition.Condition, error) {
	if len(link.Condition) == 0 || string(link.Condition) == "null" {
		return nil, nil
	}
	return condition.Parse(link.Condition, t.Spec.Columns)
}

// routes returns the slugs of routes by their ids.
func (r *registry) routes(ctx context.Context, c *core.Conn) (map[int64]string, error) {
	routes := map[int64]string{}
	for row, err := range r.spec.Routes(ctx, c) {
		if err != nil {
			return nil, err
		}
		routes[row.ID] = row.Slug
	}
	return routes, nil
}

// linked returns the topics that a link is about.
func (r *registry) linked(link *Link, routes map[int64]string) []*topic {
	var out []*topic
	for _, t := range r.spec.Topics {
		if link.Route == 0 || t.Route != "" && t.Route == routes[link.Route] {
			out = append(out, r.topics[t.Spec.Name])
		}
	}
	return out
}

// templateKey is a template on the rows of a topic.
type templateKey struct {
	kind  rowtemplate.Kind
	text  string
	topic string
}

type compiled struct {
	template *rowtemplate.Template
	err      error
}

// compile compiles a template, unless it did so the last time.
func (r *registry) compile(text templateText, t *topic, before map[templateKey]compiled) (*rowtemplate.Template, error) {
	key := templateKey{text.kind, text.text, t.Spec.Name}
	made, ok := r.made[key]
	if !ok {
		if made, ok = before[key]; !ok {
			made.template, made.err = t.compile(text)
		}
		r.made[key] = made
	}
	return made.template, made.err
}

func (t *topic) compile(text templateText) (*rowtemplate.Template, error) {
	if t.err != nil {
		return nil, t.err
	}
	return rowtemplate.Compile(text.kind, text.text, t.row, rowtemplate.Options{})
}

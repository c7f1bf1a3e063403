package lua

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// host is what all runs share.
type host struct {
	opts    Options
	project *project.Project // nil: a trial
	client  *egress.Client   // nil: a trial that makes no requests
	caches  map[string]*cache.Cache[json.RawMessage]
}

func newHost(opts Options, p *project.Project, client *egress.Client) *host {
	h := &host{opts: opts, project: p, client: client, caches: map[string]*cache.Cache[json.RawMessage]{}}
	if p == nil {
		return h
	}
	for i := range p.Datatypes {
		if d := &p.Datatypes[i]; d.Cache != nil {
			h.caches[d.Name] = cache.New[json.RawMessage](cacheSource{d.Cache(p.DB.Conn())}, cache.Options{Memory: -1})
		}
	}
	return h
}

type cacheSource struct{ of backend.Backend }

func (s cacheSource) CacheBackend() backend.Backend { return s.of }

var requestKeys = []string{"method", "url", "headers", "body"}

// httpRequest is http.request{method, url, headers, body}, which returns {status, headers, body}.
func (m *machine) httpRequest(L *vm.LState) int {
	const name = "http.request"
	if !m.plugin.manifest.http {
		L.RaiseError("%s: %s does not permit it; it needs http: true", name, m.plugin.manifestName())
	}
	m.called()
	if m.host.client == nil {
		L.RaiseError("%s: this trial makes no requests; plugin run --http does", name)
	}
	r, err := m.request(L.CheckTable(1))
	m.failed(L, name, err)
	res, err := m.host.client.Do(m.ctx, r)
	m.failed(L, name, err)
	m.text(2 * len(res.Body))
	out := m.table(0, 4)
	out.RawSetString("status", vm.LNumber(res.Status))
	out.RawSetString("body", vm.LString(res.Body))
	out.RawSetString("truncated", vm.LBool(res.Truncated))
	headers := m.table(0, len(res.Header))
	for key, values := range res.Header {
		text := strings.Join(values, ", ")
		m.text(len(key) + len(text))
		headers.RawSetString(strings.ToLower(key), vm.LString(text))
	}
	out.RawSetString("headers", headers)
	L.Push(out)
	return 1
}

func (m *machine) request(t *vm.LTable) (r egress.Request, err error) {
	r.Header = http.Header{}
	t.ForEach(func(k, v vm.LValue) {
		name, _ := k.(vm.LString)
		text, isText := v.(vm.LString)
		headers, isTable := v.(*vm.LTable)
		var e error
		switch {
		case name == "headers" && isTable:
			e = addHeaders(r.Header, headers)
		case name == "method" && isText:
			r.Method = strings.ToUpper(string(text))
		case name == "url" && isText:
			r.URL = string(text)
		case name == "body" && isText:
			m.charge(len(text))
			r.Body = []byte(text)
		case name == "body" && isTable:
			r.Body, e = m.encode(v)
			if r.Header.Get("Content-Type") == "" {
				r.Header.Set("Content-Type", "application/json")
			}
		case slices.Contains(requestKeys, string(name)):
			e = fmt.Errorf("%s cannot be a %s", name, v.Type())
		default:
			e = fmt.Errorf("%q is not known%s", printable(string(name)), meant(string(name), requestKeys))
		}
		err = errors.Join(err, e)
	})
	if r.URL == "" && err == nil {
		err = errors.New("url is missing")
	}
	return r, err
}

func addHeaders(to http.Header, t *vm.LTable) (err error) {
	t.ForEach(func(k, v vm.LValue) {
		name, _ := k.(vm.LString)
		text, ok := joinable(v)
		if !ok {
			err = errors.Join(err, fmt.Errorf("the header %s is a %s, and must be a string", printable(string(name)), v.Type()))
			return
		}
		if e := egress.CheckHeader(string(name), text); e != nil {
			err = errors.Join(err, e)
			return
		}
		to.Set(string(name), text)
	})
	return err
}

// enqueue is enqueue("job_queue", "send_report", {...}), which returns the id of the job.
func (m *machine) enqueue(L *vm.LState) int {
	const name = "enqueue"
	queue, kind := L.CheckString(1), L.OptString(2, "")
	full := strings.TrimSuffix(queue+"/"+kind, "/")
	if !slices.Contains(m.plugin.manifest.enqueue, full) {
		L.RaiseError("%s: %s permits no jobs %q%s", name, m.plugin.manifestName(), printable(full), meant(full, m.plugin.manifest.enqueue))
	}
	m.called()
	payload := store.JSON("{}")
	if v := L.Get(3); v != vm.LNil {
		text, err := m.encode(v)
		m.failed(L, name, err)
		payload = text
	}
	if m.host.project == nil {
		fmt.Fprintf(m.out, "would enqueue %s %s\n", full, payload)
		L.Push(vm.LNil)
		return 1
	}
	id, err := m.enqueued(queue, kind, payload)
	m.failed(L, name, err)
	L.Push(id)
	return 1
}

func (m *machine) enqueued(queue, kind string, payload store.JSON) (vm.LValue, error) {
	d := m.host.project.Datatype(queue)
	if d == nil {
		return nil, fmt.Errorf("the project has no datatype %q", printable(queue))
	}
	k, ok := d.Kinds[kind]
	if !ok {
		return nil, fmt.Errorf("%s has no kind %q%s", queue, printable(kind), meant(kind, slices.Collect(maps.Keys(d.Kinds))))
	}
	if err := k.Check(payload); err != nil {
		return nil, err
	}
	id, err := k.Enqueue(m.ctx, m.host.project.DB.Conn(), payload)
	if err != nil {
		return nil, err
	}
	plain, err := core.Plain(id)
	switch id := plain.(type) {
	case int64:
		return m.wholeNumber(id), err
	case string:
		return vm.LString(id), err
	}
	return vm.LNil, err
}

// cacheTable is cache: get, set and delete.
func (m *machine) cacheTable() *vm.LTable {
	t := m.L.CreateTable(0, 3)
	for name, fn := range map[string]func(L *vm.LState, c *cache.Cache[json.RawMessage], key string) (int, error){
		"get": m.cacheGet, "set": m.cacheSet, "delete": m.cacheDelete,
	} {
		call := "cache." + name
		t.RawSetString(name, m.L.NewFunction(func(L *vm.LState) int {
			c, err := m.cacheOf(L.CheckString(1))
			m.failed(L, call, err)
			m.called()
			n, err := 0, errNoDatabase
			if c != nil {
				n, err = fn(L, c, L.CheckString(2))
			}
			m.failed(L, call, err)
			return n
		}))
	}
	return t
}

// cacheOf is a cache that the plugin may use; nil in a trial.
func (m *machine) cacheOf(name string) (*cache.Cache[json.RawMessage], error) {
	if !slices.Contains(m.plugin.manifest.cache, name) {
		return nil, fmt.Errorf("%s permits no cache %q%s", m.plugin.manifestName(), printable(name), meant(name, m.plugin.manifest.cache))
	}
	if m.host.project == nil {
		return nil, nil
	}
	c, ok := m.host.caches[name]
	if !ok {
		return nil, fmt.Errorf("%s is no cache of the project%s", printable(name), meant(name, slices.Collect(maps.Keys(m.host.caches))))
	}
	return c, nil
}

// cacheGet returns the value under a key; nil for none.
func (m *machine) cacheGet(L *vm.LState, c *cache.Cache[json.RawMessage], key string) (int, error) {
	text, ok := c.Get(m.ctx, key)
	if !ok {
		L.Push(vm.LNil)
		return 1, nil
	}
	m.text(len(text))
	v, err := m.decode(string(text))
	L.Push(v)
	return 1, err
}

// cacheSet keeps a value for some seconds; without them, for ever.
func (m *machine) cacheSet(L *vm.LState, c *cache.Cache[json.RawMessage], key string) (int, error) {
	text, err := m.encode(L.Get(3))
	if err != nil {
		return 0, err
	}
	ttl := time.Duration(0)
	if seconds := float64(L.OptNumber(4, 0)); seconds != 0 {
		if !(seconds > 0 && seconds < 1e9) {
			return 0, fmt.Errorf("it is kept for %s seconds; more than 0, and less than 1e9", numberText(vm.LNumber(seconds)))
		}
		ttl = time.Duration(math.Ceil(seconds * float64(time.Second)))
	}
	return 0, c.Set(m.ctx, key, json.RawMessage(text), ttl)
}

func (m *machine) cacheDelete(_ *vm.LState, c *cache.Cache[json.RawMessage], key string) (int, error) {
	return 0, c.Delete(m.ctx, key)
}

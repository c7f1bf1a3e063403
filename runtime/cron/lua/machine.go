package lua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/store"
)

// machine is the VM of one run. Nothing of it outlives the run.
type machine struct {
	usage

	L      *vm.LState
	idle   []*vm.LState // stacks of pcalls that have ended
	plugin *plugin
	host   *host
	run    *cron.Run
	out    io.Writer
	began  time.Time

	env     *vm.LTable
	hidden  []vm.LValue
	nextFn  *vm.LFunction // which loops over pairs call, and ipairs
	inextFn *vm.LFunction
	null    *vm.LUserData
	array   *vm.LTable // the metatable of lists
	loaded  map[string]vm.LValue
}

// maxRegistry is how many values all calls of a run have room for.
const maxRegistry = 64 << 10

// newMachine makes the VM of a run. Its context ends with the run.
func newMachine(ctx context.Context, p *plugin, h *host, run *cron.Run, out io.Writer) *machine {
	m := &machine{
		plugin: p, host: h, run: run, out: out, began: time.Now(), loaded: map[string]vm.LValue{},
		usage: usage{ctx: ctx, limits: h.opts},
	}
	m.L = vm.NewState(vm.Options{
		SkipOpenLibs: true, CallStackSize: h.opts.Depth,
		RegistrySize: 256, RegistryMaxSize: maxRegistry, RegistryGrowStep: 1024,
	})
	m.states = []*vm.LState{m.L}
	m.L.SetContext(m)
	m.open()
	return m
}

// open makes the globals.
func (m *machine) open() {
	m.hidden = m.hiddenFunctions()
	m.nextFn, m.inextFn = m.L.NewFunction(next), m.L.NewFunction(inext)
	m.null = m.L.NewUserData()
	m.array = m.L.CreateTable(0, 1)
	m.array.RawSetString(protectedField, vm.LString("list"))
	m.env = m.L.CreateTable(0, 40)
	m.L.SetFuncs(m.env, m.base())
	for name, functions := range map[string]map[string]vm.LGFunction{
		"string": m.stringFunctions(), "table": m.tableFunctions(), "math": m.mathFunctions(), "os": m.osFunctions(), "json": m.jsonFunctions(),
		"http": {"request": m.httpRequest},
	} {
		t := m.L.CreateTable(0, len(functions)+2)
		m.L.SetFuncs(t, functions)
		m.env.RawSetString(name, t)
	}
	m.constants()
	m.env.RawSetString("_G", m.env)
	m.env.RawSetString("_VERSION", vm.LString("Lua 5.1"))
	for _, name := range []string{"log", "print"} {
		m.env.RawSetString(name, m.L.NewFunction(m.log))
	}
	m.env.RawSetString("enqueue", m.L.NewFunction(m.enqueue))
	m.env.RawSetString("db", m.named(m.datatypeFunctions))
	m.env.RawSetString("cache", m.cacheTable())
	m.env.RawSetString("run", m.runTable())
	m.L.Env, m.L.G.Global = m.env, m.env
}

// constants adds what is no function, and the methods of strings.
func (m *machine) constants() {
	lib := func(name string) *vm.LTable { return m.env.RawGetString(name).(*vm.LTable) }
	lib("math").RawSetString("pi", vm.LNumber(3.141592653589793))
	lib("math").RawSetString("huge", vm.LNumber(infinity))
	lib("json").RawSetString("null", m.null)
	methods := m.L.CreateTable(0, 2)
	methods.RawSetString("__index", lib("string"))
	methods.RawSetString(protectedField, vm.LFalse)
	m.L.SetMetatable(vm.LString(""), methods)
}

// named makes a table whose fields are made when they are first asked for. What made returns nil
// for is nil.
func (m *machine) named(made func(L *vm.LState, name string) vm.LValue) *vm.LTable {
	t, meta := m.L.CreateTable(0, 4), m.L.CreateTable(0, 2)
	meta.RawSetString("__index", m.L.NewFunction(func(L *vm.LState) int {
		name, _ := L.Get(2).(vm.LString)
		v := made(L, string(name))
		m.rawset(L, t, name, v)
		L.Push(v)
		return 1
	}))
	meta.RawSetString(protectedField, vm.LFalse)
	t.Metatable = meta
	return t
}

// runTable is what the plugin knows of its run.
func (m *machine) runTable() *vm.LTable {
	t := m.L.CreateTable(0, 6)
	t.RawSetString("due", vm.LString(m.run.Due.UTC().Format(time.RFC3339Nano)))
	t.RawSetString("job", vm.LString(m.run.Job))
	t.RawSetString("attempt", vm.LNumber(m.run.Attempt))
	t.RawSetString("trigger", vm.LString(m.run.Trigger))
	t.RawSetString("id", m.wholeNumber(m.run.ID))
	return t
}

// now is the time, by the database's clock where there is one.
func (m *machine) now() time.Time {
	if m.host.project != nil && m.host.project.DB != nil {
		return m.host.project.DB.Clock().UTC()
	}
	return time.Now().UTC()
}

// log adds a line to the output of the run.
func (m *machine) log(L *vm.LState) int {
	parts := make([]string, L.GetTop())
	size := 1
	for i := range parts {
		parts[i] = m.show(L, L.Get(i+1))
		size += len(parts[i]) + 1
	}
	m.output += int64(size)
	if m.output > m.limits.Output {
		m.stop("more than %s of output", inBytes(m.limits.Output))
		m.check()
	}
	m.text(size)
	line := strings.Join(parts, " ")
	fmt.Fprintln(m.out, line)
	if m.limits.Logger != nil {
		m.limits.Logger.LogAttrs(m.ctx, slog.LevelInfo, line, slog.String("job", m.run.Job), slog.String("plugin", m.plugin.name))
	}
	return 0
}

// require runs another file of the plugin, once, and returns what it returns: require "lib.text"
// is lib/text.lua.
func (m *machine) require(L *vm.LState) int {
	name := L.CheckString(1)
	if v, ok := m.loaded[name]; ok {
		L.Push(v)
		return 1
	}
	file, ok := m.plugin.files[strings.ReplaceAll(name, ".", "/")+".lua"]
	if !ok || file.name == mainFile {
		L.RaiseError("require: the plugin has no file %s.lua", strings.ReplaceAll(printable(name), ".", "/"))
	}
	if file.err != nil {
		L.RaiseError("require: %s", file.err.Error())
	}
	m.loaded[name] = vm.LTrue // for files that require each other
	m.charge(file.size * 64)
	m.body(L, file)
	L.Call(0, 1)
	if v := L.Get(-1); v != vm.LNil {
		m.loaded[name] = v
	}
	L.Push(m.loaded[name])
	return 1
}

// body pushes the function that a file is.
func (m *machine) body(L *vm.LState, file *script) {
	L.Push(L.NewFunctionFromProto(file.proto))
	for _, fn := range m.hidden {
		L.Push(fn)
	}
	L.Call(len(m.hidden), 1)
}

// call runs main.lua and then a function of it, and returns its results.
func (m *machine) call(function string, args store.JSON) ([]vm.LValue, error) {
	var results []vm.LValue
	main := m.L.NewFunction(func(L *vm.LState) int {
		m.charge(m.plugin.main.size * 64)
		given := m.decodeArgs(L, args)
		m.env.RawSetString("args", given)
		m.body(L, m.plugin.main)
		L.Call(0, 0)
		fn := m.env.RawGetString(function)
		if fn.Type() != vm.LTFunction {
			L.RaiseError("%s defines no function %s", m.plugin.main.shown, function)
		}
		base := L.GetTop()
		L.Push(fn)
		L.Push(given)
		L.Call(1, vm.MultRet)
		for i := base + 1; i <= L.GetTop(); i++ {
			results = append(results, L.Get(i))
		}
		return 0
	})
	m.L.Push(main)
	err := m.L.PCall(0, 0, nil)
	m.overflowed(err)
	switch {
	case m.stopped != nil:
		return nil, m.stopped
	case err != nil:
		return nil, m.raised(err)
	}
	return results, nil
}

// maxError is how many bytes of an error's text are kept.
const maxError = 4096

// raised is the error of a plugin.
func (m *machine) raised(err error) error {
	if m.ctx.Err() != nil {
		m.ended()
		return m.stopped
	}
	switch v := errorValue(err).(type) {
	case vm.LString:
		return errors.New(cut(string(v), maxError))
	case vm.LNumber:
		return errors.New(numberText(v))
	default:
		return fmt.Errorf("%s raised an error that is a %s, not a text", m.plugin.main.shown, v.Type())
	}
}

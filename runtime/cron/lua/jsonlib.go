package lua

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/runtime/store"
)

// maxJSON is how many lists and objects may be within one another.
const maxJSON = 64

// exact is up to where whole numbers are a number of Lua, a float64, without loss.
const exact = 1 << 53

var infinity = math.Inf(1)

func (m *machine) jsonFunctions() map[string]vm.LGFunction {
	return map[string]vm.LGFunction{
		"encode": func(L *vm.LState) int {
			L.CheckAny(1)
			text, err := m.encode(L.Get(1))
			if err != nil {
				L.RaiseError("json.encode: %s", err.Error())
			}
			return m.push(L, string(text))
		},
		"decode": func(L *vm.LState) int {
			v, err := m.decode(L.CheckString(1))
			if err != nil {
				L.RaiseError("json.decode: %s", err.Error())
			}
			L.Push(v)
			return 1
		},
		"list": func(L *vm.LState) int {
			t := L.CheckTable(1)
			if t.Metatable != vm.LNil && t.Metatable != m.array {
				L.RaiseError("json.list: the table has a metatable")
			}
			t.Metatable = m.array
			L.SetTop(1)
			return 1
		},
	}
}

// encoder writes a value as JSON.
type encoder struct {
	m   *machine
	out []byte
}

// encode returns a value as JSON. A table with elements is a list, another one an object.
func (m *machine) encode(v vm.LValue) ([]byte, error) {
	e := &encoder{m: m}
	if err := e.value(v, 0); err != nil {
		return nil, err
	}
	return e.out, nil
}

// add appends text, and accounts for it.
func (e *encoder) add(text string) {
	if len(e.out)+len(text) > maxString {
		e.m.text(len(e.out) + len(text))
	}
	e.m.charge(2 * len(text))
	e.m.work(1)
	e.out = append(e.out, text...)
}

func (e *encoder) value(v vm.LValue, depth int) error {
	switch v := v.(type) {
	case *vm.LNilType:
		e.add("null")
	case vm.LBool:
		e.add(strconv.FormatBool(bool(v)))
	case vm.LNumber:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return errors.New("JSON has no " + numberText(v))
		}
		e.add(jsonNumber(v))
	case vm.LString:
		return e.text(string(v))
	case *vm.LUserData:
		e.add("null")
	case *vm.LTable:
		if depth >= maxJSON {
			return errors.New("more than " + strconv.Itoa(maxJSON) + " tables within one another, or a table within itself")
		}
		return e.table(v, depth)
	default:
		return errors.New("a " + v.Type().String() + " cannot be written as JSON")
	}
	return nil
}

// jsonNumber is a number without loss.
func jsonNumber(v vm.LNumber) string {
	f := float64(v)
	if f == math.Trunc(f) && math.Abs(f) < exact {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func (e *encoder) text(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("a string is not UTF-8")
	}
	e.m.charge(2 * len(s))
	text, err := json.Marshal(s)
	e.add(string(text))
	return err
}

func (e *encoder) table(t *vm.LTable, depth int) error {
	n := t.Len()
	last := vm.LValue(vm.LNil)
	if n > 0 {
		last = vm.LNumber(n)
	}
	if key, _ := t.Next(last); key == vm.LNil && (n > 0 || t.Metatable == vm.LValue(e.m.array)) {
		e.add("[")
		for i := 1; i <= n; i++ {
			if i > 1 {
				e.add(",")
			}
			if err := e.value(t.RawGetInt(i), depth+1); err != nil {
				return err
			}
		}
		e.add("]")
		return nil
	}
	return e.object(t, depth)
}

func (e *encoder) object(t *vm.LTable, depth int) error {
	var keys []string
	var err error
	fields := map[string]vm.LValue{}
	t.ForEach(func(k, v vm.LValue) {
		name, ok := joinable(k)
		if !ok {
			err = errors.New("a key is a " + k.Type().String())
			return
		}
		e.m.charge(64 + len(name))
		keys = append(keys, name)
		fields[name] = v
	})
	if err != nil {
		return err
	}
	slices.Sort(keys)
	e.add("{")
	for i, name := range keys {
		if i > 0 {
			e.add(",")
		}
		if err := e.text(name); err != nil {
			return err
		}
		e.add(":")
		if err := e.value(fields[name], depth+1); err != nil {
			return err
		}
	}
	e.add("}")
	return nil
}

// decode reads JSON. Objects and lists are tables, lists so marked that an empty one is written
// as a list again. null is json.null.
func (m *machine) decode(text string) (vm.LValue, error) {
	m.work(len(text) >> 5)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	m.charge(1024)
	v, err := m.decodeNext(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text behind the end of the JSON")
	}
	return v, nil
}

func (m *machine) decodeNext(d *json.Decoder, depth int) (vm.LValue, error) {
	m.work(4)
	m.charge(64)
	token, err := d.Token()
	if err != nil {
		return nil, unexpected(err)
	}
	switch token := token.(type) {
	case json.Delim:
		if depth >= maxJSON {
			return nil, errors.New("more than " + strconv.Itoa(maxJSON) + " lists and objects within one another")
		}
		if token == '[' {
			return m.decodeList(d, depth)
		}
		return m.decodeObject(d, depth)
	case string:
		m.text(len(token))
		return vm.LString(token), nil
	case bool:
		return vm.LBool(token), nil
	case json.Number:
		return m.decodeNumber(token), nil
	}
	return m.null, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}

// decodeNumber is a number, or a text of a whole number that float64 would round.
func (m *machine) decodeNumber(n json.Number) vm.LValue {
	if i, err := n.Int64(); err == nil {
		return m.wholeNumber(i)
	}
	if strings.Trim(n.String(), "-0123456789") == "" {
		return vm.LString(n)
	}
	f, err := n.Float64()
	if err != nil {
		return vm.LString(n)
	}
	return vm.LNumber(f)
}

func (m *machine) wholeNumber(i int64) vm.LValue {
	if i > exact || i < -exact {
		return vm.LString(strconv.FormatInt(i, 10))
	}
	return vm.LNumber(i)
}

func (m *machine) decodeList(d *json.Decoder, depth int) (vm.LValue, error) {
	t := m.table(0, 0)
	t.Metatable = m.array
	for i := 1; d.More(); i++ {
		v, err := m.decodeNext(d, depth+1)
		if err != nil {
			return nil, err
		}
		m.rawset(m.L, t, vm.LNumber(i), v)
	}
	_, err := d.Token()
	return t, unexpectedOrNil(err)
}

func (m *machine) decodeObject(d *json.Decoder, depth int) (vm.LValue, error) {
	t := m.table(0, 4)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, unexpected(err)
		}
		name, ok := key.(string)
		if !ok {
			return nil, errors.New("a key is not a text")
		}
		m.text(len(name))
		v, err := m.decodeNext(d, depth+1)
		if err != nil {
			return nil, err
		}
		m.charge(sizeField)
		t.RawSetString(name, v)
	}
	_, err := d.Token()
	return t, unexpectedOrNil(err)
}

func unexpectedOrNil(err error) error {
	if err == nil {
		return nil
	}
	return unexpected(err)
}

// decodeArgs is args: the configuration's, or an empty table.
func (m *machine) decodeArgs(L *vm.LState, args store.JSON) vm.LValue {
	if len(args) == 0 {
		return m.table(0, 0)
	}
	v, err := m.decode(string(args))
	if err != nil {
		L.RaiseError("args: %s", err.Error())
	}
	return v
}

package lua

import (
	"strings"
	"time"

	vm "github.com/yuin/gopher-lua"
)

// osFunctions are what is harmless in the table os. Times are UTC.
func (m *machine) osFunctions() map[string]vm.LGFunction {
	return map[string]vm.LGFunction{"time": m.osTime, "date": m.osDate, "clock": m.osClock}
}

// osTime returns seconds since 1970, of now or of a table with year, month, day, hour, min, sec.
func (m *machine) osTime(L *vm.LState) int {
	t, ok := L.Get(1).(*vm.LTable)
	if !ok {
		L.Push(vm.LNumber(m.now().Unix()))
		return 1
	}
	field := func(name string, missing int) int {
		n, ok := t.RawGetString(name).(vm.LNumber)
		switch {
		case ok && n >= -1e6 && n <= 1e6:
			return int(n)
		case !ok && missing >= 0:
			return missing
		}
		L.RaiseError("field '%s' is missing in date table, or out of range", name)
		return 0
	}
	at := time.Date(field("year", -1), time.Month(field("month", -1)), field("day", -1), field("hour", 12), field("min", 0), field("sec", 0), 0, time.UTC)
	L.Push(vm.LNumber(at.Unix()))
	return 1
}

// dateForms are the directives of os.date, as layouts of package time.
var dateForms = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06",
	'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM", 'S': "05", 'T': "15:04:05",
	'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func (m *machine) osDate(L *vm.LState) int {
	format := strings.TrimPrefix(L.OptString(1, "%c"), "!")
	at := m.now()
	if L.GetTop() > 1 {
		n := L.CheckNumber(2)
		if !(n >= -1e11 && n <= 1e11) {
			L.ArgError(2, "time out of range")
		}
		at = time.Unix(int64(n), 0).UTC()
	}
	if strings.HasPrefix(format, "*t") {
		L.Push(m.dateTable(at))
		return 1
	}
	m.text(len(format) * 8)
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			out.WriteByte('%')
			continue
		}
		layout := ""
		if i < len(format) {
			layout = dateForms[format[i]]
		}
		if layout == "" {
			L.ArgError(1, "invalid conversion specifier in the format of a date")
		}
		out.WriteString(at.Format(layout))
	}
	return m.push(L, out.String())
}

func (m *machine) dateTable(at time.Time) *vm.LTable {
	t := m.table(0, 9)
	for name, n := range map[string]int{
		"year": at.Year(), "month": int(at.Month()), "day": at.Day(), "hour": at.Hour(), "min": at.Minute(), "sec": at.Second(),
		"wday": int(at.Weekday()) + 1, "yday": at.YearDay(),
	} {
		t.RawSetString(name, vm.LNumber(n))
	}
	t.RawSetString("isdst", vm.LFalse)
	return t
}

// osClock returns the seconds since the run began.
func (m *machine) osClock(L *vm.LState) int {
	L.Push(vm.LNumber(time.Since(m.began).Seconds()))
	return 1
}

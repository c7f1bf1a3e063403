package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// The present moment has one spelling in a user's query, CURRENT_TIMESTAMP, and
// its day another, CURRENT_DATE. SQL's own words mean something else on each
// database: text of another form on SQLite, whole seconds on MySQL, the begin of
// the transaction on PostgreSQL. So both are lowered to what the store takes for
// its clock: the process's on SQLite, as an argument, and the server's elsewhere,
// in UTC, once for the whole statement.
const (
	nowWord   = "current_timestamp"
	todayWord = "current_date"
)

// clockName is the name of the argument that is the process's clock. No
// parameter of a user's can have it.
const clockName = "@clock"

// now writes the moment, or its day, for one database. mark is a placeholder
// for the process's clock, which SQLite's text takes.
func now(db model.Database, word, mark string) string {
	day := word == todayWord
	switch {
	case db == model.SQLite && day:
		return "date(" + mark + ")"
	case db == model.SQLite: // a bare placeholder is no column of a result to sqlc
		return "CAST(" + mark + " AS TEXT)"
	case db == model.Postgres && day:
		return "CAST(statement_timestamp() AS date)"
	case db == model.Postgres:
		return "statement_timestamp()"
	case day:
		return "CURRENT_DATE()"
	}
	return "CURRENT_TIMESTAMP(6)"
}

// isNow reports whether the first of some tokens is one of the two words, not part
// of a longer name.
func isNow(ts []token) (string, bool) {
	w := strings.ToLower(ts[0].text)
	return w, ts[0].kind == word && (w == nowWord || w == todayWord)
}

// clocks are the other ways of asking a database for the time, and the files in
// which they are right: those for one database whose stored form they have.
var clocks = map[string]struct {
	bare bool // without brackets too
	in   model.Database
}{
	"now":                   {in: model.Postgres},
	"statement_timestamp":   {in: model.Postgres},
	"transaction_timestamp": {in: model.Postgres},
	"clock_timestamp":       {in: model.Postgres},
	"timeofday":             {},
	"localtimestamp":        {bare: true},
	"localtime":             {bare: true},
	"current_time":          {bare: true},
	"sysdate":               {},
	"getdate":               {},
	"curdate":               {},
	"curtime":               {},
	"utc_timestamp":         {bare: true},
	"utc_date":              {bare: true},
	"utc_time":              {bare: true},
	"unix_timestamp":        {},
}

// moments are SQLite's functions of a time, which is now where it is 'now' or
// missing. Those whose result is no time can stand in a file for SQLite.
var moments = map[string]bool{"datetime": false, "time": false, "strftime": false, "timediff": false, "date": true, "julianday": true, "unixepoch": true}

// storedTime is the format by which strftime writes a datetime as it is stored.
const storedTime = "'%Y-%m-%dT%H:%M:%f000Z'"

// clocks reports every way of asking for the time that is not right on all the
// databases of the file.
func (q *written) clocks() {
	s := scope{code: q.code()}
	for i := range s.code {
		if s.code[i].kind != word || s.is(i-1, ".") || s.is(i+1, ".") || s.word(i-1) == "as" {
			continue
		}
		w := s.word(i)
		if (w == nowWord || w == todayWord) && s.is(i+1, "(") && !s.sixDigits(q, i) {
			q.file.mistake(s.code[i+1].at, "write "+strings.ToUpper(w), "%s takes no brackets: it is exact to the microsecond on all databases", s.code[i].text)
		}
		if c, ok := clocks[w]; ok && (s.is(i+1, "(") || c.bare && !s.named(i)) && !s.sixDigits(q, i) && !slices.Equal(q.file.Databases, []model.Database{c.in}) {
			q.clock(s.code[i].at, s.code[i].text, w)
		}
		if number, ok := moments[w]; ok && s.is(i+1, "(") && s.asksNow(i+1) {
			lite := slices.Equal(q.file.Databases, []model.Database{model.SQLite})
			if lite && (number || s.is(i+2, storedTime)) {
				continue
			}
			q.clock(s.code[i].at, s.code[i].text, w)
		}
	}
}

// named reports whether a word is the name of a column: of one that is inserted or
// set, or that a comparison is about.
func (s scope) named(i int) bool {
	return s.is(i-1, "(") && (s.is(i+1, ",") || s.is(i+1, ")")) && s.word(i-2) != "" && s.word(i-3) == "into"
}

// sixDigits tells MySQL's functions that are exact to the microsecond, in a file
// for MySQL.
func (s scope) sixDigits(q *written, i int) bool {
	switch s.word(i) {
	case "now", "utc_timestamp", nowWord, "localtimestamp", "localtime", "sysdate":
	case "utc_date", "curdate", "unix_timestamp":
		return slices.Equal(q.file.Databases, []model.Database{model.MySQL})
	default:
		return false
	}
	return slices.Equal(q.file.Databases, []model.Database{model.MySQL}) && s.is(i+1, "(") && s.is(i+2, "6") && s.is(i+3, ")")
}

// asksNow reports whether the call whose bracket opens at i is about now.
func (s scope) asksNow(i int) bool {
	end := s.closing(i)
	if end == i+1 || end < 0 {
		return true
	}
	arguments := s.split(span{i + 1, end})
	format := s.word(i-1) == "strftime"
	if format && len(arguments) == 1 {
		return true
	}
	for _, a := range arguments {
		if a.to == a.from+1 && strings.EqualFold(s.code[a.from].text, "'now'") {
			return true
		}
	}
	return false
}

func (q *written) clock(at int, text, word string) {
	hint := "write CURRENT_TIMESTAMP for this moment, which is right on every database; CURRENT_DATE for its day in UTC"
	switch word {
	case "current_time", "curtime", "utc_time", "localtime", "time", "timediff":
		hint = "no field holds a time of day: pass a parameter; for this moment write CURRENT_TIMESTAMP"
	case "curdate", "utc_date", "date":
		hint = "write CURRENT_DATE for this day in UTC, which is right on every database; CURRENT_TIMESTAMP for this moment"
	case "unix_timestamp", "unixepoch", "julianday":
		hint = "compare a datetime with CURRENT_TIMESTAMP, and pass a number as a parameter"
	}
	where := "every database"
	if len(q.file.Databases) == 1 {
		where = fmt.Sprintf("%s, where datetimes are UTC to the microsecond", q.file.Databases[0])
	}
	q.file.mistake(at, hint, "%s is not the time as it is stored on %s", text, where)
}

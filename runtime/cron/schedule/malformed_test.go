package schedule_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

var update = flag.Bool("update", false, "write what is refused and how")

// malformed has what the parsers and crontabs of the field are given: an expression in quotes, and
// below it where and how it is refused.
const malformed = "testdata/malformed.txt"

func TestMalformed(t *testing.T) {
	file, err := os.Open(malformed)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out strings.Builder
	count, line, expr := 0, 0, ""
	for scan := bufio.NewScanner(file); scan.Scan(); {
		text := scan.Text()
		line++
		switch {
		case strings.HasPrefix(text, "\t"):
			if got := refusal(expr); got != strings.TrimPrefix(text, "\t") && !*update {
				t.Errorf("%s:%d: %q\n got %s\nwant %s", malformed, line, expr, got, text[1:])
			}
			continue
		case strings.HasPrefix(text, `"`):
			if expr, err = strconv.Unquote(text); err != nil {
				t.Fatalf("%s:%d: %v", malformed, line, err)
			}
			count++
			fmt.Fprintf(&out, "%s\n\t%s\n", text, refusal(expr))
			continue
		}
		fmt.Fprintln(&out, text)
	}
	if count < 150 {
		t.Errorf("%d expressions", count)
	}
	if *update {
		if err := os.WriteFile(malformed, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if data, err := os.ReadFile(malformed); err != nil || string(data) != out.String() {
		t.Errorf("%s: an expression without its refusal (%v)", malformed, err)
	}
}

// refusal is where and how an expression is refused.
func refusal(expr string) string {
	s, err := schedule.Parse(expr, schedule.Options{})
	if err == nil {
		return fmt.Sprintf("ACCEPTED as %s", s)
	}
	e, ok := errors.AsType[*schedule.ParseError](err)
	if !ok || !errors.Is(err, schedule.ErrInvalid) || e.Expr != expr || e.Offset < 0 || e.Offset > len(expr) {
		return fmt.Sprintf("NOT A PARSE ERROR: %#v", err)
	}
	text := fmt.Sprintf("%d: %s", e.Offset, e.Problem)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Messages count characters, are bounded, and print nothing that a terminal obeys.
func TestMalformedMessage(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"0 0 * * tusday", `schedule: "0 0 * * tusday", character 9: "tusday" is not a day of the week; is tue meant?`},
		{"é 0 * * x", `schedule: "é 0 * * x", character 1: "é" is not permitted in the minute; 0-59 are permitted, with , - / and *`},
		{"0 é * * x", `schedule: "0 é * * x", character 3: "é" is not permitted in the hour; 0-23 are permitted, with , - / and *`},
		{"0 1é * * x", `schedule: "0 1é * * x", character 4: "é" is not permitted in the hour; 0-23 are permitted, with , - / and *`},
		{"0,é,é,é 25 * * *", `schedule: "0,é,é,é 25 * * *", character 3: "é" is not permitted in the minute; 0-59 are permitted, with , - / and *`},
	} {
		if _, err := schedule.Parse(c.expr, schedule.Options{}); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	_, err := schedule.Parse("0 0 * * \x1b[31m"+strings.Repeat("x", 900), schedule.Options{})
	if msg := err.Error(); len(msg) > 400 || strings.ContainsAny(msg, "\x1b\n") {
		t.Errorf("%d bytes: %q", len(msg), msg)
	}
}

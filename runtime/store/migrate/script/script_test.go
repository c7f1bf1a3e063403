package script_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

const headline = `-- migration 0002_headline, after 0001_init
-- programs of the version before: refused: article.title is renamed
-- waits until no program runs from before 0001_init

-- step 1, safe: article.title: rename the column to headline
-- note: needs a moment
--   in which no one reads
-- done when: column article headline
-- done when: no column article title
-- or: ALGORITHM=INPLACE, LOCK=NONE
-- or: ALGORITHM=COPY
ALTER TABLE article RENAME COLUMN title TO headline, ALGORITHM=INSTANT;

-- step 2, blocks: article: an index
-- alone: outside a transaction
-- repeatable: it may run twice
CREATE INDEX article_headline_idx ON article (headline)
  -- it's a comment;
  WHERE headline <> 'a;
b';

-- step 3, data: article.slug: fill rows that have none
-- rebuilds: article
-- leaves out: a, b
-- refuse: SELECT id FROM article
--   WHERE slug IS NULL
-- because: article.slug is required
UPDATE article SET slug = ''
-- the end
;
-- run: fill_slug

-- step 4, safe: article: keep two columns the same
-- batches: article
-- ends with: END;
CREATE TRIGGER keep AFTER INSERT ON article BEGIN
  UPDATE article SET headline = title WHERE id = NEW.id; SELECT 1;
END;
`

func headlineScript() *script.Script {
	return &script.Script{
		Name: "0002_headline", Parent: "0001_init", Refused: "article.title is renamed", After: "0001_init",
		Steps: []script.Step{
			{
				Class: script.Safe, What: "article.title: rename the column to headline", Note: "needs a moment\nin which no one reads", Line: 5,
				Statements: []script.Statement{{
					SQL: "ALTER TABLE article RENAME COLUMN title TO headline, ALGORITHM=INSTANT", Line: 12,
					Done: []script.Probe{{Kind: "column", Table: "article", Name: "headline"}, {Missing: true, Kind: "column", Table: "article", Name: "title"}},
					Or:   []string{"ALGORITHM=INPLACE, LOCK=NONE", "ALGORITHM=COPY"},
				}},
			},
			{
				Class: script.Blocks, What: "article: an index", Alone: true, Line: 14,
				Statements: []script.Statement{{
					SQL:        "CREATE INDEX article_headline_idx ON article (headline)\n  -- it's a comment;\n  WHERE headline <> 'a;\nb'",
					Repeatable: true, Line: 17,
				}},
			},
			{
				Class: script.Data, What: "article.slug: fill rows that have none", Rebuilt: "article", LeavesOut: []string{"a", "b"}, Run: "fill_slug", Line: 22,
				Refuse:     []script.Refusal{{Query: "SELECT id FROM article\nWHERE slug IS NULL", Because: "article.slug is required"}},
				Statements: []script.Statement{{SQL: "UPDATE article SET slug = ''\n-- the end", Line: 28}},
			},
			{
				Class: script.Safe, What: "article: keep two columns the same", Batches: "article", Line: 33,
				Statements: []script.Statement{{
					SQL:  "CREATE TRIGGER keep AFTER INSERT ON article BEGIN\n  UPDATE article SET headline = title WHERE id = NEW.id; SELECT 1;\nEND",
					Line: 36,
				}},
			},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	got, err := script.Parse("0002_headline/postgres.sql", headline)
	if err != nil {
		t.Fatal(err)
	}
	if want := headlineScript(); !reflect.DeepEqual(got, want) {
		t.Errorf("Parse returned\n%+v\nwant\n%+v", got, want)
	}
	if text := got.String(); text != headline {
		t.Errorf("String returned\n%s\nwant\n%s", text, headline)
	}
	windows, err := script.Parse("x", "\ufeff"+strings.ReplaceAll(headline, "\n", "\r\n"))
	if err != nil || !reflect.DeepEqual(windows, got) {
		t.Errorf("with a byte order mark and CRLF: %v, %+v", err, windows)
	}
	first := &script.Script{Name: "0001_init"}
	if got, err := script.Parse("x", first.String()); err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("the first migration: %v, %+v", err, got)
	}
}

// TestValuesAreNoSyntax holds that values come back whatever is in them, from a checkout with other line ends too.
func TestValuesAreNoSyntax(t *testing.T) {
	const value = "it''s \"q\" \\ -- ; $$\r\n--   x;\r;\n\n-- step 1, safe: x\nEND;\n\u240d"
	want := &script.Script{Name: "0001_init", Steps: []script.Step{{
		Class: script.Data, What: "a: \"b\"", Refuse: []script.Refusal{{Query: "SELECT id FROM a WHERE b = '" + value + "'", Because: "c"}},
		Statements: []script.Statement{
			{SQL: "UPDATE a SET b = '" + value + "' WHERE b IS NULL"},
			{SQL: "CREATE TRIGGER c AFTER INSERT ON a BEGIN\n  UPDATE a SET b = '" + value + "';\nEND"},
		},
	}}}
	for _, text := range []string{want.String(), strings.ReplaceAll(want.String(), "\n", "\r\n")} {
		got, err := script.Parse("f", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		got.Steps[0].Line, got.Steps[0].Statements[0].Line, got.Steps[0].Statements[1].Line = 0, 0, 0
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Parse returned\n%+v\nwant\n%+v", got, want)
		}
	}
	stripped := regexp.MustCompile(`(?m)[ ]+$`).ReplaceAllString(want.String(), "") // as editors do
	if got, err := script.Parse("f", stripped); err != nil || got.Steps[0].Refuse[0].Query != want.Steps[0].Refuse[0].Query {
		t.Errorf("without spaces at the ends of lines: %v, %+v", err, got)
	}
}

func TestChecksum(t *testing.T) {
	if script.Checksum("\ufeffa\r\nb\n") != script.Checksum("a\nb\n") || script.Checksum("a") == script.Checksum("b") {
		t.Error("the checksum is not that of the text")
	}
}

func TestParsePassesOverOtherComments(t *testing.T) {
	const note = "-- written by hand\n--\n-- as agreed\n\n-- step 2"
	got, err := script.Parse("f", strings.ReplaceAll(headline, "-- step 2", note))
	if err != nil {
		t.Fatal(err)
	}
	if text := got.String(); text != headline {
		t.Errorf("other comments changed the script:\n%s", text)
	}
}

func TestMistakes(t *testing.T) {
	const head = "-- migration b, after a\n-- programs of the version before: allowed\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "f:1: the file lacks \"-- migration NAME, after PARENT\"\n" +
			"f:1: the file lacks \"-- programs of the version before: allowed\" or \"-- programs of the version before: refused: REASON\""},
		{"header", "-- migration b\n" + head, "f:1: write \"-- migration NAME, after PARENT\", or \"-- migration NAME, the first\"\nf:2: a file holds one migration, and this is its second header"},
		{"programs", head + "-- programs of the version before: refused:", "f:3: \"-- programs of the version before\" stands twice"},
		{"programs word", "-- migration b, the first\n-- programs of the version before: no", "f:2: write \"-- programs of the version before: allowed\" or \"-- programs of the version before: refused: REASON\""},
		{"step number", head + "-- step 2, safe: x\nSELECT 1;", "f:3: the step has the number 2, and is number 1 of the file"},
		{"class", head + "-- step 1, harmless: x\nSELECT 1;", "f:3: \"harmless\" is no class; there are safe, blocks, rewrites, data, destroys"},
		{"step form", head + "-- step one", "f:3: write \"-- step 1, CLASS: WHAT\""},
		{"no step", head + "SELECT 1;", "f:3: the statement belongs to no step: write \"-- step 1, CLASS: WHAT\" before it"},
		{"comment without step", head + "-- run: x", "f:3: \"-- run:\" belongs to a step, and none has begun: write \"-- step 1, CLASS: WHAT\" before it"},
		{"two runs", head + "-- step 1, safe: x\n-- run: x\n-- run: y", "f:5: a step runs one data step after its statements: \"-- run: NAME\""},
		{"reason", head + "-- step 1, safe: x\n-- refuse: SELECT 1\nSELECT 1;", "f:4: \"-- refuse:\" lacks the line \"-- because: REASON\" after it"},
		{"reason without query", head + "-- step 1, safe: x\n-- because: y", "f:4: \"-- because:\" stands after \"-- refuse: QUERY\""},
		{"empty query", head + "-- step 1, safe: x\n-- refuse:\n-- because:", "f:4: \"-- refuse:\" lacks the query that selects the ids of the rows\n" +
			"f:5: \"-- because:\" lacks the reason, which stands in the error when rows are found"},
		{"probe", head + "-- step 1, safe: x\n-- done when: view x\nSELECT 1;", "f:4: write \"-- done when: [no] table TABLE\" or \"-- done when: [no] column|index|constraint|trigger TABLE NAME\""},
		{"or", head + "-- step 1, safe: x\n-- or:\nSELECT 1;", "f:4: \"-- or:\" lacks the clause to try in place of the statement's last one"},
		{"rebuilds", head + "-- step 1, safe: x\n-- rebuilds: a, b\n", "f:4: write \"-- rebuilds: TABLE\""},
		{"leaves out", head + "-- step 1, safe: x\n-- leaves out: a,\n", "f:4: write \"-- leaves out: COLUMN, COLUMN\""},
		{"nothing follows", head + "-- step 1, safe: x\n-- repeatable: yes\n-- step 2, safe: y\n", "f:4: the comment is about the statement after it, and none follows in this step"},
		{"no end", head + "-- step 1, safe: x\nSELECT 1", "f:4: the statement does not end: its last line ends in \";\""},
		{"open quote", head + "-- step 1, safe: x\nSELECT 'it\\'s';\n", "f:4: the statement does not end: ' is not closed"},
		{"two", head + "-- step 1, safe: x\nSELECT 1; SELECT 2;", "f:4: another statement begins on the line where one ends: write it on lines of its own"},
		{"empty statement", head + "-- step 1, safe: x\n;", "f:4: the statement is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := script.Parse("f", c.text)
			if err == nil || err.Error() != c.want {
				t.Errorf("the error is\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(headline)
	f.Add("-- migration a, the first\n-- programs of the version before: allowed\n-- step 1, safe: x\nDO $$ a;\n $b$ ;\n$$;")
	f.Add("-- migration a, the first\n-- programs of the version before: allowed\n-- step 1, safe: x\n/* ;\n*/ SELECT `;\n` -- '\n; -- x")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := script.Parse("f", text)
		if err != nil {
			return
		}
		out := s.String()
		again, err := script.Parse("f", out)
		if err != nil {
			t.Fatalf("Parse refuses what String wrote: %v\n%s", err, out)
		}
		if !reflect.DeepEqual(unlined(s), unlined(again)) {
			t.Errorf("String changed the script\n%+v\nto\n%+v", s, again)
		}
	})
}

// unlined removes the lines, which String may change.
func unlined(s *script.Script) *script.Script {
	for i := range s.Steps {
		s.Steps[i].Line = 0
		for j := range s.Steps[i].Statements {
			s.Steps[i].Statements[j].Line = 0
		}
	}
	return s
}

func TestCutWhere(t *testing.T) {
	for _, c := range []struct{ sql, before, condition string }{
		{"UPDATE t SET n = 1 WHERE a OR b", "UPDATE t SET n = 1 WHERE", " a OR b"},
		{"UPDATE t SET s = ' where ', n = (SELECT 1 WHERE x), wherever = 1 -- where\n /* where */ where(a)", "UPDATE t SET s = ' where ', n = (SELECT 1 WHERE x), wherever = 1 -- where\n /* where */ where", "(a)"},
		{"UPDATE t SET \"where\" = $x$ where $x$\nWHERE id > 1", "UPDATE t SET \"where\" = $x$ where $x$\nWHERE", " id > 1"},
		{"UPDATE t SET n = 1, no_where = 2", "", ""},
		{"UPDATE t SET s = 'it is open WHERE", "", ""},
	} {
		before, condition, found := script.CutWhere(c.sql)
		if found != (c.before != "") || found && (before != c.before || condition != c.condition) {
			t.Errorf("%s: %q and %q, %v", c.sql, before, condition, found)
		}
	}
}

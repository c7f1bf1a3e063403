package fieldtype

import (
	"strings"
	"testing"
)

func TestEveryTypeHasAColumnInEveryDatabase(t *testing.T) {
	for _, ft := range types {
		for i, c := range ft.Columns(Size{Max: max(ft.Max, 1), Scale: 2}) {
			if c.DDL == "" || c.Reported == "" {
				t.Errorf("%s has no column in database %d", ft.Name, i)
			}
		}
		if ft.Kind == 0 || ft.Go == "" {
			t.Errorf("%s has no kind or no Go type", ft.Name)
		}
	}
}

func TestTextGrowsWithItsLimit(t *testing.T) {
	for _, test := range []struct {
		size            Size
		postgres, mysql string
	}{
		{Size{Max: 100}, "character varying(100)", "varchar(100)"},
		{Size{Max: 100, Wide: true}, "text", "text"},
		{Size{Max: VarcharMax}, "character varying(672)", "varchar(672)"},
		{Size{Max: VarcharMax + 1}, "text", "text"},
		{Size{Max: 16_383}, "text", "text"},
		{Size{Max: 16_384}, "text", "mediumtext"},
		{Size{Max: 4_194_304}, "text", "longtext"},
	} {
		got := text(test.size).Reported()
		if got != [3]string{"TEXT", test.postgres, test.mysql} {
			t.Errorf("%+v gives %v, want %s and %s", test.size, got, test.postgres, test.mysql)
		}
	}
}

func TestOfColumn(t *testing.T) {
	for reported, want := range map[string]string{
		"pg_catalog.int8": "number", "INTEGER": "number", "varchar(20)": "textarea", "numeric(18,2)": "decimal",
		"timestamptz": "datetime", "jsonb": "json", "BLOB": "bytes", "bool": "boolean", "anyarray": "", "any": "",
	} {
		if got := OfColumn(reported); got != want {
			t.Errorf("OfColumn(%q) = %q, want %q", reported, got, want)
		}
	}
}

func TestWritable(t *testing.T) {
	for _, ft := range Writable() {
		if ft.Name == "id" || ft.Name == "ulid" {
			t.Errorf("a definition may not name the type %s", ft.Name)
		}
		if strings.HasSuffix(ft.Help, ".") {
			t.Errorf("%s: help ends with a full stop", ft.Name)
		}
	}
}

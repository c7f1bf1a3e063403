package sqlc

import "github.com/hegner123/modulagen/gen/model"

// lack is what some databases do not have, and what works on all of them.
type lack struct {
	lacking []model.Database
	instead string
}

// lacked are the functions that some databases do not have. Those that all have and that mean
// different things are among the differences.
var lacked = func() map[string]lack {
	const inGo = "select the column itself, and do this in Go"
	const readJSON = "select the JSON itself, and read it in Go; what queries look for belongs in a field of its own"
	rows := []struct {
		names   []string
		lacking []model.Database
		instead string
	}{
		{[]string{"strpos"}, notPostgres, "write x LIKE @pattern, or look for it in Go"},
		{[]string{"instr"}, postgres, "write x LIKE @pattern, or look for it in Go"},
		{[]string{"locate"}, notMySQL, "write x LIKE @pattern, or look for it in Go"},
		{[]string{"position"}, lite, "write x LIKE @pattern, or look for it in Go"},
		{[]string{"left"}, lite, "write substr(x, 1, n)"},
		{[]string{"right"}, lite, "write substr(x, length(x) - n + 1)"},
		{[]string{"char_length", "character_length"}, lite, "write length(x), which is in characters"},
		{[]string{"lpad", "rpad", "repeat", "reverse", "regexp_replace"}, lite, inGo},
		{[]string{"initcap", "split_part", "translate", "btrim"}, notPostgres, inGo},
		{[]string{"substring_index", "elt", "field", "find_in_set"}, notMySQL, inGo},
		{[]string{"ifnull"}, postgres, "write coalesce(a, b)"},
		{[]string{"nvl"}, notMySQL, "write coalesce(a, b)"},
		{[]string{"isnull"}, notMySQL, "write x IS NULL"},
		{[]string{"if"}, postgres, "write CASE WHEN a THEN b ELSE c END"},
		{[]string{"iif"}, notLite, "write CASE WHEN a THEN b ELSE c END"},
		{[]string{"greatest"}, lite, "write CASE WHEN a > b THEN a ELSE b END"},
		{[]string{"least"}, lite, "write CASE WHEN a < b THEN a ELSE b END"},
		{[]string{"bool_and", "every"}, notPostgres, "write min(CASE WHEN x THEN 1 ELSE 0 END) = 1"},
		{[]string{"bool_or"}, notPostgres, "write max(CASE WHEN x THEN 1 ELSE 0 END) = 1"},
		{[]string{"total"}, notLite, "write coalesce(sum(x), 0)"},
		{[]string{"group_concat"}, postgres, "select the rows in their order, and put the text together in Go"},
		{[]string{"string_agg"}, mysql, "select the rows in their order, and put the text together in Go"},
		{[]string{"array_agg", "json_agg", "jsonb_agg", "json_build_object", "jsonb_build_object", "to_jsonb", "to_json", "row_to_json"}, notPostgres, "select the rows, and put them together in Go"},
		{[]string{"date_trunc", "age", "to_timestamp"}, notPostgres, "pass the bounds of the time as parameters; date(x) is the day of a datetime"},
		{[]string{"date_format", "date_add", "date_sub", "datediff", "timestampdiff", "year", "month", "day", "hour", "minute", "second", "weekday", "dayofweek", "str_to_date", "from_unixtime"}, notMySQL, "pass the bounds of the time as parameters; date(x) is the day of a datetime"},
		{[]string{"strftime", "julianday", "unixepoch"}, notLite, "pass the bounds of the time as parameters; date(x) is the day of a datetime"},
		{[]string{"extract", "to_char"}, lite, "pass the bounds of the time as parameters; date(x) is the day of a datetime"},
		{[]string{"convert"}, lite, "write CAST(x AS type)"},
		{[]string{"generate_series", "unnest"}, notPostgres, "write WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @most)"},
		{[]string{"json_each"}, mysql, "write id IN (sqlc.slice(ids))"},
		{[]string{"json_extract", "json_type", "json_valid", "json_object", "json_array", "json_array_length", "json_set", "json_insert", "json_replace", "json_remove", "json_patch", "json_quote"}, postgres, readJSON},
		{[]string{"json_group_array", "json_group_object"}, notLite, readJSON},
		{[]string{"json_unquote", "json_value", "json_contains", "json_length", "json_arrayagg", "json_objectagg"}, notMySQL, readJSON},
		{[]string{"jsonb_extract_path", "jsonb_extract_path_text", "jsonb_array_elements", "jsonb_array_length", "jsonb_typeof", "jsonb_set"}, notPostgres, readJSON},
		{[]string{"hex"}, postgres, inGo},
		{[]string{"soundex", "unhex"}, postgres, inGo},
		{[]string{"unicode", "quote"}, postgres, inGo},
		{[]string{"typeof", "printf", "likely", "unlikely", "zeroblob"}, notLite, inGo},
		{[]string{"last_insert_rowid"}, notLite, "Create returns the row with its id"},
		{[]string{"last_insert_id"}, notMySQL, "Create returns the row with its id"},
		{[]string{"trunc", "cbrt"}, mysql, inGo},
		{[]string{"truncate"}, notMySQL, inGo},
		{[]string{"md5", "sha1", "sha2"}, lite, inGo},
	}
	out := map[string]lack{}
	for _, r := range rows {
		for _, name := range r.names {
			out[name] = lack{r.lacking, r.instead}
		}
	}
	return out
}()

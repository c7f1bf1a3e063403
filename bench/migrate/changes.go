package migrate

// A change is two versions of the datatype article, between two that refer to it or to which
// it refers and that stay the same.
type change struct {
	name          string
	before, after string // the lines of the definition below its name
}

const (
	fields = `fields:
  - {name: title, type: text, max: 200, required: true}
  - {name: body, type: textarea}
  - {name: views, type: number, default: 0}
  - {name: price, type: decimal}
  - {name: status, type: select, options: [draft, published], default: draft}
  - {name: author, type: reference, to: author, on_delete: cascade}
`
	indexes = "indexes:\n  - {fields: [status, views]}\n"
	// plain is what most changes begin with.
	plain = fields + indexes
)

var changes = []change{
	{"add a field without a value", plain, fields + "  - {name: subtitle, type: text}\n" + indexes},
	{"add a field with a default", plain, fields + "  - {name: rank, type: number, default: 1}\n" + indexes},
	{"add a field with the default now", plain, fields + "  - {name: seen_at, type: datetime, default: now}\n" + indexes},
	{"add a required field", plain, fields + "  - {name: slug, type: slug, required: true, existing: {value: none}}\n" + indexes},
	{"add a select", plain, fields + "  - {name: kind, type: select, options: [a, b], default: a}\n" + indexes},
	{"add a reference", plain, fields + "  - {name: editor, type: reference, to: author, on_delete: set_null}\n" + indexes},
	{"drop a field", plain, "drop: [body]\n" + without("body") + indexes},
	{"drop a reference", plain, "drop: [author]\n" + without("author") + indexes},
	{"drop a field of an index", plain, "drop: [views]\n" + without("views")},
	{"rename a field", plain, replaced("name: title,", "name: headline, was: title,")},
	{"rename a field of an index", plain, replaced("name: views,", "name: reads, was: views,", "status, views]", "status, reads]")},
	{"rename a select", plain, replaced("name: status,", "name: state, was: status,", "[status, views", "[state, views")},
	{"swap two fields", plain + "", replaced("name: title, type: text, max: 200, required: true", "name: body, was: title, type: text, max: 200, required: true", "name: body, type: textarea}", "name: title, was: body, type: textarea}")},
	{"rename an option", plain, replaced("options: [draft, published]", "options: [draft, {value: live, was: published}]")},
	{"add an option", plain, replaced("[draft, published]", "[draft, published, gone]")},
	{"remove an option", plain, replaced("options: [draft, published], default: draft", "options: [draft], default: draft, existing: default")},
	{"a longer text", plain, replaced("max: 200", "max: 300")},
	{"a shorter text", plain, replaced("max: 200", "max: 100")},
	{"a text without bound", plain, replaced("type: text, max: 200", "type: textarea")},
	{"a number becomes text", plain, replaced("name: views, type: number, default: 0", "name: views, type: text, max: 100")},
	{"a decimal with more digits", plain, replaced("type: decimal", "type: decimal, scale: 4")},
	{"required", plain, replaced("type: textarea", "type: textarea, required: true")},
	{"required no more", plain, replaced("max: 200, required: true", "max: 200")},
	{"another default", plain, replaced("default: 0", "default: 7")},
	{"a default less", plain, replaced("type: number, default: 0", "type: number, required: true")},
	{"another on_delete", plain, replaced("on_delete: cascade", "on_delete: restrict")},
	{"an index more", plain, plain + "  - {fields: [price]}\n"},
	{"an index less", plain, fields},
	{"a unique index", plain, plain + "  - {fields: [title], unique: true}\n"},
	{"a unique index with a condition", plain, plain + "  - {fields: [title], unique: true, where: {status: published}}\n"},
}

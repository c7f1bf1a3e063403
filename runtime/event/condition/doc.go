// Package condition decides whether a change of a row is one that somebody waits for:
// the condition of a webhook or of a subscriber, kept as JSON.
//
//	{"field": "status", "changed": true, "eq": "published"}
//
//	{"all_of": [
//	  {"field": "status", "eq": "published"},
//	  {"any_of": [
//	    {"field": "price", "gte": 10, "lt": 100},
//	    {"field": "before.price", "exists": false}
//	  ]}
//	]}
//
// [Parse] checks everything when a condition is saved, and reports all mistakes at
// once, each with its place and with what to write instead. What it returns is
// evaluated with [Condition.Holds], which cannot fail.
//
// # The form
//
// A condition is a term or a group. A term is an object with "field" and at least one
// operator; several operators of one term must all hold. A group is an object with
// exactly one of these, which has a list of at least one term or group:
//
//	all_of    each of them holds
//	any_of    at least one of them holds
//	none_of   none of them holds
//
// The name of the field is a value and not a key, so that a column may be called
// all_of or eq, a list of terms is a list of form rows with a field, an operator and
// a value, and the path of a mistake, $.all_of[1].eq, says which row of the form has it.
// The operator is a key, because {"field": "status", "eq": "published"} is what one
// writes by hand, with nothing to get wrong between "op" and "value".
//
// A field is a column of the row after the change, or before it where no row is left:
// of a deleted row. "before.status" and "after.status" name a side.
//
//	Operator       Operand          Holds when the field                 Types
//	eq             value or null    equals it                            all but json and bytes; null: all
//	ne             value or null    does not equal it                    as eq
//	in             list of values   equals one of them                   as eq, without null
//	lt lte gt gte  value            is less, at most, more, at least     number, decimal, float, date, datetime, text without options
//	changed        true or false    differs before and after, or not     all, without a side
//	exists         true or false    has a value, or is null              all
//
// # Values
//
// A value has the type of its column: a whole number for a number, a reference or an id;
// a number or a text of one, 19.99 or "19.99", for a decimal, which is compared exactly
// and may have as many digits behind the point as the column; a number for a float, which
// means the float nearest to it; true or false; a text; one of
// its options for a select; "2006-01-02" for a date; RFC 3339 for a datetime, cut to
// microseconds as the store does. Text is compared by code point, as in the store.
//
// # Null, and rows that are not there
//
// A row that is not there, before a create or after a delete, is null in every field.
// Null equals null and nothing else, and is neither less nor more than anything, as in
// filters of the store:
//
//	The field is null            holds
//	eq value, in                 no
//	ne value                     yes
//	eq null, exists false        yes
//	ne null, exists true         no
//	lt, lte, gt, gte             no
//
//	The field                    create                       update            delete
//	"status"                     the new row's                as after          the deleted row's
//	"before.status"              null                         as before         the deleted row's
//	"after.status"               the new row's                as after          null
//	changed true                 it is not null               it differs        it was not null
//
// So {"field": "status", "changed": true, "eq": "published"} holds for a row that becomes
// published, also for one that is created so. JSON is compared by its meaning, because
// a database does not keep spaces and the order of keys.
//
// # Secrets
//
// A field that is secret can only be asked whether it changed. Any other operator would
// let an author of conditions who sees which of them held find out the value, by
// halving what it can be.
//
// # Limits
//
// A condition has at most 16 KiB, 100 terms and values in lists, and groups 8 deep.
package condition

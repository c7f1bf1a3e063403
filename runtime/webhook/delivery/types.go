package delivery

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/event"
)

// typeOf is the type of an event: "article.update".
func typeOf(datatype string, op event.Op) string { return datatype + "." + string(op) }

// opOf returns what happened of a type, as the log has it; "" of a type that a program names.
func opOf(eventType string) string {
	op := eventType[strings.LastIndexByte(eventType, '.')+1:]
	if eventType == testType || slices.Contains(operations, event.Op(op)) {
		return op
	}
	return ""
}

// operations are what happens to rows.
var operations = []event.Op{event.Create, event.Update, event.Delete, event.Publish}

// Types returns the types of all events of the datatype that one is of.
func Types(eventType string) []string {
	datatype, _, _ := strings.Cut(eventType, ".")
	var out []string
	for _, op := range operations {
		out = append(out, typeOf(datatype, op))
	}
	return out
}

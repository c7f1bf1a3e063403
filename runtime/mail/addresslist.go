package mail

import (
	"fmt"
	"strings"
)

// maxAddressList bounds a list of addresses as written, in bytes.
const maxAddressList = 256 << 10

// ParseAddressList parses addresses that are separated by commas, as a column of a mailbox holds
// them. "" is no address. What ParseAddress refuses is refused. Errors are ErrInvalid.
func ParseAddressList(text string) ([]Address, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxAddressList {
		return nil, &InvalidError{Field: "addresses", Problem: fmt.Sprintf("%d bytes; at most %d are permitted", len(text), maxAddressList)}
	}
	var p problems
	var list []Address
	for i, one := range splitAddresses(text) {
		a, problem := parseAddress(one)
		if problem != "" {
			p.add(fmt.Sprintf("address %d", i+1), "%s", problem)
			continue
		}
		list = append(list, a)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return list, nil
}

// splitAddresses splits text at commas that are not in a quoted name.
func splitAddresses(text string) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// FormatAddressList returns addresses separated by commas, names and domains in Unicode, so that
// a column can be read and searched. ParseAddressList returns them again.
func FormatAddressList(list []Address) string {
	var b strings.Builder
	for i, a := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.readable())
	}
	return b.String()
}

package evolution_test

import "testing"

// TestTextThatIsReadAsAnother has texts become values, of which one with a newline at its end is none: a regular expression
// of MySQL's may match it all the same.
func TestTextThatIsReadAsAnother(t *testing.T) {
	of := func(number, float, boolean string) *version {
		return of("name: item\nfields:\n  - {name: whole, type: " + number + "}\n  - {name: part, type: " + float + "}\n  - {name: yes, type: " + boolean + "}\n").must(t)
	}
	onEach(t, func(t *testing.T, s *server) {
		for _, to := range []*version{
			of("number", "float", "boolean"),
			of("number, existing: {value: 9}", "float, existing: {value: 9}", "boolean, existing: {value: false}"),
		} {
			s.migrated(t, of("text", "text", "text"), to)
		}
	})
}

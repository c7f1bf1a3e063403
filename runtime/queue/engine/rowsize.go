package engine

import "reflect"

// fixedSize is about how many bytes a column takes beside its text.
const fixedSize = 32

// rowSize returns how many bytes of memory the rows of claims take on average, as far as their
// texts say, by some of them.
func rowSize(claims []*claim) int64 {
	const sampled = 16
	step := max(len(claims)/sampled, 1)
	total, n := int64(0), int64(0)
	for i := 0; i < len(claims); i += step {
		row := reflect.Indirect(reflect.ValueOf(claims[i].row))
		for j := range row.NumField() {
			total += fixedSize + textSize(row.Field(j))
		}
		n++
	}
	return total / max(n, 1)
}

// textSize returns the bytes of a column's text; 0 of other columns.
func textSize(v reflect.Value) int64 {
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return int64(v.Len())
		}
	case reflect.Struct: // a store.Null
		if v.NumField() > 0 && v.Type().Field(0).IsExported() {
			return textSize(v.Field(0))
		}
	}
	return 0
}

package core

import "errors"

// AnyID is the place of an id of either kind, for statements that are the same for all
// datatypes: an int64 or a string.
type AnyID struct{ V any }

// Scan takes what the database returns.
func (id *AnyID) Scan(src any) error {
	switch v := src.(type) {
	case int64, string:
		id.V = v
	case []byte:
		id.V = string(v)
	default:
		return errors.New("store: the id is neither a number nor a text")
	}
	return nil
}

// Bind returns the id as it was read.
func (id *AnyID) Bind() any { return id.V }

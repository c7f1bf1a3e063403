package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Former is what a datatype's fields and options were called before, as `was` in its definition has it. The
// log keeps rows as the programs of then wrote them: decoded as they are, a renamed field would be empty and
// pass for a value. Generated code has one for a datatype with such names.
type Former struct {
	Members map[string]string            // the name before, by the name of now
	Options map[string]map[string]string // of a select, by its name of now: the option of now, by the one before
	// Documents are the members of json fields, by the names of now of the fields: as Members are those of a row.
	Documents map[string]map[string]string
	// Kept are the names of now of fields that a program of before, which still runs, reads under the names before.
	Kept []string
}

// Renamed returns a handler that is given rows under the names of now.
func Renamed(f *Former, h Handler) Handler {
	return func(ctx context.Context, e event.Event, before, after []byte) error {
		before, err := f.now(before)
		if err != nil {
			return err
		}
		if after, err = f.now(after); err != nil {
			return err
		}
		return h(ctx, e, before, after)
	}
}

// now returns a row of the log under the names of now.
func (f *Former) now(row []byte) ([]byte, error) {
	if len(row) == 0 {
		return row, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(row, &members); err != nil {
		return nil, fmt.Errorf("event: a row of another version of the definition does not fit: %w", core.JSONFault(err))
	}
	move(members, f.Members)
	for name, names := range f.Documents {
		var document map[string]json.RawMessage
		if json.Unmarshal(members[name], &document) != nil || len(document) == 0 {
			continue // null, or not there, or no object
		}
		move(document, names)
		value, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		members[name] = value
	}
	for name, options := range f.Options {
		var option string
		if json.Unmarshal(members[name], &option) != nil {
			continue // null, or not there
		}
		if now, renamed := options[option]; renamed {
			value, err := json.Marshal(now)
			if err != nil {
				return nil, err
			}
			members[name] = value
		}
	}
	return json.Marshal(members)
}

// move sets members to the values that they have under their names before: those that are missing, and those whose
// own name was another one's then.
func move(members map[string]json.RawMessage, names map[string]string) {
	moved := map[string]json.RawMessage{}
	vacated := map[string]bool{} // names that other members have left
	for found := true; found; {
		found = false
		for now, was := range names {
			_, done := moved[now]
			_, has := members[now]
			if value, had := members[was]; had && !done && (!has || vacated[now]) {
				moved[now], vacated[was], found = value, true, true
			}
		}
	}
	maps.Copy(members, moved)
}

// alsoBefore returns a row as the log is to have it: with the kept members under both names.
func (f *Former) alsoBefore(row string) (string, error) {
	if f == nil || row == "" {
		return row, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(row), &members); err != nil {
		return "", err
	}
	for _, now := range f.Kept {
		if value, has := members[now]; has { // secret ones are left out
			members[f.Members[now]] = value
		}
	}
	data, err := json.Marshal(members)
	return string(data), err
}

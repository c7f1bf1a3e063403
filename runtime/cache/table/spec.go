package table

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is what generated code says of a datatype with a `cache:` section.
type Spec struct {
	Name     string // the table
	KeyMax   int    // characters that the key's column holds
	TagMax   int    // characters that a tag's column holds
	TagsMax  int    // characters that the column of tags for people holds; 0: there is none
	ValueMax int    // bytes of an encoded value
	JSON     bool   // the value's column is JSON

	MaxEntries, MaxBytes int64         // 0: no bound
	MaxAge               time.Duration // 0: no bound

	// The statements, whose arguments package protocol lists. PutInPlace is of SQLite
	// alone, and Drop of MySQL, where the others of its name find what it removes. HasTag, HasTags and
	// HasKeys are of the databases with more than one writer.
	Find, FindMany, Put, PutInPlace, Add, Vacate, Count, Remove, Touch, Reseal  core.Statement
	RecordHits, Take, RenewLease, Fill, ReleaseLease, Tag, Untag                core.Statement
	DropTag, DropTags, DropKeys, DropOld, DropUnused, DropAll, Drop, Last, Size core.Statement
	HasTag, HasTags, HasKeys                                                    core.Statement
	AppendChange, ReadChanges, MissingChanges, LastChange, PruneChanges         core.Statement

	// Own are the fields of a patch that the cache writes itself, and With refuses.
	Own []string
	// Patch writes fields of the user's own on the entry with a key.
	Patch func(ctx context.Context, c *core.Conn, key string, patch any) error
}

// checkPatch refuses a patch of a field that the cache keeps itself: the row would
// say something else than memory, or stand under another key.
func (s *Spec) checkPatch(patch any) error {
	v := reflect.ValueOf(patch)
	if v.Kind() != reflect.Struct {
		return nil // of another type: Patch says so
	}
	for _, name := range s.Own {
		f := v.FieldByName(name)
		if !f.IsValid() {
			continue
		}
		if o, ok := f.Interface().(interface{ IsSet() bool }); ok && o.IsSet() {
			return fmt.Errorf("cache: %w: With sets %s of a %T, which the cache keeps itself: it takes fields of your own", store.ErrInvalid, name, patch)
		}
	}
	return nil
}

// WrongPatch is the error of With for another datatype's patch. Generated code
// calls it.
func WrongPatch(got, want any) error {
	return fmt.Errorf("cache: %w: With takes a %T here, not a %T", store.ErrInvalid, want, got)
}

package store_test

import (
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
)

// A patch that counts in the statement, and one that puts text behind a text.
func ExampleAdd() {
	type LinkPatch struct { // as generated
		Clicks store.Opt[int64]
		Log    store.Opt[string]
	}
	fmt.Printf("%v\n", LinkPatch{Clicks: store.Add(1), Log: store.Append("; again")})
	// Output: {+1 +; again}
}

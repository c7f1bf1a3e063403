package store

// Bounds of reads and writes.
const (
	DefaultLimit = 50      // rows of a page, by default
	MaxLimit     = 1000    // rows of a page
	DefaultCount = 10_000  // Count stops here by default
	MaxIn        = 10_000  // values of one In, or of all of a filter together
	MaxBulk      = 100_000 // rows of one CreateMany
)

// Query says which rows of the datatype whose ids are ID, in which order, how
// many and from where on.
type Query[ID any] struct {
	Where Cond[ID]    // zero: every row
	Sort  []Order[ID] // then by id; empty: by id
	Limit int         // List: 0 is 50, at most 1000. All: 0 is no limit
	After Cursor      // Page.Next of a list with the same Sort; "" is the start
}

// Page is one page of a list.
type Page[R any] struct {
	Items []R    `json:"items"`
	Next  Cursor `json:"next"` // for the following page; "" at the end
}

// Cursor stands for a row's place in a sorted list. It is text that is safe in
// a URL; it holds the sort columns' values, readable by anyone who has it. Values
// of more than 64 KiB together have no place in it: a list that is sorted by such
// text returns the page, but not the one behind it.
type Cursor string

// Lock is what ListForUpdate does about rows that another transaction has locked.
type Lock uint8

// The locks. On SQLite, where a transaction is the only one that writes, they are the same.
const (
	WaitForLocked Lock = iota // it waits until they are free; after some time that is ErrBusy
	SkipLocked                // it leaves them out
)

package sqlite

import (
	"fmt"
	"unsafe"

	sqlite3 "modernc.org/sqlite/lib"
)

// view returns n bytes of the engine's memory at p. They are the engine's: a
// caller that keeps them copies them.
func view(p uintptr, n int) []byte {
	if p == 0 || n == 0 {
		return nil
	}
	// Read through the variable's address: p is no Go memory, so that neither
	// the collector nor vet has a say in it.
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))), n)
}

// viewString is view as text, valid as long.
func viewString(p uintptr, n int) string {
	if p == 0 || n == 0 {
		return ""
	}
	return unsafe.String((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))), n)
}

// viewBytes is a text as bytes, which no one may write to; never nil.
func viewBytes(s string) []byte {
	if s == "" {
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// pointerAt reads a pointer that the engine wrote at p.
func pointerAt(p uintptr) uintptr {
	return **(**uintptr)(unsafe.Pointer(&p))
}

// arena is memory of the engine's that one connection passes text in. It is
// written anew for each statement.
type arena struct {
	p    uintptr
	size int
	used int
}

const arenaStart = 4096

// reserve makes room for n bytes and a little more, and forgets what was in it.
func (c *conn) reserve(n int) error {
	c.text.used = 0
	n += 16 // an empty text still needs an address
	if n <= c.text.size {
		return nil
	}
	size := max(arenaStart, c.text.size)
	for size < n {
		size *= 2
	}
	p := sqlite3.Xsqlite3_malloc64(c.tls, sqlite3.Tsqlite3_uint64(size))
	if p == 0 {
		return fmt.Errorf("sqlite: no memory for %d bytes of arguments", n)
	}
	sqlite3.Xsqlite3_free(c.tls, c.text.p)
	c.text.p, c.text.size = p, size
	return nil
}

// trim frees memory that one large statement took.
func (c *conn) trim() {
	if c.text.size > 1<<20 {
		sqlite3.Xsqlite3_free(c.tls, c.text.p)
		c.text = arena{}
	}
}

// put copies s into reserved memory.
func (a *arena) put(s string) uintptr {
	p := a.p + uintptr(a.used)
	copy(view(p, len(s)), s)
	a.used += len(s)
	return p
}

// putBytes copies b into reserved memory.
func (a *arena) putBytes(b []byte) uintptr {
	p := a.p + uintptr(a.used)
	copy(view(p, len(b)), b)
	a.used += len(b)
	return p
}

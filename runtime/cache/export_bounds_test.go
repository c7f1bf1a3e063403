package cache

// Bounded is a source with bounds of its own in place of those of its datatype.
type Bounded struct {
	Source  Source
	Entries int64
	Bytes   int64

	spec *Spec
}

// CacheBackend returns the table with the bounds.
func (b *Bounded) CacheBackend() Backend {
	t := b.Source.CacheBackend().(*table)
	if b.spec == nil {
		spec := *t.spec
		spec.MaxEntries, spec.MaxBytes = b.Entries, b.Bytes
		b.spec = &spec
	}
	return tableOf(t.c, b.spec)
}

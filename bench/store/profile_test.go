package store

import (
	"path/filepath"
	"testing"
)

// Each side alone, for a profile:
//
//	go test -bench 'SQLite/ours/create$' -cpuprofile cpu.prof ./store
func BenchmarkSQLite(b *testing.B) {
	for i, name := range []string{"ours", "hand", "ent", "gorm"} {
		b.Run(name, func(b *testing.B) { benchmark(b, databases[0].sides[i]) })
	}
}

func benchmark(b *testing.B, open opener) {
	for _, op := range operations {
		b.Run(op.name, func(b *testing.B) {
			ctx := b.Context()
			path := filepath.Join(b.TempDir(), "bench.db")
			s, err := open(ctx, place{url: "sqlite:" + path, native: "file:" + path + pragmas})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if err := fill(ctx, s); err != nil {
				b.Fatal(err)
			}
			rows := articles(seeded+1, op.rows*b.N)
			b.ResetTimer()
			for n := range b.N {
				if err := op.call(ctx, s, n, rows[n*op.rows:(n+1)*op.rows]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

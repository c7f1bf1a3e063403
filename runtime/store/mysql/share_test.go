package mysql

import "testing"

// TestShare says how many statements a connection keeps.
func TestShare(t *testing.T) {
	for _, c := range []struct{ server, conns, most, want int }{
		{16382, 16, keptStatements, 127},
		{16382, 1, keptStatements, 256},
		{16382, 1, 20, 20},
		{16382, 16, 0, 0},
		{40, 16, keptStatements, 0},
		{0, 16, keptStatements, 0},
		{1 << 20, 16, 1000, 256},
	} {
		if got := share(c.server, c.conns, c.most); got != c.want {
			t.Errorf("%d of the server's for %d connections, at most %d: %d, not %d", c.server, c.conns, c.most, got, c.want)
		}
	}
}

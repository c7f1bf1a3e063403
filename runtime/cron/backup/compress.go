package backup

import (
	"context"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// compress writes what a file holds to another one.
func compress(ctx context.Context, to, from *os.File) error {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w, err := zstd.NewWriter(to, zstd.WithEncoderConcurrency(1)) // the program has other work
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, &reader{ctx, from}); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, core.Ended(r.ctx)
	}
	return r.r.Read(p)
}

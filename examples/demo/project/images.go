package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/image/draw"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"

	"shop/generated"
)

// maxEdge is how long the longer side of an optimized picture may be.
const maxEdge = 320

// ImageOptimize decodes a picture, makes it fit, and writes it in its own
// format. Running it twice writes the same file and the same row.
func (h *handlers) ImageOptimize(ctx context.Context, job *generated.ImageOptimizeJob) error {
	row, err := h.db.Image.Get(ctx, generated.ImageID(job.Payload.ImageID))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(row.Path)
	if err != nil {
		return err
	}
	picture, format, err := image.Decode(bytes.NewReader(text))
	if errors.Is(err, image.ErrFormat) {
		return queue.Discard(fmt.Errorf("decode: %w", err)) // no picture, however often one looks
	}
	if err != nil {
		return fmt.Errorf("decode: %w", err) // perhaps it is still being written: try again
	}
	small := fit(picture, int(job.Payload.MaxEdge))
	encoded, err := encode(small, format)
	if err != nil {
		return err
	}
	if small == picture && len(encoded) >= len(text) {
		encoded = text // it was as small as it gets
	}
	path := filepath.Join(h.out, fmt.Sprintf("%d.%s", row.ID, format))
	if err := os.WriteFile(path, encoded, 0o666); err != nil {
		return err
	}
	_, err = h.db.Image.Update(ctx, row.ID, generated.ImagePatch{
		Format: store.Set(generated.ImageFormat(format)),
		Width:  store.Int(int64(picture.Bounds().Dx())), Height: store.Int(int64(picture.Bounds().Dy())),
		OptimizedPath:  store.Set(path),
		OptimizedWidth: store.Int(int64(small.Bounds().Dx())), OptimizedHeight: store.Int(int64(small.Bounds().Dy())),
		OptimizedBytes: store.Int(int64(len(encoded))),
		OptimizedAt:    store.Set(time.Now()),
	})
	return err
}

// fit scales a picture down so that its longer side is edge; it never enlarges.
func fit(picture image.Image, edge int) image.Image {
	width, height := picture.Bounds().Dx(), picture.Bounds().Dy()
	longer := max(width, height)
	if longer <= edge {
		return picture
	}
	scaled := func(n int) int { return max(1, (n*edge+longer/2)/longer) }
	small := image.NewNRGBA(image.Rect(0, 0, scaled(width), scaled(height)))
	draw.CatmullRom.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	return small
}

func encode(picture image.Image, format string) ([]byte, error) {
	var out bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: 80})
	case "png":
		err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, picture)
	default:
		err = fmt.Errorf("no encoder for %s", format)
	}
	return out.Bytes(), err
}

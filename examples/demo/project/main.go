// Command shop imports a supplier's list of products and shrinks a folder of
// pictures, as typed jobs on one SQLite file, and then shows what it did. It
// exits 0 only if every figure is the one that the input implies.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	_ "github.com/hegner123/modulagen/runtime/store/sqlite"

	"shop/generated"
)

// options are the command line's.
type options struct {
	data, out, dsn string
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "data", "folder with images/, products.csv and what to expect of them")
	flag.StringVar(&o.out, "out", "out", "folder for the optimized images")
	flag.StringVar(&o.dsn, "db", "sqlite:shop.db", "the database")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	db, err := generated.Open(ctx, o.dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := enqueue(ctx, db, o); err != nil {
		return err
	}
	if err := work(ctx, db, o); err != nil {
		return err
	}
	if err := show(ctx, db, os.Stdout); err != nil {
		return err
	}
	return verify(ctx, db, o, os.Stdout)
}

// enqueue writes a row and a job for every picture, and a job for the list of
// products: all of it, or nothing.
func enqueue(ctx context.Context, db *generated.DB, o options) error {
	pictures, err := pictures(filepath.Join(o.data, "images"))
	if err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *generated.Tx) error {
		for _, path := range pictures {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			image, err := tx.Image.Create(ctx, generated.ImageNew{Path: path, Bytes: info.Size()})
			if err != nil {
				return err
			}
			if _, err := tx.JobQueue.EnqueueImageOptimize(ctx, generated.ImageOptimize{ImageID: int64(image.ID), MaxEdge: maxEdge}); err != nil {
				return err
			}
		}
		list := filepath.Join(o.data, "products.csv")
		_, err := tx.JobQueue.EnqueueImportData(ctx, generated.ImportData{CSVPath: list}, first)
		return err
	})
}

// pictures lists what calls itself a picture.
func pictures(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		switch strings.ToLower(filepath.Ext(entry.Name())) {
		case ".jpg", ".jpeg", ".png":
			paths = append(paths, filepath.Join(folder, entry.Name()))
		}
	}
	return paths, nil
}

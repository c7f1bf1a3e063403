// Command shop imports a supplier's list of products and shrinks a folder of
// pictures, as typed jobs on one SQLite file, mails what is in stock, and then shows what it did. It
// exits 0 only if every figure is the one that the input implies.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hegner123/modulagen/runtime/queue"
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
	ctx, stop := queue.UntilSignal(context.Background())
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
	jobs, err := enqueue(ctx, db, o)
	if err != nil {
		return err
	}
	seen, err := work(ctx, db, o, jobs)
	if err != nil {
		return err
	}
	arrived, err := sendMail(ctx, db)
	if err != nil {
		return err
	}
	if err := show(ctx, db, os.Stdout); err != nil {
		return err
	}
	if err := showMail(ctx, db, arrived, os.Stdout); err != nil {
		return err
	}
	return verify(ctx, db, o, seen, arrived, os.Stdout)
}

// jobs are those that were enqueued.
type jobs struct {
	images []generated.JobQueueID
	list   generated.JobQueueID
}

// enqueue writes a row and a job for every picture, and a job for the list of
// products: all of it, or nothing.
func enqueue(ctx context.Context, db *generated.DB, o options) (jobs jobs, err error) {
	pictures, err := pictures(filepath.Join(o.data, "images"))
	if err != nil {
		return jobs, err
	}
	err = db.Tx(ctx, func(tx *generated.Tx) error {
		payloads := make([]generated.ImageOptimize, 0, len(pictures))
		for _, path := range pictures {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			image, err := tx.Image.Create(ctx, generated.ImageNew{Path: path, Bytes: info.Size()})
			if err != nil {
				return err
			}
			payloads = append(payloads, generated.ImageOptimize{ImageID: int64(image.ID), MaxEdge: maxEdge})
		}
		if jobs.images, err = tx.JobQueue.EnqueueImageOptimizeMany(ctx, payloads); err != nil {
			return err
		}
		for i := range 2 { // whoever is impatient gets the job that is there
			list, added, err := tx.JobQueue.EnqueueImportData(ctx, generated.ImportData{CSVPath: filepath.Join(o.data, "products.csv")}, first)
			if err != nil {
				return err
			}
			if added != (i == 0) {
				return fmt.Errorf("import %d of the same list: added is %t", i, added)
			}
			jobs.list = list.ID
		}
		return nil
	})
	return jobs, err
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

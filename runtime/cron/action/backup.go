package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/backup"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// backups is the folder of backups where Options name none.
const backups = "backups"

// maxKeep bounds keep.
const maxKeep = 10_000

type backupConfig struct {
	Dir      string `json:"dir,omitempty"` // below that of the options
	Keep     *int   `json:"keep,omitempty"`
	Compress string `json:"compress,omitempty"`
}

// Validate refuses a folder elsewhere: who writes jobs must not choose any file of the machine.
func (c *backupConfig) Validate() error {
	var failed []error
	if c.Dir != "" && !filepath.IsLocal(c.Dir) {
		failed = append(failed, wrong("dir", "is %q, and must be a folder below that of backups, such as daily; cron.Options.Backup.Dir names that", c.Dir))
	}
	if c.Keep != nil && (*c.Keep < 0 || *c.Keep > maxKeep) {
		failed = append(failed, wrong("keep", "is %d, and must be from 0, which keeps all, to %d", *c.Keep, maxKeep))
	}
	if c.Compress != "" && c.Compress != "zstd" {
		failed = append(failed, wrong("compress", `is %q; write "zstd", or leave it out`, c.Compress))
	}
	return errors.Join(failed...)
}

// backupOf is backup_database.
func backupOf(p *project.Project, o cron.Backup) (cron.Action, error) {
	if o.Keep < 0 {
		return nil, fmt.Errorf("cron: Options.Backup.Keep is %d; 0 keeps all backups", o.Keep)
	}
	return configured(func(backupConfig) error { return nil }, func(ctx context.Context, r *cron.Run, c backupConfig) error {
		return backUp(ctx, p.DB, r, o, c)
	}), nil
}

func backUp(ctx context.Context, db *core.DB, r *cron.Run, o cron.Backup, c backupConfig) error {
	if r.Trigger == cron.Backfilled {
		return queue.Discard(errors.New("cron: backup_database: a backup cannot be made of an instant in the past"))
	}
	keep := o.Keep
	if c.Keep != nil {
		keep = *c.Keep
	}
	due := r.Due
	if due.IsZero() {
		due = db.Clock()
	}
	res, err := backup.Make(ctx, db, backup.Options{
		Dir: cmp.Or(o.Dir, backups), Sub: c.Dir, Keep: keep, Zstd: c.Compress == "zstd", Program: o.Dump,
		Due: due, Run: r.ID, Attempt: r.Attempt,
	})
	switch {
	case res.File == "":
	case res.There:
		r.Printf("%s was there already, %d bytes\n", res.File, res.Bytes)
	default:
		r.Printf("wrote %s, %d bytes\n", res.File, res.Bytes)
	}
	if len(res.Removed) > 0 {
		r.Printf("removed %s\n", strings.Join(res.Removed, ", "))
	}
	if errors.Is(err, backup.ErrUnavailable) {
		return queue.Discard(err)
	}
	return err
}

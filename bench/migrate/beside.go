package migrate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/bench/measure"
	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
)

// peerName is who plans from the same two schemas.
const peerName = "atlas v1.3.0"

// beside plans each change on both sides, and counts the statements that write a table again,
// that hold writers up for as long as the table is, and that lose values that the new
// definition has.
func beside(ctx context.Context, report *measure.Report) error {
	for _, db := range model.Databases {
		peer, err := openPeer(ctx, db)
		if errors.Is(err, errNoServer) {
			report.Note("migrate: %s: %v", db, err)
			continue
		}
		if err != nil {
			return err
		}
		err = besideOn(ctx, db, peer, report)
		if err = errors.Join(err, peer.close()); err != nil {
			return err
		}
	}
	return nil
}

var errNoServer = errors.New("no server")

func besideOn(ctx context.Context, db model.Database, peer *planner, report *measure.Report) error {
	var ours, theirs effects
	for _, c := range changes {
		mine, schemas, err := planned(c, db)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		other, err := peer.plan(ctx, schemas[0], schemas[1])
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.name, peerName, err)
		}
		a, b := judge(db, c, mine), judge(db, c, other)
		ours, theirs = ours.plus(a), theirs.plus(b)
		report.Note("migrate: %-8s %-34s ours %s; %s %s", db, c.name, a, peerName, b)
		if os.Getenv("BENCH_VERBOSE") != "" {
			report.Note("migrate: ours:\n  %s\n%s:\n  %s", strings.Join(mine, "\n  "), peerName, strings.Join(other, "\n  "))
		}
	}
	for _, row := range []struct {
		name         string
		ours, theirs int
	}{{"tables written again", ours.rewrites, theirs.rewrites}, {"statements that hold writers up", ours.blocks, theirs.blocks}, {"values lost", ours.loses, theirs.loses}} {
		report.Add(measure.Compare(suite, fmt.Sprintf("%d changes, %s", len(changes), row.name), string(db), "", peerName, float64(row.ours), float64(row.theirs), nil))
	}
	return nil
}

// planned returns our statements, and the two schemas as SQL.
func planned(c change, db model.Database) (statements []string, schemas [2]string, err error) {
	before, err := project(c.before)
	if err != nil {
		return nil, schemas, err
	}
	after, err := project(c.after)
	if err != nil {
		return nil, schemas, err
	}
	compared, err := evolution.Compare(evolution.Take(before), after)
	if err != nil {
		return nil, schemas, err
	}
	for _, step := range evolution.Plan("0002_change", "0001_init", compared)[db].Steps {
		for _, s := range step.Statements {
			statements = append(statements, s.SQL)
		}
	}
	d := slices.Index(model.Databases, db)
	schemas[0], schemas[1] = evolution.Schema(before.Datatypes).DDL[d], evolution.Schema(after.Datatypes).DDL[d]
	return statements, schemas, nil
}

package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
)

// idler is a worker process that has nothing to do.
type idler struct {
	side       opener
	at         place
	process    *process
	statements func() (int64, error) // so far; nil where they cannot be counted
	close      func() error

	cpu, rate float64 // milliseconds a second, statements a second
}

// idles measures what a worker process costs that has nothing to do. They all
// idle at once: what they take together is little.
func (t *trial) idles(ctx context.Context) (err error) {
	t.report.Note("queue: idle: a worker process each, all at the same time, for %s; statements are counted on the wire (PostgreSQL) or by the server (MySQL)", t.idle)
	var idlers []*idler
	defer func() {
		for _, i := range idlers {
			err = errors.Join(err, i.close())
		}
	}()
	for _, o := range []opener{
		find("postgres", oursName), find("postgres", riverName), find("postgres", riverDefaults),
		find("sqlite", oursName), find("sqlite", riverDefaults), find("mysql", oursName), find("redis", asynqName),
	} {
		if t.hosts[o.db] == nil {
			continue
		}
		i, err := t.startIdler(ctx, o)
		if err != nil {
			return fmt.Errorf("%s on %s: %w", o.name, o.db, err)
		}
		idlers = append(idlers, i)
	}
	if err := watchIdlers(ctx, idlers, 2*t.warmUp, t.idle); err != nil {
		return err
	}
	t.reportIdlers(idlers)
	return nil
}

func (t *trial) startIdler(ctx context.Context, o opener) (i *idler, err error) {
	h := t.hosts[o.db]
	if err := h.set(ctx, t.durable); err != nil {
		return nil, err
	}
	at, err := h.place(ctx)
	if err != nil {
		return nil, err
	}
	i = &idler{side: o, at: at, close: at.remove}
	switch o.db {
	case "postgres":
		err = i.throughProxy()
	case "mysql":
		err = i.askServer(ctx)
	}
	if err == nil {
		i.process, err = startProcess(ctx, o, i.at, 0)
	}
	if err != nil {
		return nil, errors.Join(err, i.close())
	}
	before := i.close
	i.close = func() error { return errors.Join(i.process.stop(), before()) }
	return i, nil
}

func (i *idler) throughProxy() error {
	p, through, err := measure.CountStatements(i.at.URL)
	if err != nil {
		return err
	}
	i.at.URL, i.at.Native = through, through
	before := i.close
	i.close = func() error { return errors.Join(p.Close(), before()) }
	i.statements = func() (int64, error) { return p.Count(), nil }
	return nil
}

// askServer counts all statements of a MySQL server.
func (i *idler) askServer(ctx context.Context) error {
	counter, err := measure.CountQuestions(i.at.Native)
	if err != nil {
		return err
	}
	before := i.close
	i.close = func() error { return errors.Join(counter.Close(), before()) }
	i.statements = func() (int64, error) { return counter.Count(ctx) }
	return nil
}

func watchIdlers(ctx context.Context, idlers []*idler, warmUp, window time.Duration) error {
	if err := sleep(ctx, warmUp); err != nil {
		return err
	}
	start := time.Now()
	if err := readIdlers(idlers, -1); err != nil {
		return err
	}
	if err := sleep(ctx, window); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	if err := readIdlers(idlers, 1); err != nil {
		return err
	}
	for _, i := range idlers {
		i.cpu /= took
		i.rate /= took
	}
	return nil
}

// readIdlers adds what they took so far, or takes it away.
func readIdlers(idlers []*idler, sign float64) error {
	for _, i := range idlers {
		var microseconds int64
		if err := i.process.ask(askUsage, &microseconds); err != nil {
			return err
		}
		i.cpu += sign * float64(microseconds) / 1000
		if i.statements == nil {
			continue
		}
		n, err := i.statements()
		if err != nil {
			return err
		}
		i.rate += sign * float64(n)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (t *trial) reportIdlers(idlers []*idler) {
	for _, ours := range idlers {
		if ours.side.name != oursName {
			continue
		}
		db := ours.side.db
		const statements, processor = "idle statements", "idle processor time"
		if ours.statements != nil {
			// A worker that says nothing at all is counted as one statement in a minute: a ratio needs a figure.
			t.report.Add(measure.Compare(suite, statements, db, "1/s", limitName, max(ours.rate, 1.0/60), limitStatements, target(statements, db, limitName)))
		}
		for _, peer := range idlers {
			if peer.side.name == oursName || (peer.side.db != db && peer.side.name != asynqName) {
				continue
			}
			if ours.statements != nil && peer.statements != nil {
				t.report.Add(measure.Compare(suite, statements, db, "1/s", peer.side.name, max(ours.rate, 1.0/60), peer.rate, nil))
			}
			t.report.Add(measure.Compare(suite, processor, db, "ms/s", peer.side.name, ours.cpu, peer.cpu, nil))
		}
	}
}

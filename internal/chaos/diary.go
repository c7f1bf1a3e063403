//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// diary is where a process notes what it saw, in a file of its own: no fault of
// the database or of the network touches that, and what was written before a
// SIGKILL stays. A note is one line, written at once.
type diary struct{ file *os.File }

// What a process notes.
const (
	noteAcked  = "acked"  // the tokens of a transaction whose commit succeeded
	noteUnsure = "unsure" // those of one that ended with an error, which may be of its commit
	noteFailed = "failed" // table, job and epoch of a run that an error of the database ended
)

func openDiary(s settings) (*diary, error) {
	file, err := os.OpenFile(filepath.Join(s.Logs, s.name()+".diary"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &diary{file}, nil
}

// note adds a line. A process that cannot keep its diary proves nothing.
func (d *diary) note(what string, words ...any) {
	line := what + " " + strings.Trim(strings.TrimSpace(fmt.Sprintln(words...)), "[]") + "\n"
	if _, err := d.file.WriteString(line); err != nil {
		panic(fmt.Errorf("diary: %w", err))
	}
}

// tokens are those of one transaction.
type tokens []int64

// claimOf names one claim of a job.
type claimOf struct {
	job   jobKey
	epoch int64
}

// diaries are the notes of all processes.
type diaries struct {
	acked, unsure []tokens
	failed        map[claimOf]bool
}

// readDiaries reads the diaries in a folder.
func readDiaries(folder string) (diaries, error) {
	all := diaries{failed: map[claimOf]bool{}}
	files, err := filepath.Glob(filepath.Join(folder, "*.diary"))
	if err != nil {
		return all, err
	}
	for _, file := range files {
		if err := all.read(file); err != nil {
			return all, fmt.Errorf("%s: %w", file, err)
		}
	}
	return all, nil
}

func (all *diaries) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		what, rest, _ := strings.Cut(lines.Text(), " ")
		if what == noteFailed {
			var c claimOf
			if _, err := fmt.Sscan(rest, &c.job.queue, &c.job.id, &c.epoch); err != nil {
				return err
			}
			all.failed[c] = true
			continue
		}
		var some tokens
		for _, word := range strings.Fields(rest) {
			var token int64
			if _, err := fmt.Sscan(word, &token); err != nil {
				return err
			}
			some = append(some, token)
		}
		if what == noteAcked {
			all.acked = append(all.acked, some)
		} else {
			all.unsure = append(all.unsure, some)
		}
	}
	return lines.Err()
}

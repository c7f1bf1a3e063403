package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Row is one line of the report.
type Row struct {
	Suite    string   `json:"suite"`
	Case     string   `json:"case"`
	DB       string   `json:"db"`
	Ours     float64  `json:"ours"`
	Peer     float64  `json:"peer"`
	PeerName string   `json:"peer_name"`
	Unit     string   `json:"unit"`
	Ratio    float64  `json:"ratio"`  // above 1 when ours is better: peer by ours, and ours by peer where more is better
	Target   *float64 `json:"target"` // the least ratio that is asked for; null where only the figure is
}

// Compare makes a row of two figures of which the smaller is the better.
func Compare(suite, name, db, unit, peerName string, ours, peer float64, target *float64) Row {
	row := Row{Suite: suite, Case: name, DB: db, Unit: unit, PeerName: peerName, Target: target}
	row.Ours, row.Peer = round(ours), round(peer)
	if ours > 0 {
		row.Ratio = round(peer / ours)
	}
	return row
}

// CompareRates makes a row of two figures of which the larger is the better.
func CompareRates(suite, name, db, unit, peerName string, ours, peer float64, target *float64) Row {
	row := Compare(suite, name, db, unit, peerName, ours, peer, target)
	row.Ratio = 0
	if peer > 0 {
		row.Ratio = round(ours / peer)
	}
	return row
}

// Target is a ratio that is asked for.
func Target(ratio float64) *float64 { return &ratio }

// round keeps four significant digits: more would claim a precision that is not there.
func round(f float64) float64 {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(f))))
	return math.Round(f*scale) / scale
}

// Report prints rows as they are measured. Notes (versions, durability, number
// of rounds) go to a second writer, so that JSON lines stay clean.
type Report struct {
	out, notes io.Writer
	json       bool
	heading    string
	Missed     int // rows below their target
}

// NewReport writes rows to out and notes to notes; with jsonLines each row is
// one JSON object on a line of its own.
func NewReport(out, notes io.Writer, jsonLines bool) *Report {
	return &Report{out: out, notes: notes, json: jsonLines}
}

// Note prints something that a reader of the figures has to know.
func (r *Report) Note(format string, args ...any) {
	fmt.Fprintf(r.notes, "# "+format+"\n", args...)
}

// Add prints one row at once, so that a long run shows how far it is.
func (r *Report) Add(row Row) {
	if row.missed() {
		r.Missed++
	}
	if r.json {
		line, err := json.Marshal(row)
		if err != nil {
			panic(fmt.Sprintf("measure: a row that is not JSON: %v", err)) // only a NaN could; round forbids it
		}
		fmt.Fprintf(r.out, "%s\n", line)
		return
	}
	r.addToTable(row)
}

func (r *Report) addToTable(row Row) {
	const columns = "%-38s %-9s %11s %11s  %-7s %-22s %8s %8s  %s\n"
	if r.heading != row.Suite {
		r.heading = row.Suite
		fmt.Fprintf(r.out, "\nsuite %s\n", row.Suite)
		fmt.Fprintf(r.out, columns, "case", "db", "ours", "peer", "unit", "peer is", "ratio", "target", "")
	}
	target, verdict := "-", ""
	if row.Target != nil {
		target, verdict = number(*row.Target), "ok"
		if row.missed() {
			verdict = "MISSED"
		}
	}
	fmt.Fprintf(r.out, columns, row.Case, row.DB, number(row.Ours), number(row.Peer), row.Unit,
		row.PeerName, number(row.Ratio), target, verdict)
}

func (row Row) missed() bool { return row.Target != nil && row.Ratio < *row.Target }

func number(f float64) string { return strconv.FormatFloat(round(f), 'f', -1, 64) }

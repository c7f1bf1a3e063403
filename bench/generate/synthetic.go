package generate

import (
	"bytes"
	"context"
	"fmt"
	"text/template"

	"github.com/hegner123/modulagen/bench/measure"
)

// The same entity of 11 fields for both sides: a unique one, texts short and
// long, a choice, numbers, a truth, moments, JSON.
var (
	ourDefinition = template.Must(template.New("ours").Parse(`name: entity_{{.}}
fields:
  - {name: slug,         type: slug,     max: 100, required: true, unique: true}
  - {name: title,        type: text,     max: 200, required: true}
  - {name: body,         type: textarea}
  - {name: status,       type: select,   options: [draft, published, archived], default: draft}
  - {name: views,        type: number,   default: 0}
  - {name: score,        type: number}
  - {name: featured,     type: boolean,  default: false}
  - {name: contact,      type: email}
  - {name: published_at, type: datetime}
  - {name: created_at,   type: datetime, default: now}
  - {name: meta,         type: json}
indexes:
  - {fields: [status, created_at desc]}
`))
	entDefinition = template.Must(template.New("ent").Parse(`package schema

import (
	"encoding/json"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

type Entity{{.}} struct{ ent.Schema }

func (Entity{{.}}) Fields() []ent.Field {
	return []ent.Field{
		field.String("slug").MaxLen(100).NotEmpty().Unique(),
		field.String("title").MaxLen(200).NotEmpty(),
		field.Text("body").Optional().Nillable(),
		field.Enum("status").Values("draft", "published", "archived").Default("draft"),
		field.Int64("views").Default(0),
		field.Int64("score").Optional().Nillable(),
		field.Bool("featured").Default(false),
		field.String("contact").MaxLen(254).Optional().Nillable(),
		field.Time("published_at").Optional().Nillable(),
		field.Time("created_at").Default(time.Now),
		field.JSON("meta", json.RawMessage{}).Optional(),
	}
}

func (Entity{{.}}) Indexes() []ent.Index {
	return []ent.Index{index.Fields("status", "created_at")}
}
`))
)

func oursName(n int) string  { return fmt.Sprintf("ours%d", n) }
func entNameOf(n int) string { return fmt.Sprintf("ent%d", n) }

// writeSynthetic makes both sides' projects of n datatypes.
func writeSynthetic(w *workplace, n int) (us, peer *project, err error) {
	for i := 1; i <= n; i++ {
		id := fmt.Sprintf("%03d", i)
		if err := writeTemplate(w.path(oursName(n), "datatypes", "entity_"+id+".yaml"), ourDefinition, id); err != nil {
			return nil, nil, err
		}
		if err := writeTemplate(w.path(entNameOf(n), "schema", "entity_"+id+".go"), entDefinition, id); err != nil {
			return nil, nil, err
		}
	}
	if err := writeFile(w.path(oursName(n), "modulagen.yaml"), []byte(configuration)); err != nil {
		return nil, nil, err
	}
	return ours(w, oursName(n), "entity_001.yaml"), entProject(w, entNameOf(n), "entity_001.go"), nil
}

func writeTemplate(path string, t *template.Template, data any) error {
	var text bytes.Buffer
	if err := t.Execute(&text, data); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return writeFile(path, text.Bytes())
}

// synthetic measures the small project for the cost of one more datatype, and
// the large one for everything else.
func synthetic(ctx context.Context, w *workplace, p plan, report *measure.Report) error {
	small, _, err := writeSynthetic(w, p.small)
	if err != nil {
		return err
	}
	us, peer, err := writeSynthetic(w, p.large)
	if err != nil {
		return err
	}
	if err := perDatatype(ctx, small, us, p, report); err != nil {
		return err
	}
	var ourUsage, peerUsage []measure.Usage
	uneven := measure.Rounds{Ours: p.rounds, Peer: p.long}
	name := fmt.Sprintf("%d datatypes", p.large)
	us.watch, peer.watch = &ourUsage, &peerUsage // memory is noted in the same runs as time
	err = comparePair(ctx, us, peer, uneven, uneven, report, goals{
		name: name, nothing: 14, nothingRatio: p.target(12), edited: 1.5, editedRatio: p.target(100), limit: p.target(1),
	})
	if err != nil {
		return err
	}
	memory(name, ourUsage, peerUsage, p, report)
	return size(us, peer, p, report)
}

// perDatatype compares the time that one datatype takes in the large project
// with the time that it takes in the small one.
func perDatatype(ctx context.Context, small, large *project, p plan, report *measure.Report) error {
	inLarge, inSmall, err := measure.Alternate(measure.Rounds{Ours: p.rounds, Peer: p.rounds},
		large.nothing(ctx), small.nothing(ctx))
	if err != nil {
		return err
	}
	report.Add(measure.Compare(suite, fmt.Sprintf("one datatype of %d, from nothing", p.large), allDBs, "ms",
		fmt.Sprintf("ours, one of %d", p.small),
		inLarge/float64(p.large)*1000, inSmall/float64(p.small)*1000, p.target(1/1.3)))
	return nil
}

// memory reports the peak of the runs from nothing.
func memory(name string, ours, peer []measure.Usage, p plan, report *measure.Report) {
	const megabyte = 1 << 20
	largest := func(usages []measure.Usage) float64 {
		return peak(usages, func(u measure.Usage) int64 { return u.Largest }) / megabyte
	}
	tree := func(usages []measure.Usage) float64 {
		return peak(usages, func(u measure.Usage) int64 { return u.Tree }) / megabyte
	}
	report.Add(measure.Compare(suite, name+", memory, one process", allDBs, "MB", entName, largest(ours), largest(peer), nil))
	report.Add(measure.Compare(suite, name+", memory, all", allDBs, "MB", entName, tree(ours), tree(peer), nil))
	if p.quick {
		return
	}
	report.Add(measure.Compare(suite, name+", memory, one process", allDBs, "MB", "limit", largest(ours), 500, p.target(1)))
	report.Add(measure.Compare(suite, name+", memory, all", allDBs, "MB", "limit", tree(ours), 500, p.target(1)))
}

func peak(usages []measure.Usage, figure func(measure.Usage) int64) float64 {
	var samples []float64
	for _, usage := range usages {
		samples = append(samples, float64(figure(usage)))
	}
	return measure.Median(samples)
}

// size reports the lines of Go for one datatype.
func size(us, peer *project, p plan, report *measure.Report) error {
	ourLines, err := us.lines("datatypes")
	if err != nil {
		return err
	}
	peerLines, err := peer.lines("schema")
	if err != nil {
		return err
	}
	each := func(lines int) float64 { return float64(lines) / float64(p.large) }
	name := "lines of Go for one datatype"
	report.Add(measure.Compare(suite, name, allDBs, "lines", entName, each(ourLines), each(peerLines), nil))
	if !p.quick {
		report.Add(measure.Compare(suite, name, allDBs, "lines", "limit", each(ourLines), 450, p.target(1)))
	}
	return nil
}

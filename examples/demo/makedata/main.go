// Command makedata made data/products.csv and data/products.expected.json. It
// plants every fault itself and counts what it planted, so the figures that the
// demo is held against do not come from the code that the demo shows.
//
//	go run ./examples/demo/makedata -out examples/demo/data
//
// The seed is fixed: running it again makes the same bytes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

const (
	seed    = 20261123
	records = 5000
)

var (
	categories = []string{"audio", "cables", "displays", "keyboards", "storage"}
	makers     = []string{"Aster", "Birke", "Cedro", "Dune", "Élan", "Fjell"}
	things     = []string{"Headset", "Cable, braided", "Monitor", "Keyboard", "Flash drive", "Dock"}
)

// expected is what an import of the file has to come to.
type expected struct {
	Products    int            `json:"products"`     // distinct SKUs among the good rows
	Updated     int            `json:"updated"`      // good rows whose SKU came before
	Units       int            `json:"units"`        // sum of stock
	ValueCents  int            `json:"value_cents"`  // sum of price times stock
	ByCategory  map[string]int `json:"by_category"`  // products in each
	Unreleased  int            `json:"unreleased"`   // products without a date
	LongTexts   int            `json:"long_texts"`   // products whose description spans lines
	Rejected    map[string]int `json:"rejected"`     // rows refused, by the field at fault
	RejectLines int            `json:"reject_lines"` // sum of the line numbers at which refused rows begin
}

// product is a good row.
type product struct {
	sku, name, category, released, description string
	cents, stock                               int
}

type maker struct {
	random   *rand.Rand
	text     strings.Builder
	line     int // the line at which the next record begins, from 1
	products map[string]product
	skus     []string
	want     expected
}

func main() {
	out := flag.String("out", "examples/demo/data", "folder to write to")
	flag.Parse()
	m := &maker{random: rand.New(rand.NewPCG(seed, seed)), products: map[string]product{}, line: 1}
	m.want.Rejected, m.want.ByCategory = map[string]int{}, map[string]int{}
	m.text.WriteString("\ufeff") // a byte-order mark, as spreadsheets write it
	m.record("sku", "name", "price", "stock", "category", "released", "description")
	for i := range records {
		m.row(i)
	}
	m.sum()
	write(filepath.Join(*out, "products.csv"), []byte(m.text.String()))
	figures, err := json.MarshalIndent(m.want, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	write(filepath.Join(*out, "products.expected.json"), append(figures, '\n'))
}

func write(path string, text []byte) {
	if err := os.WriteFile(path, text, 0o666); err != nil {
		log.Fatal(err)
	}
}

// row writes record i: one in 25 with a fault, one in 40 a repetition of a SKU.
func (m *maker) row(i int) {
	p := m.fresh(i)
	switch {
	case i%25 == 7:
		m.faulty(p, i/25)
	case i%25 == 9 && i%2 == 0:
		m.raw("\r\n", 1) // an empty line, which no one counts
		m.good(p)
	case i%40 == 13:
		earlier := m.skus[m.random.IntN(len(m.skus))]
		p.sku = earlier
		m.want.Updated++
		m.good(p)
	default:
		m.good(p)
	}
}

func (m *maker) fresh(i int) product {
	maker, thing := makers[m.random.IntN(len(makers))], things[m.random.IntN(len(things))]
	p := product{
		sku:      fmt.Sprintf("%s-%05d", strings.ToUpper(string("ABCDEFGH"[i%8])+"QX"), i),
		name:     fmt.Sprintf("%s %s %d", maker, thing, m.random.IntN(90)+10),
		category: categories[m.random.IntN(len(categories))],
		cents:    m.random.IntN(50_000) + 1,
		stock:    m.random.IntN(400),
	}
	if m.random.IntN(4) > 0 {
		p.released = fmt.Sprintf("20%02d-%02d-%02d", m.random.IntN(26), m.random.IntN(12)+1, m.random.IntN(28)+1)
	}
	switch m.random.IntN(5) {
	case 0:
		p.description = `Known as "the good one", with a 27" stand`
	case 1:
		p.description = "First line, with a comma\r\nsecond line\r\n\r\nlast line"
	case 2:
		p.description = "Größe: mittel; 日本語のラベル付き"
	}
	return p
}

// good writes a row that has to be imported; some fields have spaces around them.
func (m *maker) good(p product) {
	sku, name, price := p.sku, p.name, cents(p.cents)
	switch m.random.IntN(20) {
	case 0:
		sku += "  "
	case 1:
		name = " " + name + "\t"
	case 2:
		price += " "
	}
	m.record(sku, name, price, fmt.Sprint(p.stock), p.category, p.released, p.description)
	if _, known := m.products[p.sku]; !known {
		m.skus = append(m.skus, p.sku)
	}
	m.products[p.sku] = p
}

// faulty writes a row that has to be refused, for one reason only.
func (m *maker) faulty(p product, n int) {
	price, stock := cents(p.cents), fmt.Sprint(p.stock)
	pick := func(bad ...string) string { return bad[m.random.IntN(len(bad))] }
	field := []string{"price", "stock", "sku", "name", "category", "released", "columns", "quotes", "encoding"}[n%9]
	m.want.Rejected[field]++
	m.want.RejectLines += m.line
	switch field {
	case "price":
		price = pick("12,50", "n/a", "", "-3.00", "19.999", "1e400", "€ 5")
	case "stock":
		stock = pick("ten", "-5", "1.5", "", "99999999999999999999")
	case "sku":
		p.sku = pick(strings.ToLower(p.sku), "AQX-12", "", p.sku+"0", "'"+p.sku)
	case "name":
		p.name = pick("", "   ", strings.Repeat("very long ", 13)+"name")
	case "category":
		p.category = pick("gadgetz", "", "Audio")
	case "released":
		p.released = pick("31/02/2026", "2026-13-01", "2026-02-30", "soon")
	case "columns":
		if m.random.IntN(2) == 0 {
			m.record(p.sku, p.name, price)
		} else {
			m.record(p.sku, p.name, price, stock, p.category, p.released, "", "one too many")
		}
		return
	case "quotes":
		m.raw(fmt.Sprintf("%s,Monitor 27\" wide,%s,%s,%s,%s,\r\n", p.sku, price, stock, p.category, p.released), 1)
		return
	case "encoding": // Latin-1, from an old till
		p.name = pick("Caf\xe9 Dock", "Gr\xf6\xdfe L", "nul\x00byte")
	}
	m.record(p.sku, p.name, price, stock, p.category, p.released, "")
}

// record writes one record, quoted where it must be.
func (m *maker) record(fields ...string) {
	quoted := make([]string, len(fields))
	lines := 1
	for i, field := range fields {
		quoted[i] = field
		if strings.ContainsAny(field, ",\"\r\n") {
			quoted[i] = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		lines += strings.Count(field, "\n")
	}
	m.raw(strings.Join(quoted, ",")+"\r\n", lines)
}

func (m *maker) raw(text string, lines int) {
	m.text.WriteString(text)
	m.line += lines
}

// sum counts what the last good row of each SKU leaves behind.
func (m *maker) sum() {
	for _, p := range m.products {
		m.want.Products++
		m.want.Units += p.stock
		m.want.ValueCents += p.cents * p.stock
		m.want.ByCategory[p.category]++
		if p.released == "" {
			m.want.Unreleased++
		}
		if strings.Contains(p.description, "\n") {
			m.want.LongTexts++
		}
	}
}

func cents(c int) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }

package core

import "github.com/hegner123/modulagen/runtime/store/internal/filter"

// Referrer is a column by which rows of another datatype, or of the same one, refer to rows.
type Referrer struct {
	Spec   *Spec
	Column int
}

// Unreferenced keeps the rows that no row refers to by one of the columns: with on_delete
// restrict, those that can be deleted. A row that is added meanwhile may refer to one all the
// same; the database then refuses the deletion.
func Unreferenced(by ...Referrer) AnyCond {
	n := &filter.Node{Op: filter.And}
	for _, r := range by {
		of := &filter.Referrer{Table: r.Spec.Name, Column: r.Spec.Columns[r.Column].Name}
		n.Kids = append(n.Kids, &filter.Node{Op: filter.Unreferenced, Args: []any{of}})
	}
	return AnyCond{Filter: n}
}

// unreferenced writes that no row refers to the row, or its opposite. The table has another name
// within, for it may be the same one.
func (b *builder) unreferenced(n *filter.Node, negate bool) {
	by, ok := n.Args[0].(*filter.Referrer)
	if !ok {
		b.fail(invalidf("a filter asks for references by something else than a column"))
		return
	}
	if !negate {
		b.write("NOT ")
	}
	b.write("EXISTS (SELECT 1 FROM ", b.d.Quote(by.Table), " AS referrer WHERE referrer.", b.d.Quote(by.Column), " = ", b.table, ".", b.quoted[0], ")")
}

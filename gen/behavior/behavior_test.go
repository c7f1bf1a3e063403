package behavior

import (
	"fmt"
	"testing"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

func textField(name string, length int64) *model.Field {
	return &model.Field{Name: name, Type: "text", Rules: check.Rules{Kind: check.Text, Max: check.AtInt(length)}}
}

func apply(t *testing.T, d *model.Datatype) {
	t.Helper()
	if err := Apply[Behavior](&model.Project{Datatypes: []*model.Datatype{d}}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestReferencesAreIndexedOnce(t *testing.T) {
	author := &model.Datatype{Name: "author"}
	f := &model.Field{Name: "author_id", Type: "reference", References: author, Reference: &model.Reference{To: "author"}}
	bare := &model.Datatype{Name: "post", GoRow: "Post", Fields: []*model.Field{f}}
	apply(t, bare)
	if len(bare.Indexes) != 1 || bare.Indexes[0].Columns[0].Field != f {
		t.Errorf("indexes of a bare reference: %v", bare.Indexes)
	}
	led := &model.Datatype{Name: "post", GoRow: "Post", Fields: []*model.Field{f, textField("title", 10)}}
	led.Indexes = []*model.Index{{Name: "x", Columns: []model.IndexColumn{{Field: f}, {Field: led.Fields[1]}}}}
	apply(t, led)
	if len(led.Indexes) != 1 {
		t.Errorf("a reference that leads an index got another: %v", led.Indexes)
	}
	partial := &model.Datatype{Name: "post", GoRow: "Post", Fields: []*model.Field{f}}
	partial.Indexes = []*model.Index{{Name: "x", Columns: []model.IndexColumn{{Field: f}}, Where: []model.Condition{{Field: f, Op: "not_null"}}}}
	apply(t, partial)
	if len(partial.Indexes) != 2 {
		t.Error("an index over some rows was taken for one over all")
	}
}

// A MySQL row holds 65,535 bytes; texts beyond that must be kept elsewhere, the
// longest first, and never one that an index covers.
func TestLongTextsLeaveTheRow(t *testing.T) {
	d := &model.Datatype{Name: "page", GoRow: "Page"}
	for i := range 30 {
		d.Fields = append(d.Fields, textField(fmt.Sprintf("line_%02d", i), 600))
	}
	short := textField("short", 20)
	d.Fields = append(d.Fields, short)
	d.Indexes = []*model.Index{{Name: "x", Columns: []model.IndexColumn{{Field: d.Fields[0]}}}}
	apply(t, d)
	inRow := int64(0)
	for _, f := range d.Fields {
		if !f.Wide {
			inRow += 4 * f.Rules.Max.Int()
		}
	}
	if inRow > rowBytes {
		t.Errorf("%d bytes of text are left in the row, at most %d wanted", inRow, rowBytes)
	}
	if d.Fields[0].Wide || short.Wide {
		t.Error("an indexed text or a short one left the row")
	}
}

func TestEveryDatatypeHasTheSameAccess(t *testing.T) {
	slug := textField("slug", 20)
	d := &model.Datatype{Name: "post", GoRow: "Post", Fields: []*model.Field{slug}}
	d.Indexes = []*model.Index{
		{Name: "post_slug_key", GoName: "Slug", Unique: true, Columns: []model.IndexColumn{{Field: slug}}},
		{Name: "post_some_key", Unique: true, Columns: []model.IndexColumn{{Field: slug}}, Where: []model.Condition{{Field: slug, Op: "not_null"}}},
	}
	apply(t, d)
	var names []string
	for _, op := range d.Operations {
		names = append(names, op.Name)
	}
	want := "[InsertPost GetPost GetPostBySlug UpdatePost UpsertPostBySlug DeletePost ListPost]"
	if got := fmt.Sprint(names); got != want {
		t.Errorf("operations %s, want %s", got, want)
	}
}

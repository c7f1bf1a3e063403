package names

import (
	"github.com/hegner123/modulagen/gen/model"
)

// database returns what the three databases keep under a name.
func database(all []*model.Datatype) []model.Name {
	var out []model.Name
	for _, d := range all { // tables first: an index is easier to rename
		out = append(out, model.Name{
			Space: model.SpaceRelations, Text: d.Name, What: "the table " + called(d),
			Pos: d.Pos, Owner: d, Added: d.AddedFor != "", Hint: "choose another name",
		})
	}
	for _, d := range all {
		out = append(out, implied(d)...)
		out = append(out, constraints(d)...)
		out = append(out, operations(d)...)
	}
	for _, d := range all {
		out = append(out, indexes(d)...)
	}
	return out
}

// implied returns what PostgreSQL creates and names by itself, with a table.
func implied(d *model.Datatype) []model.Name {
	base := model.Name{Space: model.SpaceRelations, Pos: d.Pos, Owner: d, Added: true, Hint: "rename the datatype, or the other"}
	key := base
	key.Text, key.What = d.Name+"_pkey", "the primary key of "+d.Name
	if d.ID != model.IDInteger {
		return []model.Name{key}
	}
	sequence := base
	sequence.Text, sequence.What = d.Name+"_id_seq", "the sequence of the ids of "+d.Name
	return []model.Name{key, sequence}
}

func columns(d *model.Datatype) []model.Name {
	out := []model.Name{{Space: model.Columns(d), Text: "id", What: "the id", Pos: d.Pos, Owner: d, Added: true}}
	for _, f := range d.Fields {
		what := "field " + f.Name
		if f.Added {
			what = "the column that a section of this datatype adds"
		}
		out = append(out, model.Name{
			Space: model.Columns(d), Text: f.Name, What: what, Pos: f.Pos, Owner: d, Added: f.Added, Hint: "give the field another name",
		})
	}
	for _, x := range d.Indexes {
		if x.Unique && len(x.Where) > 0 { // MySQL's form of a partial one
			out = append(out, model.Name{
				Space: model.Columns(d), Text: x.WhenColumn(), What: "the column of the condition of index " + x.Name,
				Pos: x.NamePos, Owner: d, Added: true, Hint: "give the index another name with name:",
			})
		}
	}
	return out
}

func constraints(d *model.Datatype) []model.Name {
	var out []model.Name
	for _, f := range d.Fields {
		base := model.Name{Pos: f.Pos, Owner: d, Added: f.Added, Hint: "rename the field"}
		if len(f.Options) > 0 { // the one that MySQL has too
			check := base
			check.Space, check.Text, check.What = model.SpaceChecks, model.ShortName(d.Name+"_"+f.Name+"_check"), "the check of "+d.Name+"."+f.Name
			out = append(out, check)
		}
		if f.References != nil {
			key := base
			key.Space, key.Text, key.What = model.SpaceForeignKeys, model.ShortName(d.Name+"_"+f.Name+"_fkey"), "the foreign key of "+d.Name+"."+f.Name
			out = append(out, key)
		}
	}
	return out
}

func indexes(d *model.Datatype) []model.Name {
	var out []model.Name
	for _, x := range d.Indexes {
		n := model.Name{
			Space: model.SpaceRelations, Text: x.Name, What: "an index of " + d.Name, Pos: x.NamePos, Owner: d, Added: x.Added,
			Hint: "give the index another name with name:",
		}
		if x.Added {
			n.What, n.Hint = "the index that is added over "+d.Name+"."+x.Columns[0].Field.Name, "rename the datatype, or the other"
		}
		out = append(out, n)
	}
	return out
}

func operations(d *model.Datatype) []model.Name {
	var out []model.Name
	for _, op := range d.Operations {
		n := model.Name{
			Space: model.SpaceQueries, Text: op.Name, What: "a query of " + d.Name, Pos: d.GoPos, Owner: d, Added: d.AddedFor != "",
			Hint: "give it another go_name",
		}
		if op.Key != nil {
			n.Pos = op.Key.NamePos
		}
		out = append(out, n)
		for _, step := range op.Steps {
			n.Text = op.Name + step
			out = append(out, n)
		}
	}
	return out
}

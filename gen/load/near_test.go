package load

import (
	"fmt"
	"testing"
	"testing/fstest"
)

func TestSnake(t *testing.T) {
	for in, want := range map[string]string{
		"userId": "user_id", "UserID": "user_id", "User Name": "user_name", "a-b": "a_b", "2nd": "2nd",
		"*/": "", "größe": "", "already_snake": "already_snake", "__x__": "x", "line2Text": "line2_text",
	} {
		if got := snake(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func ExampleLoad() {
	_, err := Load(fstest.MapFS{"datatypes/article.yaml": {Data: []byte(`name: article
fields:
  - {name: title, type: text, requierd: true}
  - {name: status, type: select, options: [draft, live], default: drafft}
`)}})
	fmt.Println(err)
	// Output:
	// datatypes/article.yaml:3:31: unknown key "requierd" in a field
	//       - {name: title, type: text, requierd: true}
	//                                   ^
	//     write "required"
	// datatypes/article.yaml:4:67: default breaks the field's own rules: must be one of draft, live
	//       - {name: status, type: select, options: [draft, live], default: drafft}
	//                                                                       ^
	//     write "draft"
}

package load_test

import (
	"fmt"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/load"
)

func ExampleLoad() {
	_, err := load.Load(fstest.MapFS{"datatypes/article.yaml": {Data: []byte(`name: article
fields:
  - {name: title, type: text, requierd: true}
  - {name: status, type: select, options: [draft, live], default: drafft}
`)}}, gen.Behaviors)
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

package worker

const sqlitePath = "github.com/hegner123/modulagen/runtime/store/sqlite"

// What the package of handlers has once.
var (
	sharedHeader = "// Package %s has the handlers of this program: what New returns is for db.Run and db.Drain.\n" +
		"// `go tool modulagen scaffold NAME` adds what a datatype lacks here, and changes nothing that is\n// here.\n"

	// New is the function that makes generated.Workers.
	New = Decl{
		Name: "New",
		Doc:  []string{"New returns the handlers of this program, for db.Run and db.Drain."},
		Text: "func New(db *@generated.DB) @generated.Workers {\n\tvar w @generated.Workers\n\treturn w\n}",
	}
	notWritten = Decl{
		Name: "ErrNotImplemented",
		Doc: []string{
			"ErrNotImplemented is what a method returns that the scaffold has added and nobody has written yet: what it was called for has failed, and does not count as done.",
		},
		Text: "var ErrNotImplemented = @errors.New(\"not implemented yet\")",
	}
	notImplementedFunc = Decl{
		Name: "notImplemented",
		Doc:  []string{"notImplemented returns the error of a method that is to be written."},
		Text: "func notImplemented(method string) error {\n\treturn @fmt.Errorf(\"%s is %w\", method, ErrNotImplemented)\n}",
	}
)

// What its tests have once.
var (
	testDB = Decl{
		Name: "testDB",
		Doc:  []string{"testDB opens an empty database, which is closed when the test ends."},
		Text: `func testDB(t *@testing.T) *@generated.DB {
	t.Helper()
	db, err := @generated.Open(t.Context(), "sqlite::memory:", @generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}`,
	}
	checkEnd = Decl{
		Name: "checkEnd",
		Doc: []string{
			"checkEnd fails the test unless the method of a handler was called and returned nil. That of one which is not implemented yet is logged: the test shows that it is reached.",
		},
		Text: `func checkEnd(t *@testing.T, method string, called bool, err error) {
	t.Helper()
	switch {
	case !called:
		t.Errorf("%s was not called", method)
	case @errors.Is(err, ErrNotImplemented):
		t.Log(err)
	case err != nil:
		t.Errorf("%s: %v", method, err)
	}
}`,
	}
)

package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// folder holds the lists, below the project's root.
const folder = "testdata/mutants"

// servers says which variable of scripts/services.sh leads to a server.
var servers = map[string]string{
	"postgres": "MODULAGEN_POSTGRES_DSN",
	"mysql":    "MODULAGEN_MYSQL_DSN",
	"redis":    "MODULAGEN_REDIS_ADDR",

	"pgbouncer": "MODULAGEN_PGBOUNCER_DSN",
}

// mutant is one entry of a list.
type mutant struct {
	Name  string   `yaml:"name"`
	File  string   `yaml:"file"` // slashed, from the root
	Old   string   `yaml:"old"`
	New   string   `yaml:"new"`
	Why   string   `yaml:"why"`
	Test  []string `yaml:"test"`
	Needs []string `yaml:"needs"`

	area string
}

// read returns the entries of every list, in order.
func read(root string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(root, folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		list, err := decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for i := range list {
			list[i].area = strings.TrimSuffix(filepath.Base(file), ".yaml")
		}
		all = append(all, list...)
	}
	return all, nil
}

func decode(text []byte) ([]mutant, error) {
	var list []mutant
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return list, nil
}

// pkg is the folder of the broken file, by which results are counted.
func (m mutant) pkg() string { return filepath.ToSlash(filepath.Dir(filepath.FromSlash(m.File))) }

// broken returns the file's text with the break in it, or why there is none.
func (m mutant) broken(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.File)))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.Old); m.Old == "" || n != 1 {
		return "", fmt.Errorf("old stands in %s %d times, not once", m.File, n)
	}
	if m.Old == m.New {
		return "", errors.New("new is old: nothing is broken")
	}
	out := strings.Replace(string(text), m.Old, m.New, 1)
	if strings.HasSuffix(m.File, ".go") {
		if _, err := parser.ParseFile(token.NewFileSet(), m.File, out, 0); err != nil {
			return "", fmt.Errorf("new does not parse: %w", err)
		}
	}
	return out, nil
}

// check reports what is wrong with the entry, apart from what only the compiler
// can say.
func (m mutant) check(root string) error {
	var wrong []error
	for what, text := range map[string]string{"name": m.Name, "file": m.File, "why": m.Why} {
		if text == "" {
			wrong = append(wrong, fmt.Errorf("%s is missing", what))
		}
	}
	for _, need := range m.Needs {
		if servers[need] == "" {
			wrong = append(wrong, fmt.Errorf("needs: %q is not postgres, mysql, redis or pgbouncer", need))
		}
	}
	if _, err := m.broken(root); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(append(wrong, m.checkTest(root))...)
}

// checkTest: the packages exist, and one of them has a test that -run selects.
func (m mutant) checkTest(root string) error {
	var functions []string
	for _, alternative := range split(m.pattern(), '|') {
		functions = append(functions, split(alternative, '/')[0])
	}
	run, err := regexp.Compile(strings.Join(functions, "|"))
	if err != nil {
		return fmt.Errorf("test: %w", err)
	}
	packages := 0
	var names []string
	for _, arg := range m.Test {
		if !strings.HasPrefix(arg, "./") {
			continue
		}
		packages++
		found, err := tests(filepath.Join(root, filepath.FromSlash(arg)))
		if err != nil {
			return fmt.Errorf("test: %w", err)
		}
		names = append(names, found...)
	}
	if packages == 0 {
		return errors.New("test: no package, as in [./runtime/queue, -run, TestClaim]")
	}
	if !slices.ContainsFunc(names, run.MatchString) {
		return fmt.Errorf("test: no test of %v matches %q", m.Test, run)
	}
	return nil
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)

// listed keeps what tests found: many entries name the same few packages.
var listed sync.Map // of []string by folder

// tests lists the test functions of a package's folder.
func tests(dir string) ([]string, error) {
	if names, ok := listed.Load(dir); ok {
		return names.([]string), nil
	}
	names, err := findTests(dir)
	if err == nil {
		listed.Store(dir, names)
	}
	return names, err
}

func findTests(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no tests", dir)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, match := range testFunc.FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
	}
	return names, nil
}

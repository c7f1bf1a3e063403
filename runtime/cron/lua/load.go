package lua

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	vm "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// Bounds of what is read.
const (
	maxFile    = 256 << 10 // bytes of one file
	maxFiles   = 200       // of one plugin
	maxPlugins = 1000
)

// mainFile defines the functions that jobs call.
const mainFile = "main.lua"

// plugin is a plugin as it was read. What is wrong with it is kept, so that its jobs alone fail.
type plugin struct {
	name     string
	shown    string // its folder
	manifest manifest
	main     *script
	files    map[string]*script // main.lua among them
	err      error
}

// script is one file, compiled.
type script struct {
	name, shown string
	size        int
	proto       *vm.FunctionProto
	functions   []string // that it defines as globals
	err         error
}

func (p *plugin) manifestName() string { return p.shown + "/" + manifestFile }

// load reads every plugin.
func (s *Source) load() (map[string]*plugin, error) {
	entries, err := fs.ReadDir(s.files, ".")
	if err != nil {
		return nil, fmt.Errorf("cron/lua: the folder of plugins %s: %w", strings.TrimSuffix(s.root, "/"), err)
	}
	out := map[string]*plugin{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !s.isDir(e) {
			continue
		}
		if len(out) == maxPlugins {
			return nil, fmt.Errorf("cron/lua: more than %d plugins in %s", maxPlugins, strings.TrimSuffix(s.root, "/"))
		}
		out[e.Name()] = s.plugin(e.Name())
	}
	return out, nil
}

// isDir follows symbolic links, which folders of deployed configuration are made of.
func (s *Source) isDir(e fs.DirEntry) bool {
	info, err := fs.Stat(s.files, e.Name())
	return err == nil && info.IsDir()
}

func (s *Source) plugin(name string) *plugin {
	p := &plugin{name: name, shown: s.root + name, files: map[string]*script{}}
	data, err := s.read(path.Join(name, manifestFile), maxManifest)
	switch {
	case err == nil:
		p.manifest, err = readManifest(p.manifestName(), data)
		if err == nil && p.manifest.name != "" && p.manifest.name != name {
			err = fmt.Errorf("%s: the name is %q, and must be that of the folder, %s", p.manifestName(), printable(p.manifest.name), name)
		}
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	p.err = errors.Join(err, s.scripts(p))
	if p.main = p.files[mainFile]; p.main == nil {
		p.main = &script{name: mainFile, shown: p.shown + "/" + mainFile}
		p.err = errors.Join(p.err, fmt.Errorf("%s is missing", p.main.shown))
	}
	p.err = errors.Join(p.err, p.main.err)
	for _, f := range p.manifest.functions {
		if p.err == nil && !slices.Contains(p.main.functions, f) {
			p.err = fmt.Errorf("%s: %s defines no function %s%s", p.manifestName(), p.main.shown, printable(f), meant(f, p.main.functions))
		}
	}
	return p
}

// scripts reads the files of a plugin.
func (s *Source) scripts(p *plugin) error {
	return fs.WalkDir(s.files, p.name, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		if e.IsDir() || path.Ext(file) != ".lua" {
			return nil
		}
		if len(p.files) == maxFiles {
			return fmt.Errorf("%s has more than %d files", p.shown, maxFiles)
		}
		f := &script{name: strings.TrimPrefix(file, p.name+"/"), shown: s.root + file}
		p.files[f.name] = f
		data, err := s.read(file, maxFile)
		if err != nil {
			f.err = err
			return nil
		}
		f.compile(data)
		return nil
	})
}

// read reads a file that has no more than so many bytes.
func (s *Source) read(file string, most int) ([]byte, error) {
	info, err := fs.Stat(s.files, file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(most) {
		return nil, fmt.Errorf("%s%s has %d bytes, and %d are permitted", s.root, file, info.Size(), most)
	}
	return fs.ReadFile(s.files, file)
}

// compile parses a file, rewrites it and makes the code of the VM of it.
func (f *script) compile(data []byte) {
	f.size = len(data)
	defer func() {
		if e := recover(); e != nil { // the compiler's own
			f.err = fmt.Errorf("%s: it cannot be compiled: %v", f.shown, e)
		}
	}()
	chunk, err := parse.Parse(strings.NewReader(string(data)), f.shown)
	if err != nil {
		f.err = syntaxError(f.shown, err)
		return
	}
	f.functions = defined(chunk)
	chunk, err = rewrite(chunk)
	if nested, ok := errors.AsType[*nestingError](err); ok {
		f.err = fmt.Errorf("%s:%d: %w", f.shown, nested.line, err)
		return
	}
	f.proto, err = vm.Compile(chunk, f.shown)
	if compiling, ok := errors.AsType[*vm.CompileError](err); ok {
		f.err = fmt.Errorf("%s:%d: %s", f.shown, compiling.Line, compiling.Message)
	} else if err != nil {
		f.err = fmt.Errorf("%s: %w", f.shown, err)
	}
}

// syntaxError is an error of the parser, with its line where people look for it.
func syntaxError(shown string, err error) error {
	if e, ok := errors.AsType[*parse.Error](err); ok {
		line := e.Pos.Line
		if line < 0 { // the end of the file
			return fmt.Errorf("%s: %s at the end of the file", shown, e.Message)
		}
		return fmt.Errorf("%s:%d: %s near %q", shown, line, e.Message, printable(e.Token))
	}
	return fmt.Errorf("%s: %s", shown, strings.TrimSpace(cut(err.Error(), 400)))
}

// defined are the global functions that a file defines at its top.
func defined(chunk []ast.Stmt) []string {
	var out []string
	add := func(target ast.Expr) {
		if name, ok := target.(*ast.IdentExpr); ok && !slices.Contains(out, name.Value) {
			out = append(out, name.Value)
		}
	}
	local := map[string]bool{}
	for _, s := range chunk {
		switch s := s.(type) {
		case *ast.LocalAssignStmt:
			for _, name := range s.Names {
				local[name] = true
			}
		case *ast.FuncDefStmt:
			if s.Name.Func != nil {
				add(s.Name.Func)
			}
		case *ast.AssignStmt:
			for _, target := range s.Lhs {
				add(target)
			}
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return local[name] })
}

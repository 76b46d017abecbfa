package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// place is a file or a folder of the project as pages name it, with the name of a declaration in it, perhaps:
// `ftpd/session.go:session.handle`.
var place = regexp.MustCompile("`((?:api|cmd|controllers|ftpd|hack|internal|test)/[\\w./-]*\\w)(?::([\\w.]+))?`")

// Every file, folder and declaration that a page names is there.
func TestPlacesExist(t *testing.T) {
	named := 0
	for _, page := range markdown(t) {
		for _, m := range place.FindAllStringSubmatch(pageText(t, page), -1) {
			if strings.Contains(m[1], "KIND") || strings.Contains(m[1], "NAME") {
				continue // it stands for any
			}
			path := filepath.Join(root, m[1])
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s names %s, which is not there", page, m[1])
				continue
			}
			if m[2] == "" {
				continue
			}
			if named++; !declared(t, path)[m[2]] {
				t.Errorf("%s names %s of %s, which declares no such thing", page, m[2], m[1])
			}
		}
	}
	if named == 0 {
		t.Error("no page names a declaration")
	}
}

// declared are the names that a Go file declares: of methods with their type's.
func declared(t *testing.T, path string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				on := d.Recv.List[0].Type
				if star, ok := on.(*ast.StarExpr); ok {
					on = star.X
				}
				if id, ok := on.(*ast.Ident); ok {
					name = id.Name + "." + name
				}
			}
			names[name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names[spec.Name.Name] = true
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						names[id.Name] = true
					}
				}
			}
		}
	}
	return names
}

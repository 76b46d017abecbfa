package docs

import (
	"go/ast"
	"go/parser"
	"path/filepath"
	"strings"
	"testing"
)

// TestInternalTestsAreNamed: in a folder with tests inside of its package and others outside, the files of those inside end in
// _internal_test.go, and in no other folder, as CONTRIBUTING.md says.
func TestInternalTestsAreNamed(t *testing.T) {
	inside, outside := map[string][]string{}, map[string]bool{}
	folders := []string{"api", "cmd", "controllers", "ftpd", "hack", "internal", "test"}
	eachGoFile(t, folders, parser.PackageClauseOnly, func(name string, file *ast.File) {
		folder := filepath.Dir(name)
		switch {
		case !strings.HasSuffix(name, "_test.go"), filepath.Base(name) == "export_test.go":
		case strings.HasSuffix(file.Name.Name, "_test"):
			outside[folder] = true
		default:
			inside[folder] = append(inside[folder], name)
		}
	})
	for folder, names := range inside {
		for _, name := range names {
			switch marked := strings.HasSuffix(name, "_internal_test.go"); {
			case outside[folder] && !marked:
				t.Errorf("%s is inside of its package, and other tests of the folder are outside: name it ..._internal_test.go", name)
			case !outside[folder] && marked:
				t.Errorf("%s: all tests of its folder are inside of the package: name it ..._test.go", name)
			}
		}
	}
}

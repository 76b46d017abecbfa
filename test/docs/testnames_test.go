package docs

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestInternalTestsAreNamed: in a folder with tests inside of its package and others outside, the files of those inside end in
// _internal_test.go, and in no other folder, as CONTRIBUTING.md says.
func TestInternalTestsAreNamed(t *testing.T) {
	files, err := exec.Command("git", "-C", root, "ls-files", "*_test.go").Output()
	if err != nil {
		t.Skipf("NOT TESTED: the names of test files: git ls-files: %v", err)
	}
	inside, outside := map[string][]string{}, map[string]bool{}
	for name := range strings.FieldsSeq(string(files)) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Dir(name)
		switch {
		case path.Base(name) == "export_test.go":
		case strings.HasSuffix(parsed.Name.Name, "_test"):
			outside[folder] = true
		default:
			inside[folder] = append(inside[folder], name)
		}
	}
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

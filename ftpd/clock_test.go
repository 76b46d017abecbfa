package ftpd_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// wallClock lists the places where a time loses its monotonic reading, and why that is correct. Anywhere else it
// would lead to wrong results once the machine's clock is set. The keys are file and call.
var wallClock = map[string]string{
	"ftpd/cmd_status.go Round":             "a duration",
	"ftpd/abuse.go Round":                  "a duration, for the log",
	"ftpd/schedule.go time.Unix":           "a deadline in the past, whatever the clock says",
	"ftpd/transfer/transfer.go time.Unix":  "a deadline in the past, whatever the clock says",
	"ftpd/wire/values.go UTC":              "a time of the protocol",
	"ftpd/listing/ls.go UTC":               "a file's time",
	"ftpd/listing/lines.go time.Unix":      "before and after all files' times",
	"ftpd/storage/facts/fact.go time.Unix": "a file's time; it is compared with the clock by which the kernel has set it",
	"ftpd/storage/facts/info.go time.Unix": "a file's time",
	"ftpd/ftptls/store.go UTC":             "a certificate's time",
}

// Deadlines, bans, limits and ages must use the monotonic clock: only the places in wallClock may remove the
// monotonic reading from a time.
func TestMonotonicTimes(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "ftptest/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name := sel.Sel.Name
			pkg, _ := sel.X.(*ast.Ident)
			switch {
			case pkg != nil && pkg.Name == "time" && (name == "Unix" || name == "UnixMilli" || name == "Date"):
				name = "time." + name
			case name == "UTC" || name == "Local" || name == "Round" || name == "UnixNano" || name == "UnixMilli":
			case name == "In" && len(call.Args) == 1:
			default:
				return true
			}
			key := fmt.Sprintf("ftpd/%s %s", path, name)
			seen[key] = true
			if wallClock[key] == "" {
				t.Errorf("%s: it loses the monotonic reading, and may go wrong when the clock is set", key)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range wallClock {
		if !seen[key] {
			t.Errorf("%s is not there any more", key)
		}
	}
}

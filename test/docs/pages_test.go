package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// program is the set of the program's string literals and of the tests' names.
type program struct {
	strings map[string]bool
	tests   map[string]bool
}

// read collects the string literals of the Go files that are not tests, and the names of tests: functions, and the
// texts of Ginkgo's It, Describe and DescribeTable.
func read(t *testing.T) program {
	t.Helper()
	p := program{strings: map[string]bool{}, tests: map[string]bool{}}
	eachGoFile(t, []string{"api", "cmd", "controllers", "ftpd", "internal", "test"}, parser.SkipObjectResolution, func(path string, file *ast.File) {
		p.collect(file, strings.HasSuffix(path, "_test.go"))
	})
	return p
}

// eachGoFile calls each for every Go file in the folders below the root of the repository, and below these. It leaves out
// the generated apply configurations.
func eachGoFile(t *testing.T, folders []string, mode parser.Mode, each func(path string, file *ast.File)) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "applyconfiguration") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
			if err == nil {
				each(path, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (p program) collect(file *ast.File, test bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); !test && n.Kind == token.STRING && err == nil {
				p.strings[text] = true
			}
		case *ast.FuncDecl:
			if test && n.Recv == nil && strings.HasPrefix(n.Name.Name, "Test") {
				p.tests[n.Name.Name] = true
			}
		case *ast.CallExpr:
			name, isName := n.Fun.(*ast.Ident)
			if !test || !isName || len(n.Args) == 0 {
				break
			}
			switch name.Name {
			case "It", "Describe", "DescribeTable":
				if literal, is := n.Args[0].(*ast.BasicLit); is {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						p.tests[text] = true
					}
				}
			}
		}
		return true
	})
}

// says reports whether one of the program's strings contains the text.
func (p program) says(text string) bool {
	for s := range p.strings {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}

// has reports whether the names, separated by commas, are tests; a name may itself contain commas.
func (p program) has(names string) bool {
	if p.tests[names] {
		return true
	}
	for at := range len(names) {
		if strings.HasPrefix(names[at:], ", ") && p.tests[names[:at]] && p.has(names[at+2:]) {
			return true
		}
	}
	return false
}

// rows returns the rows of the page's tables, as cells.
func rows(t *testing.T, page string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	head := true
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			head = true
		case strings.HasPrefix(line, "|-"):
			head = false
		case !head:
			cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00"), "|")
			for i := range cells {
				cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|")
			}
			all = append(all, cells)
		}
	}
	if len(all) < 20 {
		t.Fatalf("%s has %d rows", page, len(all))
	}
	return all
}

// TestEachStatementHasATest: the last cell of each row names existing tests.
func TestEachStatementHasATest(t *testing.T) {
	p := read(t)
	for _, page := range []string{"troubleshooting.md", "limits-and-failures.md"} {
		for _, row := range rows(t, page) {
			if names := row[len(row)-1]; !p.has(names) {
				t.Errorf("%s: there is no test %q (%s)", page, names, row[0])
			}
		}
	}
}

// quoted matches text in code type.
var quoted = regexp.MustCompile("`([^`]+)`")

// TestMessagesAreTheProgram: the first cell of a row in troubleshooting.md quotes a text of the program.
func TestMessagesAreTheProgram(t *testing.T) {
	p := read(t)
	messages := 0
	for _, row := range rows(t, "troubleshooting.md") {
		for _, found := range quoted.FindAllStringSubmatch(row[0], -1) {
			messages++
			if !p.says(found[1]) && found[1] != "FailedCreate" { // a reason of the Deployment that is passed on
				t.Errorf("the program does not say %q", found[1])
			}
		}
	}
	if messages < 40 {
		t.Errorf("%d messages, which are too few: is the page read?", messages)
	}
}

// wellReasons are the reasons of conditions that need no entry in troubleshooting.md: with each, the condition is as it
// should be.
var wellReasons = []string{
	"AddressResolved", "AnyNetwork", "AsDeclared", "CRDCurrent", "CertificateValid", "ClaimBound", "ConfigLoaded", "Ephemeral",
	"NetworksEnforced", "NotSuspended", "PodsReady", "PortsAssigned", "PortsExposed", "Ready", "TLSDisabled", "UsersReady", "WithinLimits",
}

// TestEachReasonHasAnEntry: each reason of a condition is in the first cell of a row of troubleshooting.md, or is one
// with which all is well.
func TestEachReasonHasAnEntry(t *testing.T) {
	entries := map[string]bool{}
	for _, row := range rows(t, "troubleshooting.md") {
		for _, found := range quoted.FindAllStringSubmatch(row[0], -1) {
			entries[found[1]] = true
		}
	}
	// The constants are named ReasonX or reasonX; those of problems, which are reasons of Ready and Stalled, ProblemX.
	constant := regexp.MustCompile(`\b(?:[Rr]eason|Problem)[A-Z]\w*(?: ProblemKind)?\s+= "(\w+)"`)
	reasons := 0
	for _, folder := range []string{"status", "loadbalancer", "address"} {
		files, err := filepath.Glob(filepath.Join(root, "controllers", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range constant.FindAllStringSubmatch(string(text), -1) {
				reasons++
				if reason := found[1]; entries[reason] == slices.Contains(wellReasons, reason) {
					t.Errorf("%s: reason %s has an entry in troubleshooting.md: %v; with it all is well: %v", filepath.Base(file), reason, entries[reason], !entries[reason])
				}
			}
		}
	}
	if reasons < 70 {
		t.Errorf("%d reasons, which are too few: are the constants read?", reasons)
	}
}

// TestMetricsExist: the metrics that the pages name are metrics of the daemon.
func TestMetricsExist(t *testing.T) {
	metrics, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows(t, "troubleshooting.md") {
		for _, cell := range row {
			for _, found := range quoted.FindAllStringSubmatch(cell, -1) {
				if strings.HasPrefix(found[1], "ftp_") && !strings.Contains(string(metrics), "`"+found[1]+"`") {
					t.Errorf("there is no metric %s", found[1])
				}
			}
		}
	}
}

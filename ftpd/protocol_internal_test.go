package ftpd

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptls"
)

// page returns the rows of the tables in docs/protocol.md, by the heading above them.
func page(t *testing.T) map[string][][]string {
	t.Helper()
	return tablesOf(t, "../docs/protocol.md")
}

// tablesOf returns the rows of the tables of a page, as page does.
func tablesOf(t *testing.T, file string) map[string][][]string {
	t.Helper()
	f, err := os.Open(file) //nolint:gosec // this repository's own
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	tables := map[string][][]string{}
	heading, row := "", 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if h, ok := strings.CutPrefix(line, "## "); ok {
			heading, row = h, 0
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if row++; row <= 2 {
			continue // the head of the table
		}
		var cells []string
		for _, cell := range strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|") {
			cells = append(cells, strings.Trim(strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|"), "`"))
		}
		tables[heading] = append(tables[heading], cells[1:len(cells)-1])
	}
	return tables
}

// The page must list every command with its syntax, and no other.
func TestProtocolPage(t *testing.T) {
	t.Parallel()
	known := maps.Clone(commands)
	for name, c := range siteCommands {
		known["SITE "+name] = c
	}
	for _, row := range page(t)["Commands"] {
		verb, syntax, state, note := row[0], row[1], row[3], row[4]
		c := known[verb]
		delete(known, verb)
		switch {
		case !slices.Contains([]string{"yes", "part", "refused", "no"}, state):
			t.Errorf("%s: state %q", verb, state)
		case (c == nil) != (state == "no"):
			t.Errorf("%s is %q, and known: %v", verb, state, c != nil)
		case c != nil && c.syntax != syntax:
			t.Errorf("%s: syntax %q, it takes %q", verb, syntax, c.syntax)
		case state != "yes" && note == "":
			t.Errorf("%s is %q without a reason", verb, state)
		}
	}
	for verb := range known {
		t.Errorf("%s is not on the page, or twice", verb)
	}
	for _, verb := range strings.Fields("USER PASS ACCT CWD CDUP PORT PASV TYPE MODE STRU RETR STOR APPE RNFR RNTO DELE RMD MKD PWD LIST NLST SYST STAT HELP NOOP QUIT") {
		if commands[verb] == nil {
			t.Errorf("RFC 1123 section 4.1.2.13 demands %s", verb)
		}
	}
}

// Some test must send every command that the page calls known.
func TestEveryCommandIsTried(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests []byte
	for _, file := range files {
		content, err := os.ReadFile(file) //nolint:gosec // this repository's own
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, content...)
	}
	for _, row := range page(t)["Commands"] {
		sent := regexp.MustCompile("(?i)(C: |[\"`])" + row[0] + "([ \"`\n]|\\\\r)")
		if row[3] != "no" && !sent.Match(tests) {
			t.Errorf("no test sends %s", row[0])
		}
	}
}

// The page must list the lines of FEAT that appear when everything is on.
func TestProtocolPageFeatures(t *testing.T) {
	t.Parallel()
	s := &session{srv: &Server{}, params: newParams()}
	s.srv.settings.Store(&settings{
		tls: &ftptls.Store{},
		cfg: &config.Config{Active: config.Active{Enabled: true}, TLS: &config.TLS{AllowCCC: true}},
	})
	s.refresh()
	want := features(s)
	var got []string
	for _, row := range page(t)["FEAT"] {
		got = append(got, row[0])
		if c := commands[row[1]]; !strings.HasPrefix(row[1], "(") && (c == nil || c.feat == nil || c.feat(s) != row[0]) {
			t.Errorf("%q is not of %s", row[0], row[1])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("FEAT on the page:\n%q\nin truth:\n%q", got, want)
	}
}

// declaredTests returns the names of the daemon's tests, and of those with other clients.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)
	tests := map[string]bool{}
	for _, root := range []string{".", "../test/clients", "../cmd", "../internal"} {
		err := filepath.WalkDir(root, func(file string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, "_test.go") {
				return err
			}
			content, err := os.ReadFile(file) //nolint:gosec // this repository's own
			for _, m := range declared.FindAllSubmatch(content, -1) {
				tests[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}

// wantTests checks that the tests exist that are named in the last cells of the rows.
func wantTests(t *testing.T, rows [][]string) {
	t.Helper()
	if len(rows) == 0 {
		t.Error("there is no such table")
	}
	tests := declaredTests(t)
	for _, row := range rows {
		for name := range strings.SplitSeq(row[len(row)-1], ", ") {
			if !tests[name] {
				t.Errorf("%s: there is no %q", row[0], name)
			}
		}
	}
}

// Every test that the page names must exist.
func TestProtocolPageTests(t *testing.T) {
	t.Parallel()
	wantTests(t, page(t)["Rules"])
}

// Each feature that the page compares with other servers must have tests if it exists, and a reason if it does not.
func TestProtocolPageBesideOthers(t *testing.T) {
	t.Parallel()
	var claims [][]string
	for _, row := range page(t)["Beside other servers"] {
		state, why, _ := strings.Cut(row[1], ": ")
		switch {
		case state == "no" && why != "" && row[len(row)-1] == "":
		case state == "yes", state == "part" && why != "":
			claims = append(claims, row)
		default:
			t.Errorf("%s is %q, with the tests %q", row[0], row[1], row[len(row)-1])
		}
	}
	wantTests(t, claims)
}

// Every attack in docs/security.md must have tests, and every hostile test must be there.
func TestSecurityPage(t *testing.T) {
	t.Parallel()
	rows := tablesOf(t, "../docs/security.md")["Attacks"]
	wantTests(t, rows)
	named := map[string]bool{}
	for _, row := range rows {
		for name := range strings.SplitSeq(row[len(row)-1], ", ") {
			named[name] = true
		}
	}
	for name := range declaredTests(t) {
		if strings.HasPrefix(name, "TestHostile") && !named[name] {
			t.Errorf("%s is not on the page", name)
		}
	}
}

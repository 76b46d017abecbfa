package listing

import (
	"io/fs"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
)

// fileInfo is an fs.FileInfo without a file.
type fileInfo struct {
	size int64
	mode fs.FileMode
	time time.Time
}

func (i fileInfo) Name() string       { return "" }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return i.time }
func (i fileInfo) IsDir() bool        { return i.mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

func TestLsLine(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	berlin := time.FixedZone("", 3600)
	tests := []struct {
		info fileInfo
		want string
	}{
		{fileInfo{5, 0o644, now.Add(-time.Hour)}, "-rw-r--r--    1 ftp      ftp                 5 Nov 22 11:00 x"},
		{fileInfo{1 << 42, 0o755 | fs.ModeDir, now.AddDate(0, -1, 0)}, "drwxr-xr-x    1 ftp      ftp      4398046511104 Oct 22 12:00 x"},
		{fileInfo{0, 0o600, now.AddDate(0, -7, 0)}, "-rw-------    1 ftp      ftp                 0 Apr 22  2026 x"},
		{fileInfo{0, 0o600, now.Add(2 * time.Hour)}, "-rw-------    1 ftp      ftp                 0 Nov 22  2026 x"},
		{fileInfo{0, 0o600, now.Add(30 * time.Minute)}, "-rw-------    1 ftp      ftp                 0 Nov 22 12:30 x"},
		{fileInfo{0, 0o777 | fs.ModeSymlink, time.Date(2026, 11, 2, 1, 30, 0, 0, berlin)}, "lrwxrwxrwx    1 ftp      ftp                 0 Nov  2 00:30 x"},
		{fileInfo{0, 0o4755 | fs.ModeSetuid, now}, "-rwxr-xr-x    1 ftp      ftp                 0 Nov 22 12:00 x"},
		{fileInfo{0, fs.ModeNamedPipe, now}, "p---------    1 ftp      ftp                 0 Nov 22 12:00 x"},
	}
	for _, tt := range tests {
		if got := string(AppendLine(nil, Entry{Name: "x", Info: tt.info}, now)); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestFactLine(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	file := fileInfo{7, 0o640, when}
	dir := fileInfo{4096, 0o750 | fs.ModeDir, when}
	tests := []struct {
		set    FactSet
		info   fileInfo
		kind   string
		rights auth.Rights
		want   string
	}{
		{AllFacts, file, "", auth.All, "type=file;size=7;modify=20260102020405;perm=adfrw;UNIX.mode=0640; a b"},
		{AllFacts, dir, "", auth.All, "type=dir;modify=20260102020405;perm=cdeflmp;UNIX.mode=0750; a b"},
		{AllFacts, file, "", auth.List | auth.Read, "type=file;size=7;modify=20260102020405;perm=r;UNIX.mode=0640; a b"},
		{FactType | factPerm, dir, "cdir", auth.List | auth.Read, "type=cdir;perm=el; a b"},
		{factPerm, fileInfo{0, fs.ModeSymlink, when}, "", auth.All, "perm=df; a b"},
		{factPerm, fileInfo{0, fs.ModeNamedPipe, when}, "", auth.All, "perm=; a b"},
		{FactType, fileInfo{0, fs.ModeNamedPipe, when}, "", auth.All, "type=OS.unix=special; a b"},
		{0, file, "", auth.All, " a b"},
	}
	for _, tt := range tests {
		f := NewFactWriter(tt.set, tt.rights)
		if got := string(f.Append(nil, Entry{Name: "a b", Info: tt.info}, tt.kind)); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestParseFacts(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"Type;SIZE;":       "type;size;",
		"size;type":        "type;size;",
		"":                 "",
		"unix.MODE;bogus;": "UNIX.mode;",
		";;":               "",
	} {
		if got := ParseFacts(list).String(); got != want {
			t.Errorf("parseFacts(%q) = %q, want %q", list, got, want)
		}
	}
}

func TestSplitFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		arg, path string
		itself    bool
	}{
		{"", "", false},
		{"-la", "", false},
		{"-la dir", "dir", false},
		{"-l -a a b", "a b", false},
		{"-ld dir", "dir", true},
		{"-- -x", "-x", false},
		{"--time-style=iso dir", "dir", false},
		{"./-x", "./-x", false},
		{"-old", "-old", false},
		{"-l -old", "-old", false},
		{"-l -old -d", "-old -d", false},
		{"-", "-", false},
		{"-2026", "-2026", false},
		{"--unknown", "--unknown", false},
		{"-\xe4", "-\xe4", false},
		{"-a there", "-a there", false},
		{"-R -a there", "-a there", false},
		{"-laR", "-laR", false},
		{"-- -laR", "-laR", false},
		{"-d -laR", "-laR", true},
		{"-d -la -R", "", true},
		{"dir -l", "dir -l", false},
	}
	there := func(name string) bool { return name == "-a there" || name == "-laR" }
	for _, tt := range tests {
		if path, itself := SplitFlags(tt.arg, there); path != tt.path || itself != tt.itself {
			t.Errorf("splitFlags(%q) = %q, %v; want %q, %v", tt.arg, path, itself, tt.path, tt.itself)
		}
	}
}

// String returns a set of facts in a form that ParseFacts parses to the same set.
func FuzzFacts(f *testing.F) {
	for _, seed := range []string{"type;size;", "", ";;;", "TYPE;unknown;perm", "unix.MODE;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		set := ParseFacts(list)
		if again := ParseFacts(set.String()); again != set {
			t.Errorf("%q is %v, then %v", list, set, again)
		}
	})
}

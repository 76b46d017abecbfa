package clients

import (
	"bytes"
	"html"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// op is an operation of a user.
type op string

const (
	upload         op = "upload"
	download       op = "download"
	resumeUpload   op = "resume upload"
	resumeDownload op = "resume download"
	asciiUpload    op = "ASCII upload"
	asciiDownload  op = "ASCII download"
	mirrorUpload   op = "mirror upload"
	mirrorDownload op = "mirror download"
	list           op = "list"
	mkdir          op = "mkdir"
	rename         op = "rename"
	remove         op = "delete"
)

var ops = []op{
	upload, download, resumeUpload, resumeDownload, asciiUpload, asciiDownload,
	mirrorUpload, mirrorDownload, list, mkdir, rename, remove,
}

// scenario prepares an operation and checks its result. File names contain a space, as real ones do.
type scenario struct {
	prepare func(t *testing.T, e env)
	check   func(t *testing.T, e env, out string)
	// verb must be among the commands that the client has sent.
	verb string
	// event and paths are the event that the audit log must have, and for which paths below the remote directory; all
	// of them must have succeeded.
	event string
	paths []string
	// typ is the representation type that the transfers must have.
	typ string
	// data is true if the operation opens a data connection, so that the mode's verb must have been sent, too.
	data bool
}

const (
	fileName  = "a file.bin"
	emptyPath = "tree/empty"
)

var (
	content  = random(1, 3<<20+17)
	half     = content[:1<<20]
	unixText = bytes.Repeat([]byte("a line of text\n"), 5000)

	// tree is the tree to mirror, below a directory with the name "tree".
	tree = map[string][]byte{
		fileName:                   half,
		"empty":                    nil,
		"sub dir/Grüße.bin":        content[:4097],
		"sub dir/inner/deeper/end": content[1<<20 : 1<<20+1],
	}
)

var scenarios = map[op]scenario{
	upload: {
		prepare: func(t *testing.T, e env) { write(t, e.here(fileName), content) },
		check:   func(t *testing.T, e env, _ string) { same(t, e.remote(fileName), content) },
		verb:    "STOR", event: "upload", paths: []string{fileName}, typ: "I", data: true,
	},
	download: {
		prepare: func(t *testing.T, e env) { write(t, e.remote(fileName), content) },
		check:   func(t *testing.T, e env, _ string) { same(t, e.here(fileName), content) },
		verb:    "RETR", event: "download", paths: []string{fileName}, typ: "I", data: true,
	},
	resumeUpload: {
		prepare: func(t *testing.T, e env) {
			write(t, e.here(fileName), content)
			write(t, e.remote(fileName), half)
		},
		check: func(t *testing.T, e env, _ string) { same(t, e.remote(fileName), content) },
		event: "upload", paths: []string{fileName}, typ: "I", data: true,
	},
	resumeDownload: {
		prepare: func(t *testing.T, e env) {
			write(t, e.remote(fileName), content)
			write(t, e.here(fileName), half)
		},
		check: func(t *testing.T, e env, _ string) { same(t, e.here(fileName), content) },
		verb:  "REST", event: "download", paths: []string{fileName}, typ: "I", data: true,
	},
	asciiUpload: {
		prepare: func(t *testing.T, e env) { write(t, e.here(fileName), unixText) },
		check:   func(t *testing.T, e env, _ string) { same(t, e.remote(fileName), unixText) },
		event:   "upload", paths: []string{fileName}, typ: "A", data: true,
	},
	asciiDownload: {
		prepare: func(t *testing.T, e env) { write(t, e.remote(fileName), unixText) },
		check: func(t *testing.T, e env, _ string) {
			got, err := os.ReadFile(e.here(fileName))
			if err != nil {
				t.Error(err)
			}
			// Some clients keep the line ends of the network.
			if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), unixText) {
				t.Errorf("got %d bytes of text", len(got))
			}
		},
		event: "download", paths: []string{fileName}, typ: "A", data: true,
	},
	mirrorUpload: {
		prepare: func(t *testing.T, e env) { plant(t, e.here("tree")) },
		check:   func(t *testing.T, e env, _ string) { sameTree(t, e.remote("tree")) },
		event:   "upload", paths: treePaths(), typ: "I", data: true,
	},
	mirrorDownload: {
		prepare: func(t *testing.T, e env) { plant(t, e.remote("tree")) },
		check:   func(t *testing.T, e env, _ string) { sameTree(t, e.here("tree")) },
		event:   "download", paths: treePaths(), typ: "I", data: true,
	},
	list: {
		prepare: func(t *testing.T, e env) {
			write(t, e.remote(fileName), half)
			write(t, e.remote("Grüße"), nil)
			write(t, e.remote("sub/x"), nil)
		},
		check: func(t *testing.T, _ env, out string) {
			out = html.UnescapeString(out) // wget writes it as HTML
			for _, name := range []string{fileName, "Grüße", "sub"} {
				if !strings.Contains(out, name) {
					t.Errorf("%q is not in the listing:\n%s", name, out)
				}
			}
		},
		data: true,
	},
	mkdir: {
		prepare: func(*testing.T, env) {},
		check: func(t *testing.T, e env, _ string) {
			if !exists(e.remote("new dir")) {
				t.Error("the directory was not made")
			}
		},
		event: "mkdir", paths: []string{"new dir"},
	},
	rename: {
		prepare: func(t *testing.T, e env) { write(t, e.remote("old name"), half) },
		check: func(t *testing.T, e env, _ string) {
			same(t, e.remote("new name"), half)
			if exists(e.remote("old name")) {
				t.Error("the old name is still there")
			}
		},
		verb: "RNTO", event: "rename", paths: []string{"new name"},
	},
	remove: {
		prepare: func(t *testing.T, e env) { write(t, e.remote(fileName), half) },
		check: func(t *testing.T, e env, _ string) {
			if exists(e.remote(fileName)) {
				t.Error("the file is still there")
			}
		},
		verb: "DELE", event: "delete", paths: []string{fileName},
	},
}

func treePaths() []string {
	var paths []string
	for name := range tree {
		paths = append(paths, path.Join("tree", name))
	}
	slices.Sort(paths)
	return paths
}

func plant(t *testing.T, dir string) {
	t.Helper()
	for name, content := range tree {
		write(t, filepath.Join(dir, name), content)
	}
}

// sameTree fails the test unless the directory contains exactly the tree.
func sameTree(t *testing.T, dir string) {
	t.Helper()
	for name, content := range tree {
		same(t, filepath.Join(dir, name), content)
	}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if _, ok := tree[filepath.ToSlash(name)]; !ok {
			t.Errorf("%s is there too", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

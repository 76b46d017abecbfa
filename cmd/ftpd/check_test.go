package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// --check must report what --config would refuse, and what it would ignore, and must serve nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	right := "apiVersion: " + config.APIVersion + "\nstorage: {root: /nowhere}\npassive: {ports: '30000'}\n"
	for name, c := range map[string]struct {
		file, more string
		code       int
		want       string
	}{
		"right":           {right, "", 0, "right"},
		"unknown key":     {right + "colour: red\n", "", 1, `unknown field "colour"`},
		"unknown value":   {right + "proxyProtocol: {mode: Newer}\n", "", 1, `proxyProtocol.mode: "Newer" is unknown`},
		"no certificate":  {right + "tls: {certificates: [{certFile: " + dir + "/none, keyFile: " + dir + "/none}]}\n", "", 1, "tls.certificates[0]"},
		"serving as well": {right, "--listen=127.0.0.1:0", 2, "--listen can't be used with --check"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"--check", file}
		if c.more != "" {
			args = append(args, c.more)
		}
		var out bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d, %s", name, code, &out)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--check", filepath.Join(dir, "absent")}, nil, &out, &out); code != 1 {
		t.Errorf("a file that is not there: %d, %s", code, &out)
	}
}

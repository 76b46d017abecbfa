package storage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Reserved names must be out of reach in every spelling that some file system takes for the same name.
func TestReservedNames(t *testing.T) {
	v, dir := newHome(t)
	for _, name := range []string{".ftpd-x", ".FTPD-append-x", ".f\u00adtpd-x", "\uff0eftpd-x"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600))
		_, open := v.Open("/" + name)
		_, stat := v.Lstat("/" + name)
		for what, err := range map[string]error{
			"Open": open, "Lstat": stat, "Remove": v.Remove("/" + name), "Mkdir": v.Mkdir("/d/" + name),
			"Create": upload(v, "/"+name, "x", CreateOptions{}), "Rename": v.Rename("/"+name, "/seen"),
		} {
			if err == nil {
				t.Errorf("%s of %+q", what, name)
			}
		}
	}
	must(t, upload(v, "/.ftpdx", "x", CreateOptions{}))
	if got := names(t, v, "/"); !slices.Equal(got, []string{".ftpdx"}) {
		t.Errorf("listed: %q", got)
	}
}

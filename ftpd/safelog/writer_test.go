package safelog

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Lines arrive whole and in order, also when the pipe has no room for them at once.
func TestWriterToPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // a test's
	var want bytes.Buffer
	for i := range 300 {
		want.Write(bytes.Repeat([]byte{byte('a' + i%26)}, 1+i*7)) // 300 KiB: more than a pipe holds
		want.WriteByte('\n')
	}
	go func() {
		defer w.Close() //nolint:errcheck // a test's
		to := Writer(w)
		for line := range bytes.Lines(want.Bytes()) {
			if n, err := to.Write(line); n != len(line) || err != nil {
				t.Errorf("wrote %d of %d: %v", n, len(line), err)
			}
		}
	}()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes of %d arrived as they were: %v", len(got), want.Len(), err)
	}
}

// A file gets the lines at its end, and a writer that is no file is left as it is.
func TestWriterToOthers(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "log")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // a test's
	to := Writer(f)
	for _, line := range []string{"one\n", "", "two\n"} {
		if n, err := to.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("%q: %d, %v", line, n, err)
		}
	}
	if text, err := os.ReadFile(name); string(text) != "one\ntwo\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	var buf bytes.Buffer
	if got := Writer(&buf); got != io.Writer(&buf) {
		t.Errorf("%T", got)
	}
}

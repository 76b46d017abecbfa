package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftp-operator/ftp-operator/internal/passhash"
)

// piped runs "ftpd hash" with input on its standard input.
func piped(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	go func() {
		_, _ = w.WriteString(input)
		_ = w.Close()
	}()
	var out, errs bytes.Buffer
	code = hashPassword(args, r, &out, &errs)
	return code, out.String(), errs.String()
}

func TestHashCommand(t *testing.T) {
	t.Parallel()
	for input, password := range map[string]string{
		"secret": "secret", "secret\n": "secret", "se cret \r\n": "se cret ", "$6$salt$hash\n": "$6$salt$hash", "{SHA}x": "{SHA}x", "Grüße": "Grüße",
	} {
		code, stdout, stderr := piped(t, input)
		hash := strings.TrimSuffix(stdout, "\n")
		if code != 0 || stderr != "" || strings.Contains(hash, "\n") {
			t.Errorf("%q: %d, %q, %q", input, code, stdout, stderr)
			continue
		}
		if ok, err := passhash.Verify(hash, password); !ok || err != nil {
			t.Errorf("%q: %q does not fit %q: %v", input, hash, password, err)
		}
		// Its output must be accepted wherever a password or a hash is.
		u, err := parseUser("alice:" + hash)
		if err != nil || u.PasswordHash != hash {
			t.Errorf("--user takes it as %+v, %v", u, err)
		}
	}
	for input, want := range map[string]string{
		"": "is empty", "\n\n": "is empty", "secret\nsecret2\n": "several lines", "secr\xe9t": "not valid UTF-8", "\xff\xfes\x00": "NUL",
		strings.Repeat("s", 5000): "shorten it",
	} {
		code, stdout, stderr := piped(t, input)
		if code != 1 || stdout != "" || !strings.Contains(stderr, want) || strings.Contains(stderr, "secr") {
			t.Errorf("%.20q: %d, %q, %q", input, code, stdout, stderr)
		}
	}
	if code, _, stderr := piped(t, "x", "secret"); code != 2 || !strings.Contains(stderr, "standard input") || strings.Contains(stderr, "secret") {
		t.Errorf("an argument: %d, %q", code, stderr)
	}
	if code, stdout, _ := piped(t, "", "--help"); code != 0 || !strings.Contains(stdout, "ftpd hash < FILE") {
		t.Errorf("--help: %d, %q", code, stdout)
	}
}

// terminal returns a new pseudo terminal: what is written to keyboard is typed at tty.
func terminal(t *testing.T) (keyboard, tty *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here:", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return keyboard, tty
}

// Passwords that are typed must be asked for twice and not shown.
func TestHashAsksTwice(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]int{"secret\n" + "secret\n": 0, "secret\nsecrit\n": 1} {
		keyboard, tty := terminal(t)
		if _, err := keyboard.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code := hashPassword(nil, tty, &stdout, &stderr)
		if code != want || !strings.Contains(stderr.String(), "Password: \nAgain: ") || strings.Contains(stderr.String(), "secr") {
			t.Errorf("%q: %d, %q", typed, code, stderr.String())
		}
		if want == 0 {
			if ok, err := passhash.Verify(strings.TrimSpace(stdout.String()), "secret"); !ok || err != nil {
				t.Errorf("%q gives %q: %v", typed, stdout.String(), err)
			}
		}
	}
}

package ftpd

import (
	"testing"
	"time"
)

// An idle session must keep neither the argument of its last command nor a password.
func TestActivityKeepsNoArgument(t *testing.T) {
	var a activity
	a.begin("PASS", "secret")
	if a.arg != hiddenArgument {
		t.Errorf("keeps %q", a.arg)
	}
	a.begin("CWD", "/a/long/path")
	a.end(time.Now())
	if a.arg != "" || a.verb != "CWD" {
		t.Errorf("keeps %q %q", a.verb, a.arg)
	}
}

//go:build !race

package listing

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
)

// Writing the lines of a listing allocates nothing.
func TestListingAllocations(t *testing.T) {
	e, now := listed()
	f := NewFactWriter(AllFacts, auth.All)
	buf := make([]byte, 0, 256)
	for name, do := range map[string]func(){
		"a line of LIST": func() { AppendLine(buf, e, now) },
		"a line of MLSD": func() { f.Append(buf, e, "") },
	} {
		if got := testing.AllocsPerRun(100, do); got > 0 {
			t.Errorf("%s: %v allocations, none was expected", name, got)
		}
	}
}

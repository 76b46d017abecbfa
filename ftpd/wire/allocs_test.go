//go:build !race

package wire

import "testing"

// Reading a command line allocates nothing but its text.
func TestAllocations(t *testing.T) {
	reader := NewReader(&endless{text: "RETR some/directory/and-a-file.csv\r\n"}, nil)
	if got := testing.AllocsPerRun(100, func() { ParseCommand(reader.Next().Text) }); got > 1 {
		t.Errorf("a command line: %v allocations, at most 1 was expected", got)
	}
}

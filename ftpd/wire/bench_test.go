package wire

import "testing"

// endless is a reader that repeats a text without end.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

func BenchmarkCommandLine(b *testing.B) {
	r := NewReader(&endless{text: "RETR some/directory/and-a-file.csv\r\n"}, nil)
	b.ReportAllocs()
	for b.Loop() {
		ParseCommand(r.Next().Text)
	}
}

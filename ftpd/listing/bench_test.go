package listing

import (
	"io/fs"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/auth"
)

// listed is a typical entry of a listing.
func listed() (Entry, time.Time) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var info fs.FileInfo = fileInfo{123456, 0o640, now.Add(-time.Hour)}
	return Entry{Name: "report-2026-000123.csv", Info: info}, now
}

func BenchmarkLsLine(b *testing.B) {
	e, now := listed()
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		AppendLine(buf, e, now)
	}
}

func BenchmarkFactLine(b *testing.B) {
	e, _ := listed()
	f := NewFactWriter(AllFacts, auth.All)
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		f.Append(buf, e, "")
	}
}

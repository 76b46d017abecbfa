package ftpd

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftp-operator/ftp-operator/ftpd/observe"
)

// However many reservations end unused, only a few must be logged, with the number of omitted lines.
func TestUnusedLogIsBounded(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	log, l, begun := slog.New(slog.NewTextHandler(&text, nil)), newUnusedLog(), time.Now()
	const all = 10_000
	for range all {
		l.write(log, "192.0.2.7:30001", observe.UnusedReplaced)
	}
	most := unusedBurst + int(time.Since(begun)/unusedEvery) + 1
	if n := strings.Count(text.String(), "\n"); n < unusedBurst || n > most {
		t.Errorf("%d lines, want %d to %d", n, unusedBurst, most)
	}
	l.limiter.SetLimit(rate.Inf)
	omitted := l.omitted
	text.Reset()
	l.write(log, "192.0.2.7:30001", observe.UnusedReplaced)
	if want := "omitted="; omitted == 0 || !strings.Contains(text.String(), want) {
		t.Errorf("%d were left out, and this was logged: %s", omitted, text.String())
	}
}

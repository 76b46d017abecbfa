package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		samples []float64
		want    summary
	}{
		{nil, summary{}},
		{[]float64{3}, summary{3, 3, 3, 1}},
		{[]float64{9, 1, 2}, summary{2, 1, 9, 3}},
		{[]float64{4, 1, 2, 9}, summary{3, 1, 9, 4}},
	} {
		if got := summarize(tt.samples); got != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.samples, got, tt.want)
		}
	}
}

func TestRatio(t *testing.T) {
	t.Parallel()
	r := newResults()
	more, less := metric{id: "more"}, metric{id: "less", less: true}
	for _, sample := range []struct {
		server string
		value  float64
	}{{"ours", 30}, {"a", 10}, {"b", 20}} {
		r.add("more", sample.server, sample.value)
		r.add("less", sample.server, sample.value)
	}
	peers := []string{"a", "b", "absent"}
	for _, tt := range []struct {
		m    metric
		want float64
		best string
	}{{more, 1.5, "b"}, {less, 10.0 / 30, "a"}} {
		_, best, _ := r.best(tt.m, peers)
		if got, ok := r.ratio(tt.m, "ours", peers, 1); !ok || got != (summary{tt.want, tt.want, tt.want, 1}) || best != tt.best {
			t.Errorf("%s: got %v (%v) beside %s", tt.m.id, got, ok, best)
		}
	}
	for round, v := range []float64{30, 20, 60} {
		r.pair("more", "ours", round, v)
		r.pair("more", "b", round, 20)
	}
	if got, ok := r.ratio(more, "ours", peers, 3); !ok || got != (summary{1.5, 1, 3, 3}) {
		t.Errorf("round by round: got %v (%v)", got, ok)
	}
	if _, ok := r.ratio(metric{id: "none"}, "ours", peers, 1); ok {
		t.Error("a ratio of what was not measured")
	}
	if _, ok := r.ratio(more, "ours", []string{"absent"}, 1); ok {
		t.Error("a ratio without a peer")
	}
}

func TestReplaceMeasured(t *testing.T) {
	t.Parallel()
	page := "by hand\n" + beginMark + "\nold\n" + endMark + "\nby hand, too\n"
	got, err := replaceMeasured(page, "\nnew\n")
	if err != nil || got != "by hand\n"+beginMark+"\n\nnew\n\n"+endMark+"\nby hand, too\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if again, err := replaceMeasured(got, "new"); err != nil || again != got {
		t.Errorf("not the same again: %q, %v", again, err)
	}
	for _, page := range []string{"", beginMark, endMark, endMark + beginMark} {
		if _, err := replaceMeasured(page, "new"); err == nil {
			t.Errorf("%q: no error", page)
		}
	}
}

// Every row belongs to a known group and has a unique name.
func TestMetrics(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range metrics {
		if seen[m.id] || !slices.Contains(groups, m.group) || m.title == "" || m.unit == "" {
			t.Errorf("%+v", m)
		}
		seen[m.id] = true
	}
	for _, p := range probes() {
		if !slices.Contains(groups, p.group) {
			t.Errorf("a probe of the group %q", p.group)
		}
	}
}

// Peers with their transfer logs are measured by four probes, those of 1 KiB, and servers without MLSD not by MLSD.
func TestApplies(t *testing.T) {
	t.Parallel()
	count := func(k server.Kind) (n int) {
		for _, p := range probes() {
			if p.applies(k) {
				n++
			}
		}
		return n
	}
	all := len(probes())
	if got := []int{count(server.Kind{MLSD: true}), count(server.Kind{}), count(server.Kind{Logged: true, MLSD: true})}; !slices.Equal(got, []int{all, all - 2*len(listings), 4}) {
		t.Errorf("%v of %d probes", got, all)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	b := &bench{options: options{rows: []string{"bulk", "memory"}, servers: []string{"ftpd", "ftpd, no fsync", "vsftpd", "pyftpdlib"}}, results: newResults()}
	for _, v := range []float64{100, 120, 110} {
		b.results.add("stor", "ftpd", v/10)
		b.results.add("stor", "ftpd, no fsync", v)
		b.results.add("stor", "vsftpd", v-10)
		b.results.add("stor", "pyftpdlib", v/2)
		b.results.add("memory-10000", "ftpd", v)
	}
	b.results.note("memory-10000", "vsftpd", "9000: no more")
	text := b.render([]string{"a fact"})
	for _, want := range []string{
		"- a fact\n",
		"| STOR, 1 session | MB/s | 11.0 (10.0-12.0) | 110 (100-120) | **100** (90.0-110) | 55.0 (50.0-60.0) | 0.11 | 1.10 | 1.1 without fsync: yes |",
		"| 110 (100-120) |  | 9000: no more |  |  |  | at most 24.0: **no** |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// The peers with their transfer logs have a table of their own, and are no best peer of the other one.
func TestRenderLogged(t *testing.T) {
	t.Parallel()
	b := &bench{options: options{rows: []string{"small"}, servers: []string{"ftpd", "ftpd, no fsync", "vsftpd", "vsftpd, log"}, rounds: 2}, results: newResults()}
	for server, v := range map[string]float64{"ftpd": 90, "ftpd, no fsync": 90, "vsftpd": 100, "vsftpd, log": 60} {
		for round := range 2 {
			b.results.add("retr-1k", server, v*float64(round+1))
			b.results.pair("retr-1k", server, round, v*float64(round+1))
		}
	}
	b.results.add("retr-1k-client", limitServer, 12.3)
	text := b.render(nil)
	for _, want := range []string{
		"| RETR of 1 KiB, 1 session | files/s | 135 (90.0-180) | 135 (90.0-180) | **150** (100-200) | 0.90 (0.90-0.90) | 0.90 (0.90-0.90) | 1.15: **no** |",
		"| With the peers' transfer logs | Unit | vsftpd, log | Ratio |",
		"| RETR of 1 KiB, 1 session | files/s | **90.0** (60.0-120) | 1.50 (1.50-1.50) | 1.50 (1.50-1.50) |",
		"| RETR of 1 KiB, sessions: 1, load generator's CPU | µs | 12.3 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// A pair is two samples of one round; a round in which one of the two failed has none.
func TestPairs(t *testing.T) {
	t.Parallel()
	r := newResults()
	for round, v := range []float64{10, 20, 30, 40} {
		if round != 2 {
			r.pair("m", "ours", round, 2*v)
		}
		r.pair("m", "base", round, v)
	}
	if got, want := r.pairs(metric{id: "m"}, "ours", "base", 4), (summary{2, 2, 2, 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := r.pairs(metric{id: "m", less: true}, "ours", "base", 2), (summary{0.5, 0.5, 0.5, 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b := &bench{options: options{base: "binary", baseName: "1234567", rounds: 4, rows: groups}, results: r}
	r.pair("retr-1k", "ftpd", 0, 3)
	r.pair("retr-1k", "1234567", 0, 2)
	if got, want := b.renderPairs(), "| RETR of 1 KiB, 1 session | 1.50 (1.50-1.50, 1 pairs) |  |\n"; !strings.Contains(got, want) {
		t.Errorf("%q is not in\n%s", want, got)
	}
}

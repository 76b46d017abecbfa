package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// The part of the report between these lines is replaced.
const (
	beginMark = "<!-- measured: begin (written by make bench) -->"
	endMark   = "<!-- measured: end -->"
)

// report prints the results, and writes them into the file if one is given.
func (b *bench) report(took time.Duration) error {
	text := b.render(b.facts(took))
	fmt.Println(text)
	if b.out == "" {
		return nil
	}
	old, err := os.ReadFile(b.out)
	if err != nil {
		return err
	}
	changed, err := replaceMeasured(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", b.out, err)
	}
	return os.WriteFile(b.out, []byte(changed), 0o644) //nolint:gosec // a document
}

// replaceMeasured replaces the part of the page between the marks.
func replaceMeasured(page, measured string) (string, error) {
	before, rest, ok1 := strings.Cut(page, beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok1 || !ok2 {
		return "", errors.New("the lines between which the measured part lies are not there: " + beginMark + ", " + endMark)
	}
	return before + beginMark + "\n\n" + strings.TrimSpace(measured) + "\n\n" + endMark + after, nil
}

// render returns the measured part of the report in Markdown.
func (b *bench) render(facts []string) string {
	var t strings.Builder
	for _, f := range facts {
		t.WriteString("- " + f + "\n")
	}
	own, ownUnsynced, peers, logged := b.parts()
	b.renderTable(&t, b.kinds(), own, ownUnsynced, peers)
	if b.base != "" {
		t.WriteString("\n" + b.renderPairs())
	}
	if b.wants("small") && len(logged) > 0 {
		t.WriteString("\n" + b.renderLogged(own, ownUnsynced, logged))
	}
	if b.wants("bulk") || b.wants("small") {
		t.WriteString("\n" + b.renderLimits(peers, own))
	}
	return t.String()
}

// parts returns the names of the daemon, of it without fsync, of the peers, and of those with their transfer logs.
func (b *bench) parts() (own, ownUnsynced string, peers, logged []string) {
	for _, k := range b.kinds() {
		switch {
		case k.Base:
		case k.Logged:
			logged = append(logged, k.Name)
		case !k.Ours:
			peers = append(peers, k.Name)
		case k.Sync:
			own = k.Name
		default:
			ownUnsynced = k.Name
		}
	}
	return own, ownUnsynced, peers, logged
}

// renderTable formats the table of all rows.
func (b *bench) renderTable(t *strings.Builder, kinds []server.Kind, own, ownUnsynced string, peers []string) {
	kinds = slices.DeleteFunc(kinds, func(k server.Kind) bool { return k.Logged })
	t.WriteString("\n| Row | Unit |")
	for _, k := range kinds {
		t.WriteString(" " + k.Name + " |")
	}
	t.WriteString(" Ratio | Ratio, no fsync | Wanted |\n|-|-|" + strings.Repeat("-|", len(kinds)+3) + "\n")
	for _, m := range metrics {
		if !b.wants(m.group) {
			continue
		}
		fmt.Fprintf(t, "| %s | %s |", m.title, m.unit)
		_, best, _ := b.results.best(m, peers)
		for _, k := range kinds {
			t.WriteString(" " + b.cell(m, k.Name, k.Name == best) + " |")
		}
		for _, name := range []string{own, ownUnsynced} {
			t.WriteString(" " + b.ratio(m, name, peers) + " |")
		}
		t.WriteString(" " + b.verdict(m, own, ownUnsynced, peers) + " |\n")
	}
}

// ratio formats the ratio of a server to the best of others, with its spread.
func (b *bench) ratio(m metric, name string, others []string) string {
	s, ok := b.results.ratio(m, name, others, b.rounds)
	switch {
	case !ok:
		return ""
	case s.n == 1:
		return fmt.Sprintf("%.2f", s.median)
	default:
		return fmt.Sprintf("%.2f (%.2f-%.2f)", s.median, s.low, s.high)
	}
}

// renderLogged formats the table of the peers with their transfer logs, beside which the daemon writes its audit log as it
// always does.
func (b *bench) renderLogged(own, ownUnsynced string, logged []string) string {
	var t strings.Builder
	t.WriteString("| With the peers' transfer logs | Unit |")
	for _, name := range logged {
		t.WriteString(" " + name + " |")
	}
	t.WriteString(" Ratio | Ratio, no fsync |\n|-|-|" + strings.Repeat("-|", len(logged)+2) + "\n")
	for _, m := range metrics {
		_, best, ok := b.results.best(m, logged)
		if !ok {
			continue
		}
		fmt.Fprintf(&t, "| %s | %s |", m.title, m.unit)
		for _, name := range logged {
			t.WriteString(" " + b.cell(m, name, name == best) + " |")
		}
		fmt.Fprintf(&t, " %s | %s |\n", b.ratio(m, own, logged), b.ratio(m, ownUnsynced, logged))
	}
	return t.String()
}

// renderPairs formats the table that compares the daemon with another commit of it.
func (b *bench) renderPairs() string {
	var t strings.Builder
	fmt.Fprintf(&t, "| Beside %s, pair by pair | With fsync | Without |\n|-|-|-|\n", b.baseName)
	base := server.Base(b.baseName, b.base)
	for _, m := range metrics {
		var cells [2]string
		for i, own := range []string{"ftpd", "ftpd, no fsync"} {
			if s := b.results.pairs(m, own, base[i].Name, b.rounds); s.n > 0 {
				cells[i] = fmt.Sprintf("%.2f (%.2f-%.2f, %d pairs)", s.median, s.low, s.high, s.n)
			}
		}
		if cells != [2]string{} {
			fmt.Fprintf(&t, "| %s | %s | %s |\n", m.title, cells[0], cells[1])
		}
	}
	return t.String()
}

// cell formats the median and the range of the samples, in bold for the best peer.
func (b *bench) cell(m metric, name string, best bool) string {
	s := b.results.of(m.id, name)
	note := b.results.notes[m.id][name]
	if s.n == 0 {
		return note
	}
	text := number(s.median)
	if best {
		text = "**" + text + "**"
	}
	if s.n > 1 {
		text += fmt.Sprintf(" (%s-%s)", number(s.low), number(s.high))
	}
	if note != "" {
		text += "; " + note
	}
	return text
}

// number formats a value with three significant digits.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// verdict returns what is required of a row, and whether it was met.
func (b *bench) verdict(m metric, own, ownUnsynced string, peers []string) string {
	who := own
	note := ""
	if m.unsynced && ownUnsynced != "" {
		who, note = ownUnsynced, " without fsync"
	}
	switch {
	case m.most > 0:
		s := b.results.of(m.id, who)
		if s.n == 0 {
			return ""
		}
		return fmt.Sprintf("at most %s%s: %s", number(m.most), note, met(s.median <= m.most))
	case m.wanted > 0:
		r, ok := b.results.ratio(m, who, peers, b.rounds)
		if !ok {
			return ""
		}
		return fmt.Sprintf("%g%s: %s", m.wanted, note, met(r.median >= m.wanted))
	}
	return ""
}

func met(yes bool) string {
	if yes {
		return "yes"
	}
	return "**no**"
}

// renderLimits formats the table of what the machine can do without a protocol.
func (b *bench) renderLimits(peers []string, own string) string {
	var t strings.Builder
	t.WriteString("| The physical limit | Unit | Raw | Best peer | " + own + " |\n|-|-|-|-|-|\n")
	for _, row := range limitRows() {
		if !b.wants(row.group) {
			continue
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %s | %s |\n", row.title, row.unit, b.cell(row.raw, limitServer, false),
			b.bestCell(row.beside, peers), b.cell(row.beside, own, false))
	}
	return t.String()
}

// bestCell formats the median of the best of some servers.
func (b *bench) bestCell(m metric, servers []string) string {
	v, _, ok := b.results.best(m, servers)
	if !ok {
		return ""
	}
	return number(v)
}

// limitRow is a row of the table of what the machine can do.
type limitRow struct {
	group, title, unit string
	raw                metric // of the raw server
	beside             metric // of the others; without an ID: none
}

func limitRows() []limitRow {
	rows := []limitRow{
		{"bulk", "sendfile to 1 connection", "MB/s", metric{id: rawDown}, metric{id: "retr"}},
		{"bulk", "sendfile to 4 connections", "MB/s", metric{id: rawDown4}, metric{id: "retr4"}},
		{"bulk", "splice from 1 connection into a file", "MB/s", metric{id: rawUp}, metric{id: "stor"}},
		{"bulk", "CPU of that sendfile", "s/GiB", metric{id: rawDownCPU}, metric{id: "retr-cpu", less: true}},
		{"bulk", "CPU of the load generator meanwhile", "s/GiB", metric{id: rawLoadCPU}, metric{}},
		{"bulk", "CPU of the load generator while it sends", "s/GiB", metric{id: rawLoadUp}, metric{}},
	}
	for _, verb := range []string{"RETR", "STOR"} {
		for _, lanes := range []int{1, manyLanes} {
			id := strings.ToLower(verb) + "-1k" + laneSuffix(lanes)
			what := fmt.Sprintf("%s of 1 KiB, sessions: %d", verb, lanes)
			rows = append(rows,
				limitRow{"small", what, "files/s", metric{id: id}, metric{id: id}},
				limitRow{"small", what + ", server's CPU", "µs", metric{id: id + "-cpu"}, metric{id: id + "-cpu", less: true}},
				limitRow{"small", what + ", load generator's CPU", "µs", metric{id: id + "-client"}, metric{id: id + "-client", less: true}})
		}
	}
	return rows
}

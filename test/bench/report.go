package main

import (
	"errors"
	"fmt"
	"os"
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
	kinds := b.kinds()
	var peers []string
	own, ownUnsynced := "", ""
	t.WriteString("\n| Row | Unit |")
	for _, k := range kinds {
		t.WriteString(" " + k.Name + " |")
		switch {
		case k.Base:
		case !k.Ours:
			peers = append(peers, k.Name)
		case k.Sync:
			own = k.Name
		default:
			ownUnsynced = k.Name
		}
	}
	t.WriteString(" Ratio | Ratio, no fsync | Wanted |\n|-|-|" + strings.Repeat("-|", len(kinds)+3) + "\n")
	for _, m := range metrics {
		if !b.wants(m.group) {
			continue
		}
		fmt.Fprintf(&t, "| %s | %s |", m.title, m.unit)
		_, best, _ := b.results.best(m, peers)
		for _, k := range kinds {
			t.WriteString(" " + b.cell(m, k.Name, k.Name == best) + " |")
		}
		for _, name := range []string{own, ownUnsynced} {
			text := ""
			if r, ok := b.results.ratio(m, name, peers); ok {
				text = fmt.Sprintf("%.2f", r)
			}
			t.WriteString(" " + text + " |")
		}
		t.WriteString(" " + b.verdict(m, own, ownUnsynced, peers) + " |\n")
	}
	if b.base != "" {
		t.WriteString("\n" + b.renderPairs())
	}
	if b.wants("bulk") {
		t.WriteString("\n" + b.renderLimits(peers, own))
	}
	return t.String()
}

// renderPairs formats the table that compares the daemon with another commit of it.
func (b *bench) renderPairs() string {
	var t strings.Builder
	fmt.Fprintf(&t, "| Beside %s, pair by pair | With fsync | Without |\n|-|-|-|\n", b.baseName)
	base := server.Base(b.baseName, b.base)
	for _, m := range metrics {
		text := ""
		for i, own := range []string{"ftpd", "ftpd, no fsync"} {
			cell := ""
			if s := b.results.pairs(m, own, base[i].Name, b.rounds); s.n > 0 {
				cell = fmt.Sprintf("%.2f (%.2f-%.2f, %d pairs)", s.median, s.low, s.high, s.n)
			}
			text += " " + cell + " |"
		}
		if strings.Trim(text, " |") != "" {
			fmt.Fprintf(&t, "| %s |%s\n", m.title, text)
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
		r, ok := b.results.ratio(m, who, peers)
		if !ok {
			return ""
		}
		return fmt.Sprintf("%.1f%s: %s", m.wanted, note, met(r >= m.wanted))
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
	for _, row := range []struct{ title, unit, raw, metric string }{
		{"sendfile to 1 connection", "MB/s", rawDown, "retr"},
		{"sendfile to 4 connections", "MB/s", rawDown4, "retr4"},
		{"splice from 1 connection into a file", "MB/s", rawUp, "stor"},
		{"CPU of that sendfile", "s/GiB", rawDownCPU, "retr-cpu"},
		{"CPU of the load generator meanwhile", "s/GiB", rawLoadCPU, ""},
		{"CPU of the load generator while it sends", "s/GiB", rawLoadUp, ""},
	} {
		best := ""
		for _, m := range metrics {
			if v, _, ok := b.results.best(m, peers); m.id == row.metric && ok {
				best = number(v)
			}
		}
		ours := ""
		if s := b.results.of(row.metric, own); s.n > 0 {
			ours = number(s.median)
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %s | %s |\n", row.title, row.unit, b.cell(metric{id: row.raw}, limitServer, false), best, ours)
	}
	return t.String()
}

package ftpd

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/transfer"
	"github.com/ftp-operator/ftp-operator/ftpd/wire"
)

// Commands must wait for a transfer in order, and the queue must decide whether input is read meanwhile.
func TestPipeline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queued    []string
		encrypted bool
		intake    intake // before anything is queued
		reads     bool   // whether input is read while they wait
		late      string // the verbs that are refused when their turn comes
		readsOn   bool   // whether input is read when none waits any more
	}{
		"nothing":            {reads: true, readsOn: true},
		"a command":          {queued: []string{"NOOP"}, reads: true, readsOn: true},
		"AUTH":               {queued: []string{"AUTH", "NOOP"}, reads: true, late: "AUTH ", readsOn: true},
		"CCC":                {queued: []string{"NOOP", "CCC"}, encrypted: true, reads: true, late: "CCC ", readsOn: true},
		"REIN":               {queued: []string{"REIN"}, reads: true, readsOn: true},
		"REIN that ends TLS": {queued: []string{"NOOP", "REIN"}, encrypted: true, readsOn: true},
		"QUIT":               {intake: intakeQuitting},
		"the client's end":   {queued: []string{"NOOP"}, intake: intakeEnded},
		"a full queue":       {queued: make([]string, maxQueued), readsOn: true},
	} {
		p := pipeline{intake: c.intake, transfer: &transfer.Transfer{}}
		for _, verb := range c.queued {
			p.enqueue(wire.Line{Text: verb}, verb, c.encrypted)
		}
		if p.mustNotRead() == c.reads {
			t.Errorf("%s: while they wait, it reads: %v", name, !c.reads)
		}
		if _, ok := p.dequeue(); ok {
			t.Errorf("%s: a command is executed while a transfer runs", name)
		}
		p.transfer = nil
		late := ""
		for _, verb := range c.queued {
			l, ok := p.dequeue()
			if !ok || l.Text != verb {
				t.Errorf("%s: %q, %v; want %q", name, l.Text, ok, verb)
			}
			if l.Late {
				late += verb + " "
			}
		}
		if _, ok := p.dequeue(); ok || late != c.late || p.mustNotRead() == c.readsOn {
			t.Errorf("%s: at the end another command: %v, late %q, reads: %v", name, ok, late, !p.mustNotRead())
		}
	}
}

// After the last reply no command may be executed.
func TestClosedPipeline(t *testing.T) {
	t.Parallel()
	var p pipeline
	p.enqueue(wire.Line{Text: "NOOP"}, "NOOP", false)
	p.closeIntake()
	if _, ok := p.dequeue(); ok || !p.mustNotRead() || !p.closed() {
		t.Error("a command is executed, or read")
	}
}

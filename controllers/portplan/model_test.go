package portplan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// model is the pods of a server as the cluster has them. reconcile writes the plan's assignments to them.
type model struct {
	in       portplan.Input
	template string
	created  int
}

// create adds a pod, younger than all others.
func (m *model) create(name string) {
	m.created++
	m.in.Pods = append(m.in.Pods, portplan.Pod{
		Name:     name,
		UID:      fmt.Sprintf("uid-%d", m.created),
		Created:  time.Unix(int64(m.created), 0),
		Template: m.template,
	})
}

// terminate marks a pod as terminating.
func (m *model) terminate(name string) { m.pod(name).Terminating = true }

// gone removes a pod.
func (m *model) gone(name string) {
	m.in.Pods = slices.DeleteFunc(m.in.Pods, func(p portplan.Pod) bool { return p.Name == name })
}

// pod returns the pod of that name.
func (m *model) pod(name string) *portplan.Pod {
	i := slices.IndexFunc(m.in.Pods, func(p portplan.Pod) bool { return p.Name == name })
	if i < 0 {
		panic("no pod " + name)
	}
	return &m.in.Pods[i]
}

// reconcile computes a plan and writes its assignments. Pods that held ports before are ready.
func (m *model) reconcile() portplan.Plan {
	for i, pod := range m.in.Pods {
		m.in.Pods[i].Ready = len(pod.Held) > 0 && !pod.Terminating
	}
	plan := portplan.Compute(m.in)
	for name, ports := range plan.Assign {
		m.pod(name).Held = ports
	}
	m.template = portplan.TemplateRange(m.template, m.in, plan)
	return plan
}

// happen applies an event in the notation of the traces.
func (m *model) happen(t *testing.T, event string) {
	t.Helper()
	words := strings.Fields(event)
	number := func() (n int) {
		if _, err := fmt.Sscan(words[1], &n); err != nil {
			t.Fatalf("event %q: %v", event, err)
		}
		return n
	}
	each := func(do func(string)) {
		for _, name := range words[1:] {
			do(name)
		}
	}
	switch words[0] {
	case "range":
		m.in.Range = ports(t, words[1])
	case "replicas":
		m.in.Replicas = number()
	case "surge":
		m.in.Surge = number()
	case "create":
		each(m.create)
	case "terminate":
		each(m.terminate)
	case "gone":
		each(m.gone)
	case "annotate":
		m.pod(words[1]).Held = ports(t, words[2])
	default:
		t.Fatalf("unknown event %q", event)
	}
}

// ports parses a port set.
func ports(t testing.TB, text string) config.PortSet {
	t.Helper()
	set, err := config.ParsePortSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

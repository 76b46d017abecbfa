package controllers

import (
	"context"
	"slices"
	"time"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/children"
	"github.com/ftp-operator/ftp-operator/controllers/portplan"
	"github.com/ftp-operator/ftp-operator/controllers/status"
)

// scope is what the phases of a pass share. A phase does not change it: a phase that writes the server's status returns
// the scope with the server as written.
type scope struct {
	*Reconciler
	// server is the FtpServer as read at the start, or as the last write of its status returned it.
	server *v1alpha1.FtpServer
}

func (s scope) with(server *v1alpha1.FtpServer) scope { return scope{s.Reconciler, server} }

// findings are what phases have to report besides their results.
type findings struct {
	// problems are what prevents the server from being as declared, where a retry does not help.
	problems []status.Problem
	// after is the time after which the next pass starts if the cluster does not change before; 0: no phase asks for one.
	after time.Duration
}

// lookAgain makes the next pass start after that time at the latest.
func (f *findings) lookAgain(after time.Duration) {
	after = max(after, time.Millisecond)
	if f.after == 0 || after < f.after {
		f.after = after
	}
}

// add adds more findings. A problem that two phases found counts once.
func (f *findings) add(more findings) {
	for _, problem := range more.problems {
		if !slices.Contains(f.problems, problem) {
			f.problems = append(f.problems, problem)
		}
	}
	if more.after > 0 {
		f.lookAgain(more.after)
	}
}

func (f *findings) addResult(r children.Result) {
	f.add(findings{problems: r.Problems, after: r.After})
}

// runPhases runs the phases of a pass in their order: observe, plan, write, report. Each phase is a function: its
// parameters are what it needs, and its results what it found. Of the phases that write, the first is the withdrawal of
// pods that take no more sessions, since the phases after it may take seconds or fail.
//
// The scope and the findings are also those of a pass that failed, as far as it came.
func runPhases(ctx context.Context, s scope) (_ scope, found findings, _ error) {
	o, err := observe(ctx, s)
	if err != nil {
		return s, found, err
	}
	withdrawn, err := withdrawEndpoints(ctx, s, o)
	found.add(withdrawn)
	if err != nil {
		return s, found, err
	}
	s, ports, err := decidePorts(ctx, s, o)
	if err != nil {
		return s, found, err
	}
	s, o, plan, err := assignPorts(ctx, s, o, ports.usable)
	if err != nil {
		return s, found, err
	}
	users, err := findUsers(ctx, s, o, nil)
	if err == nil {
		users, err = awaitHashes(ctx, s, o, ports, plan, users)
	}
	found.add(users.findings)
	if err != nil {
		return s, found, err
	}
	certs, err := findCertificates(ctx, s, o)
	if err != nil {
		return s, found, err
	}
	want, err := configure(ctx, s, o, ports, plan, users, certs)
	if err != nil {
		return s, found, err
	}
	applied, err := applyChildren(ctx, s, o, ports, want)
	found.add(applied.findings)
	if err != nil {
		return s, found, err
	}
	if err := holdForPods(ctx, s, o); err != nil {
		return s, found, err
	}
	routed, err := routePods(ctx, s, o, routing{plan: plan, warmUp: warmUp(s, o, want.inputs.LoadBalancer), configHash: applied.configHash})
	found.add(routed.findings)
	if err != nil {
		return s, found, err
	}
	if err := replacePods(ctx, s, o, plan); err != nil {
		return s, found, err
	}
	seen, err := summarize(ctx, s, o, pass{ports, plan, users, certs, want, applied, routed}, found.problems)
	if err != nil {
		return s, found, err
	}
	s, after, err := report(ctx, s, found.problems, status.Compute(seen, s.now()))
	if err != nil {
		return s, found, err
	}
	if after > 0 {
		found.lookAgain(after)
	}
	found.lookAgain(s.rollouts.Next(s.server.UID, seen, s.Clock.Now()))
	return s, found, nil
}

// pass is what the phases of a pass found and decided, for the phase that sums it up.
type pass struct {
	ports   portDecision
	plan    portplan.Plan
	users   accounts
	certs   certificates
	want    desired
	applied applied
	routed  routed
}

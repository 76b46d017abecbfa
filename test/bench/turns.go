package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// measure runs all measurements and fills in the results.
func (b *bench) measure(ctx context.Context) error {
	for _, k := range b.kinds() {
		b.versions[k.Name] = k.Version(b.site)
	}
	if err := b.turns(ctx); err != nil {
		return err
	}
	if !b.wants("memory") {
		return nil
	}
	for _, k := range b.kinds() {
		if k.Base || k.Logged || k.Ours && !k.Sync {
			continue // its memory is the same as that of the other
		}
		if err := b.memory(ctx, k, b.sessions); err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
	}
	return nil
}

// turns runs all servers. Each server does a probe before the next probe starts, and all of this is repeated for each
// round, so that disturbances of the machine affect all servers alike. Servers without work wait for connections and
// use no CPU time.
func (b *bench) turns(ctx context.Context) (err error) {
	var running []*server.Running
	defer func() {
		for _, r := range running {
			err = errors.Join(err, r.Stop())
		}
	}()
	for _, k := range b.kinds() {
		r, err := k.Start(ctx, b.site)
		if err != nil {
			return err
		}
		running = append(running, r)
		if b.tls[k.Name], err = b.check(r); err != nil {
			return fmt.Errorf("%s does not do what is to be measured: %w", k.Name, err)
		}
		if k.Logged {
			if err := r.HasLogged(); err != nil {
				return fmt.Errorf("%s: %w", k.Name, err)
			}
		}
		b.say("%s runs: %s", k.Name, b.versions[k.Name])
	}
	for round := range b.rounds {
		b.say("round %d of %d", round+1, b.rounds)
		for _, p := range probes() {
			if !b.wants(p.group) {
				continue
			}
			if p.once && round != b.rounds-1 {
				continue
			}
			for i := range running {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				b.turn(p, running[(round+i)%len(running)], round)
			}
		}
		if b.wants("bulk") || b.wants("small") {
			if err := b.limits(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// turn runs a probe on a server. A failure is recorded, and the probe is tried again in the next round.
func (b *bench) turn(p probe, r *server.Running, round int) {
	if !p.applies(r.Kind) {
		return
	}
	before, _ := r.CPU()
	values, err := p.run(b, r)
	after, _ := r.CPU()
	if err != nil {
		b.say("%s, %s: %v", r.Name, p.group, err)
		for id := range values {
			b.results.note(id, r.Name, firstLine(err))
		}
		return
	}
	for id, v := range values {
		b.results.add(id, r.Name, v)
		b.results.pair(id, r.Name, round, v)
		b.say("%-18s %-14s %.4g (the server has used %v)", id, r.Name, v, after-before)
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

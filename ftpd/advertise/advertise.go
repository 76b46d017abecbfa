// Package advertise keeps the address that PASV names: an IP address as it is, or a host name
// resolved again and again, with the last good answer serving while it can't be.
package advertise

import (
	"context"
	"log/slog"
	"net/netip"
)

// Resolver holds the address to advertise. It is safe for concurrent use.
type Resolver struct{}

// New returns a resolver with nothing to advertise.
func New(log *slog.Logger) *Resolver { return &Resolver{} }

// Set gives the IP address or host name to advertise from now on; empty for none. An IP address
// is in force when Set returns. A host name is when it was first resolved, by Run; until then
// what was advertised before stays.
func (r *Resolver) Set(address string) {}

// Run resolves host names until ctx ends, and leaves no goroutine behind. It is called once.
func (r *Resolver) Run(ctx context.Context) { <-ctx.Done() }

// Addr returns the IPv4 (want4) or IPv6 address to advertise, or the zero Addr if there is none
// of that family. It never blocks.
func (r *Resolver) Addr(want4 bool) netip.Addr { return netip.Addr{} }

// Err tells why the host name could not be resolved the last time it was tried; nil if it could,
// if it has not been tried yet, or if there is none.
func (r *Resolver) Err() error { return nil }

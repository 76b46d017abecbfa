package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Duration is a length of time: numbers with the units h, m, s and ms, as in 90s, 5m or 1h30m.
//
// It is a string and not a metav1.Duration, so that no stored value can make objects unreadable.
//
// +kubebuilder:validation:MaxLength=20
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms))+$')",message="this is no span of time: write it as in 90s, 5m or 1h30m"
type Duration string

// LimitsSpec limits what clients may use. Each pod counts separately. A changed number of sessions applies to new
// sessions; all other changes also apply to running ones.
type LimitsSpec struct {
	// maxSessions is the largest number of sessions of a pod. When it is reached, a new session replaces one in which
	// no user is logged in, even if the failed login of that one is being delayed. If there is none, the new session
	// is refused with 421. A pod with a memory limit (template.resources.limits.memory) never takes more sessions
	// than its memory allows. Default 0: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSessions int32 `json:"maxSessions,omitempty"`
	// maxSessionsPerUser is the largest number of sessions of one user; all anonymous sessions count together.
	// Default 0: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSessionsPerUser int32 `json:"maxSessionsPerUser,omitempty"`
	// maxSessionsPerAddress is the largest number of sessions of one client address; for IPv6, of its /64 network. It
	// has no effect where the clients' addresses are hidden (see service.externalTrafficPolicy and
	// service.proxyProtocol). Default 0: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSessionsPerAddress int32 `json:"maxSessionsPerAddress,omitempty"`
	// maxPreLogin is the largest number of sessions in which no user is logged in yet, 1 to 100000. A further one
	// replaces the oldest one of the address that has the most of them, even if its failed login is being delayed.
	// With a memory limit it is at most half of the sessions that the memory allows. Default 1024.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxPreLogin int32 `json:"maxPreLogin,omitempty"`
	// bandwidth limits the rates of transfers.
	// +optional
	Bandwidth BandwidthSpec `json:"bandwidth,omitzero"`
	// timeouts end sessions and transfers that make no progress.
	// +optional
	Timeouts TimeoutsSpec `json:"timeouts,omitzero"`
}

// BandwidthSpec limits the rates of transfers. All limits apply at the same time.
type BandwidthSpec struct {
	// session limits each session.
	// +optional
	Session RatesSpec `json:"session,omitzero"`
	// user limits all sessions of one user together.
	// +optional
	User RatesSpec `json:"user,omitzero"`
	// server limits all sessions of a pod together.
	// +optional
	Server RatesSpec `json:"server,omitzero"`
}

// RatesSpec limits rates, in bytes per second, as in 10Mi or 500k.
type RatesSpec struct {
	// up is the rate from clients to the server, in bytes per second: 1Ki to 1Pi. Default: no limit.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!quantity(string(self)).isLessThan(quantity('1Ki')) && !quantity(string(self)).isGreaterThan(quantity('1Pi'))",message="a rate is at least 1Ki and at most 1Pi bytes a second: write one as in 10Mi, or leave it out for no bound"
	Up *resource.Quantity `json:"up,omitempty"`
	// down is the rate from the server to clients, in bytes per second: 1Ki to 1Pi. Default: no limit.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!quantity(string(self)).isLessThan(quantity('1Ki')) && !quantity(string(self)).isGreaterThan(quantity('1Pi'))",message="a rate is at least 1Ki and at most 1Pi bytes a second: write one as in 10Mi, or leave it out for no bound"
	Down *resource.Quantity `json:"down,omitempty"`
}

// TimeoutsSpec ends sessions and transfers that make no progress.
type TimeoutsSpec struct {
	// idle is the time after which a session without a command or a running transfer is ended: 10s to 24h. Default
	// 5m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="limits.timeouts.idle is out of range: write 10s to 24h"
	Idle Duration `json:"idle,omitempty"`
	// login is the longest time from connecting to being logged in: 1s to 10m. Default 1m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="limits.timeouts.login is out of range: write 1s to 10m"
	Login Duration `json:"login,omitempty"`
	// data is the time after which a transfer is ended whose data connection moves nothing: 1s to 1h. Default 1m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="limits.timeouts.data is out of range: write 1s to 1h"
	Data Duration `json:"data,omitempty"`
	// handshake is the longest time for a TLS handshake, on a control or a data connection: 1s to 1m. Default 10s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('1m')",message="limits.timeouts.handshake is out of range: write 1s to 1m"
	Handshake Duration `json:"handshake,omitempty"`
}

// BansSpec keeps out, for a while, clients that guess passwords or abuse the protocol. A ban is for an address; for
// IPv6, for its /64 network. Where the clients' addresses are hidden (see service.externalTrafficPolicy and
// service.proxyProtocol), failed logins ban the user name instead, and abuse bans nothing: one login with a banned
// name is let through every 10 seconds, the user's own included. Each pod counts separately.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxDuration) || !self.maxDuration.matches('^([0-9]{1,5}(h|m|s|ms))+$') || has(self.duration) && !self.duration.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self.maxDuration) >= duration(has(self.duration) ? self.duration : '5m')",message="bans.maxDuration is less than bans.duration (5m if that is not set): write at least that",fieldPath=".maxDuration"
type BansSpec struct {
	// enabled turns bans on. Default true.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
	// failures is the number of failed logins within window after which a ban begins, 1 to 1000. The same user with
	// the same wrong password counts once, however often a client tries it, so that a device with an outdated
	// password does not lock out the others at its address. Abuse of the protocol counts, too, as a part of a failure
	// each. Default 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Failures int32 `json:"failures,omitempty"`
	// window is the time for which a failure counts: 10s to 24h. Default 10m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="bans.window is out of range: write 10s to 24h"
	Window Duration `json:"window,omitempty"`
	// duration is the length of a first ban: 1s to 168h (a week). Each further ban is twice as long. Default 5m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('168h')",message="bans.duration is out of range: write 1s to 168h"
	Duration Duration `json:"duration,omitempty"`
	// maxDuration is the longest ban, and the time for which a ban is remembered after its end: at least duration, at
	// most 720h (30 days). Default 24h, or duration if that is longer. For a user name it is at most an hour, or
	// duration if that is longer.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="bans.maxDuration is out of range: write 1s to 720h"
	MaxDuration Duration `json:"maxDuration,omitempty"`
	// allow are networks that are never banned, at most 64. service.proxyProtocol.trusted is never banned, either.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Allow []Network `json:"allow,omitempty"`
}

// Network is an IP network in CIDR notation, as in 10.0.0.0/8 or 2001:db8::/32, or a single address.
//
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:XValidation:rule="isIP(self) || isCIDR(self) && cidr(self).masked() == cidr(self)",message="this is no network: write it as in 10.0.0.0/8 or 2001:db8::/32, with no bits set beyond the mask, or as a single address"
type Network string

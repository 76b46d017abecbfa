package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Duration is a span of time: numbers with the units h, m, s and ms, as in 90s, 5m or 1h30m.
//
// It is a string, not a metav1.Duration, so that no stored value can make objects unreadable.
//
// +kubebuilder:validation:MaxLength=20
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}(h|m|s|ms))+$')",message="this is no span of time: write it as in 90s, 5m or 1h30m"
type Duration string

// LimitsSpec bounds what clients may take. Each pod counts for itself. What is changed holds at
// once: the number of sessions for new ones, all else for those that run, too.
type LimitsSpec struct {
	// maxSessions bounds the sessions of a pod. When there are so many, one more takes the place of a session in
	// which nobody is logged in, also of one whose failed login is being delayed; it is refused with 421 if there is
	// none. A pod with a memory limit (template.resources.limits.memory) takes no more sessions
	// than its memory bears, whatever this says. Default 0: no bound.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSessions int32 `json:"maxSessions,omitempty"`
	// maxSessionsPerUser bounds the sessions in which one user is logged in; all anonymous ones
	// count together. Default 0: no bound.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSessionsPerUser int32 `json:"maxSessionsPerUser,omitempty"`
	// maxSessionsPerAddress bounds the sessions of one client address; an IPv6 client is its /64
	// network. It does nothing where the clients' addresses are hidden (see
	// service.externalTrafficPolicy and service.proxyProtocol). Default 0: no bound.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxSessionsPerAddress int32 `json:"maxSessionsPerAddress,omitempty"`
	// maxPreLogin bounds the sessions in which nobody is logged in yet, 1 to 100000. One more takes
	// the place of the oldest of the address that has the most of them, also of one whose failed login is being
	// delayed. With a memory limit it is at most half of the sessions that the memory bears. Default 1024.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxPreLogin int32 `json:"maxPreLogin,omitempty"`
	// bandwidth bounds the rates of transfers.
	// +optional
	Bandwidth BandwidthSpec `json:"bandwidth,omitzero"`
	// timeouts end what no longer moves.
	// +optional
	Timeouts TimeoutsSpec `json:"timeouts,omitzero"`
}

// BandwidthSpec bounds rates; all that apply hold at the same time.
type BandwidthSpec struct {
	// session is for each session.
	// +optional
	Session RatesSpec `json:"session,omitzero"`
	// user is for all sessions of one user together.
	// +optional
	User RatesSpec `json:"user,omitzero"`
	// server is for all sessions of a pod together.
	// +optional
	Server RatesSpec `json:"server,omitzero"`
}

// RatesSpec are bytes a second, as in 10Mi or 500k.
type RatesSpec struct {
	// up is from the clients to the server: bytes a second, at least 1Ki. Default: no bound.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!quantity(string(self)).isLessThan(quantity('1Ki')) && !quantity(string(self)).isGreaterThan(quantity('1Pi'))",message="a rate is at least 1Ki and at most 1Pi bytes a second: write one as in 10Mi, or leave it out for no bound"
	Up *resource.Quantity `json:"up,omitempty"`
	// down is from the server to the clients: bytes a second, at least 1Ki. Default: no bound.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!quantity(string(self)).isLessThan(quantity('1Ki')) && !quantity(string(self)).isGreaterThan(quantity('1Pi'))",message="a rate is at least 1Ki and at most 1Pi bytes a second: write one as in 10Mi, or leave it out for no bound"
	Down *resource.Quantity `json:"down,omitempty"`
}

// TimeoutsSpec end what no longer moves.
type TimeoutsSpec struct {
	// idle ends a session without a command or a running transfer: 10s to 24h. Default 5m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="limits.timeouts.idle is out of range: write 10s to 24h"
	Idle Duration `json:"idle,omitempty"`
	// login bounds the time from connecting to being logged in: 1s to 10m. Default 1m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="limits.timeouts.login is out of range: write 1s to 10m"
	Login Duration `json:"login,omitempty"`
	// data ends a transfer whose data connection stands still: 1s to 1h. Default 1m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="limits.timeouts.data is out of range: write 1s to 1h"
	Data Duration `json:"data,omitempty"`
	// handshake bounds a TLS handshake, of a control or a data connection: 1s to 1m. Default 10s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('1m')",message="limits.timeouts.handshake is out of range: write 1s to 1m"
	Handshake Duration `json:"handshake,omitempty"`
}

// BansSpec keeps out, for a while, who guesses passwords or abuses the protocol, by address; an
// IPv6 client is its /64 network. Where the clients' addresses are hidden (see
// service.externalTrafficPolicy and service.proxyProtocol) it slows down instead: while a user name is
// banned, for failed logins alone, its logins are let through one every 10 seconds, the user's own
// among them. Each pod counts for itself.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxDuration) || !self.maxDuration.matches('^([0-9]{1,5}(h|m|s|ms))+$') || has(self.duration) && !self.duration.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self.maxDuration) >= duration(has(self.duration) ? self.duration : '5m')",message="bans.maxDuration is less than bans.duration (5m if that is not set): write at least that",fieldPath=".maxDuration"
type BansSpec struct {
	// enabled: false bans nobody. Default true.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
	// failures is how many failed logins within window begin a ban, 1 to 1000. The same user with
	// the same wrong password counts once, however often a client tries it: a device that was
	// not told a new password does not lock out the others of its address. Abuse of the protocol
	// counts too, as a part of a failure each. Default 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Failures int32 `json:"failures,omitempty"`
	// window is how long a failure counts: 10s to 24h. Default 10m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="bans.window is out of range: write 10s to 24h"
	Window Duration `json:"window,omitempty"`
	// duration of a first ban: 1s to 168h (a week). Each one that follows is twice as long.
	// Default 5m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('168h')",message="bans.duration is out of range: write 1s to 168h"
	Duration Duration `json:"duration,omitempty"`
	// maxDuration is the longest that a ban gets, and how long after a ban it is remembered: at
	// least duration, at most 720h (30 days). Default 24h, or duration if that is longer. For a
	// user name it is an hour at most, or duration if that is longer.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms))+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="bans.maxDuration is out of range: write 1s to 720h"
	MaxDuration Duration `json:"maxDuration,omitempty"`
	// allow are networks that are never banned, at most 64.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Allow []Network `json:"allow,omitempty"`
}

// Network is an IP network as CIDR, as in 10.0.0.0/8 or 2001:db8::/32, or a single address.
//
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:XValidation:rule="isIP(self) || isCIDR(self) && cidr(self).masked() == cidr(self)",message="this is no network: write it as in 10.0.0.0/8 or 2001:db8::/32, with no bits set beyond the mask, or as a single address"
type Network string

package config

import "time"

// Status is the daemon's report on itself: the JSON body of GET /status on AdminAddress.
// The operator reads it to see what really serves. It holds no secret.
type Status struct {
	// Ready is what /readyz answers; Reason says why not.
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// ConfigHash is Hash of the file that is serving now.
	ConfigHash string `json:"configHash"`
	// RejectedHash and ConfigError tell of a newer file that was refused; empty when the newest
	// file serves.
	RejectedHash string `json:"rejectedHash,omitempty"`
	ConfigError  string `json:"configError,omitempty"`
	// Ignored are the keys and values of the file that is serving now which this daemon does not
	// know, see Load: the file was written for a newer version.
	Ignored []string `json:"ignored,omitempty"`
	// PassivePorts are the ports held.
	PassivePorts PortSet `json:"passivePorts,omitempty"`
	// AdvertisedIP is the address PASV names now; empty when it is the control connection's own.
	AdvertisedIP string `json:"advertisedIP,omitempty"`
	// AddressError tells why AdvertisedAddress could not be resolved the last time it was tried.
	AddressError string `json:"addressError,omitempty"`
	// PodAddressError tells why the file PodAddressFile can't be used; AdvertisedAddress serves meanwhile.
	PodAddressError string `json:"podAddressError,omitempty"`
	// DataPeer is Config.DataPeer of the configuration that is serving now.
	DataPeer DataPeer `json:"dataPeer,omitempty"`
	// CertificateNotAfter is when the first of the certificates in force ends; nil without TLS.
	CertificateNotAfter *time.Time `json:"certificateNotAfter,omitempty"`
	// CertificateError tells why the files of TLS can't be used as they are now; what they held
	// before serves.
	CertificateError string `json:"certificateError,omitempty"`
	// Draining is true from SIGTERM on.
	Draining bool `json:"draining,omitempty"`
	// Sessions and Transfers count what is open now.
	Sessions  int `json:"sessions"`
	Transfers int `json:"transfers"`
	// Resources are the memory and descriptors that the daemon has; nil if it does not know.
	Resources *ResourceStatus `json:"resources,omitempty"`
}

// ResourceStatus is what the system lets the daemon have, and the bounds that follow.
// Zero is no limit, or no bound.
type ResourceStatus struct {
	// MemoryLimit is that of the daemon's cgroup, GoMemoryLimit the soft one of its heap (GOMEMLIMIT), in bytes.
	MemoryLimit   int64 `json:"memoryLimit,omitempty"`
	GoMemoryLimit int64 `json:"goMemoryLimit,omitempty"`
	// HashMemory bounds what the password hashes that are verified at one time take, in bytes, and HashesAtOnce
	// how many they are.
	HashMemory   int64 `json:"hashMemory,omitempty"`
	HashesAtOnce int   `json:"hashesAtOnce,omitempty"`
	// MaxSessions is the lower one of limits.maxSessions and what the memory bears; MaxPreLogin likewise.
	MaxSessions int `json:"maxSessions,omitempty"`
	MaxPreLogin int `json:"maxPreLogin,omitempty"`
	// CompressedTransfers bounds those in MODE Z at one time.
	CompressedTransfers int `json:"compressedTransfers,omitempty"`
	// DescriptorLimit is RLIMIT_NOFILE, and Descriptors what is left of it for sessions and transfers.
	DescriptorLimit int `json:"descriptorLimit,omitempty"`
	Descriptors     int `json:"descriptors,omitempty"`
	// Warnings name each of these that is too small for the configuration, with the field and the fix.
	Warnings []string `json:"warnings,omitempty"`
}

package config

import "time"

// Status is the daemon's report on itself: the JSON body of GET /status on AdminAddress. The operator reads it to see
// what is really in force. It contains no secret.
type Status struct {
	// Ready is true if /readyz answers 200; otherwise Reason says why not.
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// ConfigHash is the Hash of the file that is in force.
	ConfigHash string `json:"configHash"`
	// RejectedHash is the Hash of a newer file that was refused, and ConfigError the reason. Both are empty if the
	// newest file is in force.
	RejectedHash string `json:"rejectedHash,omitempty"`
	ConfigError  string `json:"configError,omitempty"`
	// Ignored lists the keys and values of the file in force that this daemon does not know (see Load), because the
	// file was written for a newer version.
	Ignored []string `json:"ignored,omitempty"`
	// PassivePorts are the ports that are bound.
	PassivePorts PortSet `json:"passivePorts,omitempty"`
	// AdvertisedIP is the address that PASV names now; empty if it is the control connection's own.
	AdvertisedIP string `json:"advertisedIP,omitempty"`
	// AddressError says why AdvertisedAddress could not be resolved at the last attempt.
	AddressError string `json:"addressError,omitempty"`
	// PodAddressError says why PodAddressFile can't be used; AdvertisedAddress is used meanwhile.
	PodAddressError string `json:"podAddressError,omitempty"`
	// DataPeer is Config.DataPeer of the configuration in force.
	DataPeer DataPeer `json:"dataPeer,omitempty"`
	// CertificateNotAfter is the time at which the first of the certificates in force expires; nil without TLS.
	CertificateNotAfter *time.Time `json:"certificateNotAfter,omitempty"`
	// CertificateError says why the TLS files, as they are now, can't be used; their former content stays in force.
	CertificateError string `json:"certificateError,omitempty"`
	// Draining is true from SIGTERM on.
	Draining bool `json:"draining,omitempty"`
	// Sessions and Transfers are the numbers of open sessions and running transfers.
	Sessions  int `json:"sessions"`
	Transfers int `json:"transfers"`
	// Resources are the memory and descriptors that the daemon has; nil if it does not know them.
	Resources *ResourceStatus `json:"resources,omitempty"`
}

// ResourceStatus says which resources the daemon may use, and which limits follow. Zero means no limit.
type ResourceStatus struct {
	// MemoryLimit is the limit of the daemon's cgroup, and GoMemoryLimit the soft limit of its heap (GOMEMLIMIT), in
	// bytes.
	MemoryLimit   int64 `json:"memoryLimit,omitempty"`
	GoMemoryLimit int64 `json:"goMemoryLimit,omitempty"`
	// HashMemory is the largest amount of memory, in bytes, for the password hashes that are verified at one time,
	// and HashesAtOnce the largest number of these.
	HashMemory   int64 `json:"hashMemory,omitempty"`
	HashesAtOnce int   `json:"hashesAtOnce,omitempty"`
	// MaxSessions is the lower one of limits.maxSessions and what the memory suffices for. MaxPreLogin is the same
	// for limits.maxPreLogin.
	MaxSessions int `json:"maxSessions,omitempty"`
	MaxPreLogin int `json:"maxPreLogin,omitempty"`
	// CompressedTransfers is the largest number of transfers in MODE Z at one time.
	CompressedTransfers int `json:"compressedTransfers,omitempty"`
	// DescriptorLimit is RLIMIT_NOFILE, and Descriptors the number of these that is left for sessions and transfers.
	DescriptorLimit int `json:"descriptorLimit,omitempty"`
	Descriptors     int `json:"descriptors,omitempty"`
	// Warnings names each resource that is too small for the configuration, with the field and the remedy.
	Warnings []string `json:"warnings,omitempty"`
}

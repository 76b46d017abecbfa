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
}

// Package config is the daemon's configuration: one versioned YAML file, validated whole and
// swapped whole. It is the one contract that the operator (which writes the file) and the
// daemon (which reads it) share, with the text form of a pod's passive ports (PortSet) and the
// daemon's report on itself (Status).
package config

import "time"

// APIVersion is the version of the file's format. A daemon refuses any other.
const APIVersion = "ftpd.ftp-operator.io/v1alpha1"

// Config is the daemon's whole configuration.
//
// Fields marked "static" are read once, at start; a reload that changes one is refused with an
// error that names it, and the old configuration goes on serving. All others take effect on the
// next command or session of a running daemon.
type Config struct {
	// APIVersion must be "ftpd.ftp-operator.io/v1alpha1".
	APIVersion string `json:"apiVersion"`
	// Listen holds the addresses of the control port, as host:port; an empty host is every
	// address, IPv4 and IPv6. Default [":2121"]. Static.
	Listen []string `json:"listen,omitempty"`
	// AdminAddress is where /healthz, /readyz, /status and /metrics are served over HTTP, as host:port.
	// Empty: nowhere. Static.
	AdminAddress string `json:"adminAddress,omitempty"`
	// Greeting is the text of the 220 reply. Default "FTP server ready". One line, printable.
	Greeting string `json:"greeting,omitempty"`
	// Charset is how names are written for clients that don't send OPTS UTF8 ON. Default utf-8.
	Charset Charset `json:"charset,omitempty"`
	// Hosts are the names by which clients know the server, for HOST (RFC 7151); "*.example.com"
	// is every name one label below. Empty: HOST takes any name.
	Hosts []string `json:"hosts,omitempty"`
	// AllowedNetworks are the networks, as CIDR, from which clients may connect; others get 421.
	// What counts is the client's address as the daemon knows it, behind a proxy the one that the
	// proxy tells. Sessions that run go on. Empty: anybody.
	AllowedNetworks []Network `json:"allowedNetworks,omitempty"`

	Storage   Storage   `json:"storage"`
	Passive   Passive   `json:"passive,omitempty"`
	Active    Active    `json:"active,omitempty"`
	TLS       *TLS      `json:"tls,omitempty"`
	Users     []User    `json:"users,omitempty"`
	Anonymous Anonymous `json:"anonymous,omitempty"`
	Timeouts  Timeouts  `json:"timeouts,omitempty"`
	Drain     Drain     `json:"drain,omitempty"`

	Limits        Limits        `json:"limits,omitempty"`
	Bans          Bans          `json:"bans,omitempty"`
	ProxyProtocol ProxyProtocol `json:"proxyProtocol,omitempty"`
}

// PeerCheck says who may open a data connection.
type PeerCheck string

const (
	// PeerCheckStrict accepts a passive data connection only from the address of the control
	// connection. Right where client addresses are real.
	PeerCheckStrict PeerCheck = "Strict"
	// PeerCheckRelaxed accepts it from any address; a reservation is then exclusive on its port.
	// Needed where source NAT may give the two connections of one client different addresses.
	PeerCheckRelaxed PeerCheck = "Relaxed"
)

// AddressSource is where the address for PASV comes from.
type AddressSource string

// AddressFromProxyProtocol is the destination in the PROXY header of the control connection.
const AddressFromProxyProtocol AddressSource = "ProxyProtocol"

// Passive is passive mode (PASV, EPSV).
type Passive struct {
	// Ports are the passive ports, all bound at start and held for the life of the process.
	// Exactly one of Ports and PortsFile is set. Static.
	Ports PortSet `json:"ports,omitempty"`
	// PortsFile names a file that will hold the ports in PortSet's text form. Until it does
	// the daemon is not ready; what it first holds stays for the life of the process. Static.
	// A file advertised-address in the same directory, if there is one, holds the IP address by which clients reach
	// this pod and no other one. PASV names it in place of AdvertisedAddress, and follows it as it changes; what is not
	// an IP address is ignored, logged, and told in /status (podAddressError).
	PortsFile string `json:"portsFile,omitempty"`
	// AdvertisedAddress is the IP address or host name that PASV names (RFC 959). A host name
	// is resolved when loaded and again as it ages; the last good answer serves meanwhile.
	// Empty: the local address of the control connection, unless RequireAddress is set.
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`
	// AdvertisedAddressFrom, if it is ProxyProtocol, makes PASV name the address that the client has dialled
	// where a PROXY header tells it; AdvertisedAddress serves where none does. Empty: it is not used. See ProxyProtocol.
	AdvertisedAddressFrom AddressSource `json:"advertisedAddressFrom,omitempty"`
	// Overrides are addresses to name instead to clients of certain networks, which may reach the
	// server by another way. The first that covers the client counts.
	Overrides []AddressOverride `json:"overrides,omitempty"`
	// RequireAddress holds the daemon out of readiness until AdvertisedAddress is set and, for a
	// host name, resolved, or the file beside PortsFile gives an address.
	RequireAddress bool `json:"requireAddress,omitempty"`
	// PeerCheck is Strict (default) or Relaxed.
	PeerCheck PeerCheck `json:"peerCheck,omitempty"`
	// ReservationTimeout bounds the time from a PASV reply to the data connection, and likewise
	// the wait for a port before that reply when every port is reserved. Default 30s; 1s to 5m.
	ReservationTimeout Duration `json:"reservationTimeout,omitempty"`
}

// Active is active mode (PORT, EPRT), in which the daemon dials the client.
type Active struct {
	// Enabled allows PORT and EPRT; the target must be the control peer's own address and a
	// port from 1024 up (RFC 2577). Default false.
	Enabled bool `json:"enabled,omitempty"`
	// SourcePort is the local port to dial from: 20, as RFC 959 section 3.2 has it, for firewalls
	// that expect it. Default 0: any. Below 1024 the daemon needs the right to bind it.
	SourcePort uint16 `json:"sourcePort,omitempty"`
}

// Access is a class of rights.
type Access string

const (
	// AccessReadOnly lists and downloads.
	AccessReadOnly Access = "ReadOnly"
	// AccessReadWrite does everything.
	AccessReadWrite Access = "ReadWrite"
	// AccessUploadOnly stores new files and makes directories; it neither lists, reads,
	// overwrites, renames nor deletes: a drop box.
	AccessUploadOnly Access = "UploadOnly"
)

// User is a virtual user.
type User struct {
	// Name is what USER gives: 1 to 64 characters, printable, no blanks or slashes. Unique.
	// "anonymous" and "ftp" belong to Anonymous.
	Name string `json:"name"`
	// PasswordHash is an argon2id hash in PHC form ($argon2id$v=19$...) or a bcrypt one ($2b$...).
	PasswordHash string `json:"passwordHash"`
	// Home is the user's directory below the storage root, as a relative slash path; "." is the
	// root itself. Made at login if absent. Default: Name.
	Home string `json:"home,omitempty"`
	// Access defaults to ReadWrite.
	Access Access `json:"access,omitempty"`
	// Rights, if there are any, take the place of Access.
	Rights []Right `json:"rights,omitempty"`
	// Quota bounds what the home may hold.
	Quota Quota `json:"quota,omitzero"`
}

// Anonymous is login without an account, as "anonymous" or "ftp" with any password (RFC 1635).
type Anonymous struct {
	// Enabled allows it. Default false.
	Enabled bool `json:"enabled,omitempty"`
	// Home is as for a user. Default "anonymous".
	Home string `json:"home,omitempty"`
	// Access defaults to ReadOnly.
	Access Access `json:"access,omitempty"`
	// Rights, if there are any, take the place of Access.
	Rights []Right `json:"rights,omitempty"`
	// Quota bounds what the home may hold.
	Quota Quota `json:"quota,omitzero"`
}

// Timeouts end what no longer moves.
type Timeouts struct {
	// Idle ends a session without a command or a running transfer. Default 5m (RFC 1123
	// 4.1.3.2 asks for at least that); 10s to 24h.
	Idle Duration `json:"idle,omitempty"`
	// Login bounds the time from connecting to being logged in. Default 1m; 1s to 10m.
	Login Duration `json:"login,omitempty"`
	// Data ends a transfer whose data connection stands still. Default 1m; 1s to 1h.
	Data Duration `json:"data,omitempty"`
	// Handshake bounds a TLS handshake, of a control or a data connection. Default 10s; 1s to 1m.
	Handshake Duration `json:"handshake,omitempty"`
}

// Drain is what SIGTERM begins.
type Drain struct {
	// LameDuck is how long nobody must have logged in, after readiness was withdrawn, until new
	// sessions are refused: whoever still comes shows that the routing has not caught up. It ends
	// after six times as long in any case. 0s to 5m, default 5s.
	LameDuck *Duration `json:"lameDuck,omitempty"`
	// Grace bounds the whole drain; whatever still runs then is cut. Default 1h; 1s to 7 days.
	Grace Duration `json:"grace,omitempty"`
	// Idle is how long a session must have been idle to be ended with 421 while draining.
	// Default 5s; 1s to 24h.
	Idle Duration `json:"idle,omitempty"`
}

// Defaults, and the bounds that Validate keeps.
const (
	DefaultListen             = ":2121"
	DefaultGreeting           = "FTP server ready"
	DefaultAnonymousHome      = "anonymous"
	DefaultReservationTimeout = 30 * time.Second
	DefaultIdleTimeout        = 5 * time.Minute
	DefaultLoginTimeout       = time.Minute
	DefaultDataTimeout        = time.Minute
	DefaultHandshakeTimeout   = 10 * time.Second
	DefaultLameDuck           = 5 * time.Second
	DefaultGrace              = time.Hour
	DefaultDrainIdle          = 5 * time.Second
)

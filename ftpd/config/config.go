// Package config defines the daemon's configuration: one versioned YAML file, which is validated and replaced as a
// whole.
//
// It is the contract between the operator, which writes the file, and the daemon, which reads it. Two more parts of
// that contract are here: PortSet, the text form of a pod's passive ports, and Status, the daemon's report on itself.
// Begin reading at Config and Load. Of this module the package imports internal/passhash and internal/reserved.
package config

import "time"

// APIVersion is the version of the file's format. A daemon refuses a file with any other.
const APIVersion = "ftpd.ftp-operator.io/v1alpha1"

// Config is the daemon's whole configuration.
//
// Fields marked "static" are read once, at start. A reload that changes one is refused with an error that names it,
// and the old configuration stays in force. All other fields take effect with the next command or session of a
// running daemon.
type Config struct {
	// APIVersion must be "ftpd.ftp-operator.io/v1alpha1".
	APIVersion string `json:"apiVersion"`
	// Listen lists the addresses of the control port, as host:port. An empty host means every address, IPv4 and IPv6.
	// Default [":2121"]. Static.
	Listen []string `json:"listen,omitempty"`
	// AdminAddress is the address, as host:port, on which /healthz, /readyz, /status and /metrics are served over
	// HTTP. Empty: they are not served. Static.
	AdminAddress string `json:"adminAddress,omitempty"`
	// Greeting is the text of the 220 reply: one line of printable characters. Default "FTP server ready".
	Greeting string `json:"greeting,omitempty"`
	// Charset is the encoding of file names for clients that do not send OPTS UTF8 ON. Default utf-8.
	Charset Charset `json:"charset,omitempty"`
	// Hosts lists the names by which clients know the server, for HOST (RFC 7151). "*.example.com" means every name
	// one label below example.com. Empty: HOST accepts any name.
	Hosts []string `json:"hosts,omitempty"`
	// AllowedNetworks lists the networks, as CIDR, from which clients may connect; other clients get 421. The
	// client's address is the one that the daemon knows: behind a proxy, the one that the proxy reports. Open
	// sessions are not affected. Empty: all clients may connect.
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

// PeerCheck says which clients may open a data connection.
type PeerCheck string

const (
	// PeerCheckStrict accepts a passive data connection only from the address of the control connection. It is right
	// where the daemon sees the clients' own addresses.
	PeerCheckStrict PeerCheck = "Strict"
	// PeerCheckRelaxed accepts a passive data connection from any address; a port is then reserved for one session at
	// a time. It is needed where source NAT may give the two connections of one client different addresses.
	PeerCheckRelaxed PeerCheck = "Relaxed"
)

// AddressSource says where the address for PASV comes from.
type AddressSource string

// AddressFromProxyProtocol means the destination address in the PROXY header of the control connection.
const AddressFromProxyProtocol AddressSource = "ProxyProtocol"

// Passive configures passive mode (PASV, EPSV).
type Passive struct {
	// Ports are the passive ports. The daemon binds all of them at start and keeps them until it ends. Exactly one of
	// Ports and PortsFile must be set. Static.
	Ports PortSet `json:"ports,omitempty"`
	// PortsFile is the path of a file that will contain the ports in PortSet's text form. The daemon is not ready
	// until it does. The ports that the file contains first are kept until the daemon ends. Static. The same
	// directory may contain a file advertised-address with the IP address that leads clients to this pod and no other
	// one. PASV then names this address instead of AdvertisedAddress, and follows its changes. If the content is not
	// an IP address it is ignored, logged, and reported in /status (podAddressError).
	PortsFile string `json:"portsFile,omitempty"`
	// AdvertisedAddress is the IP address or host name that PASV names (RFC 959). A host name is resolved when it is
	// loaded and again as the answer ages; until then the last good answer is used. Empty: the local address of the
	// control connection, unless RequireAddress is set.
	AdvertisedAddress string `json:"advertisedAddress,omitempty"`
	// AdvertisedAddressFrom, if it is ProxyProtocol, makes PASV name the address that the client has connected to,
	// where a PROXY header reports it, and AdvertisedAddress otherwise. Empty: PROXY headers are not used for this.
	// See ProxyProtocol.
	AdvertisedAddressFrom AddressSource `json:"advertisedAddressFrom,omitempty"`
	// Overrides lists addresses that PASV names to clients of certain networks, which may reach the server by another
	// way. The first override whose networks contain the client is used.
	Overrides []AddressOverride `json:"overrides,omitempty"`
	// RequireAddress keeps the daemon unready until AdvertisedAddress is set and, if it is a host name, resolved, or
	// until the file next to PortsFile gives an address.
	RequireAddress bool `json:"requireAddress,omitempty"`
	// PeerCheck is Strict (default) or Relaxed.
	PeerCheck PeerCheck `json:"peerCheck,omitempty"`
	// ReservationTimeout is the longest time from a PASV reply to the data connection, and also the longest wait for
	// a port before that reply when every port is reserved. Default 30s; 1s to 5m.
	ReservationTimeout Duration `json:"reservationTimeout,omitempty"`
}

// Active configures active mode (PORT, EPRT), in which the daemon connects to the client.
type Active struct {
	// Enabled allows PORT and EPRT. The target must be the client's own address and a port from 1024 up (RFC 2577).
	// Default false.
	Enabled bool `json:"enabled,omitempty"`
	// SourcePort is the local port of data connections. 20 is the port of RFC 959 section 3.2, which some firewalls
	// expect. Default 0: any port. For a port below 1024 the daemon needs the right to bind it.
	SourcePort uint16 `json:"sourcePort,omitempty"`
}

// Access is a class of rights.
type Access string

const (
	// AccessReadOnly allows listing and downloading.
	AccessReadOnly Access = "ReadOnly"
	// AccessReadWrite allows everything.
	AccessReadWrite Access = "ReadWrite"
	// AccessUploadOnly allows storing new files and making directories, but not listing, reading, overwriting,
	// renaming or deleting: a drop box.
	AccessUploadOnly Access = "UploadOnly"
)

// User is a user of the daemon, who needs no account on the machine.
type User struct {
	// Name is the name that the client sends with USER: 1 to 64 printable characters without blanks and slashes. It
	// must be unique. "anonymous" and "ftp" are reserved for Anonymous.
	Name string `json:"name"`
	// PasswordHash is an argon2id hash in PHC form ($argon2id$v=19$...) or a bcrypt hash ($2b$...).
	PasswordHash string `json:"passwordHash"`
	// Home is the user's directory below the storage root, as a relative slash path; "." is the root itself. It is
	// created at login if it does not exist. Default: Name.
	Home string `json:"home,omitempty"`
	// Access defaults to ReadWrite.
	Access Access `json:"access,omitempty"`
	// Rights, if not empty, replace Access.
	Rights []Right `json:"rights,omitempty"`
	// Quota limits what the home may hold.
	Quota Quota `json:"quota,omitzero"`
}

// Anonymous configures logins without an account, as "anonymous" or "ftp" with any password (RFC 1635).
type Anonymous struct {
	// Enabled allows anonymous logins. Default false.
	Enabled bool `json:"enabled,omitempty"`
	// Home is the directory of anonymous users; see the home of users. Default "anonymous".
	Home string `json:"home,omitempty"`
	// Access defaults to ReadOnly.
	Access Access `json:"access,omitempty"`
	// Rights, if not empty, replace Access.
	Rights []Right `json:"rights,omitempty"`
	// Quota limits what the home may hold.
	Quota Quota `json:"quota,omitzero"`
}

// Timeouts says when sessions and transfers that are stuck are ended.
type Timeouts struct {
	// Idle is the time after which a session is ended that has sent no command and runs no transfer. Default 5m (RFC
	// 1123 section 4.1.3.2 demands at least that); 10s to 24h.
	Idle Duration `json:"idle,omitempty"`
	// Login is the longest time from connecting to being logged in. Default 1m; 1s to 10m.
	Login Duration `json:"login,omitempty"`
	// Data is the time after which a transfer is ended whose data connection moves nothing. Default 1m; 1s to 1h.
	Data Duration `json:"data,omitempty"`
	// Handshake is the longest time for a TLS handshake, on a control or a data connection. Default 10s; 1s to 1m.
	Handshake Duration `json:"handshake,omitempty"`
}

// Drain says how the daemon ends after SIGTERM.
type Drain struct {
	// LameDuck is the time without any login, after the daemon has become unready, after which it refuses new
	// sessions. A login shows that the routing has not caught up yet. New sessions are refused after six times as
	// long in any case. 0s to 5m, default 5s.
	LameDuck *Duration `json:"lameDuck,omitempty"`
	// Grace is the longest time of the whole drain; sessions that are left then are cut. Default 1h; 1s to 7 days.
	Grace Duration `json:"grace,omitempty"`
	// Idle is the time for which a session must have been idle to be ended with 421 while the daemon drains. Default
	// 5s; 1s to 24h.
	Idle Duration `json:"idle,omitempty"`
}

// These are the defaults.
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

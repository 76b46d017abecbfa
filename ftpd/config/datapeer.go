package config

// DataPeer says what proves that a data connection is the client's whose session asked for it.
type DataPeer string

const (
	// DataPeerStrict goes by its address, which is the control connection's.
	DataPeerStrict DataPeer = "Strict"
	// DataPeerTLSSession goes by the TLS session, which must be the control connection's, resumed;
	// addresses prove nothing.
	DataPeerTLSSession DataPeer = "TLSSession"
	// DataPeerRelaxed goes by nothing but the port, which is reserved for one session at a time.
	DataPeerRelaxed DataPeer = "Relaxed"
)

// DataPeer returns what proves whose a data connection is under this configuration. TLS sessions do
// only where no data connection may do without.
func (c *Config) DataPeer() DataPeer {
	switch {
	case c.Passive.PeerCheck != PeerCheckRelaxed:
		return DataPeerStrict
	case c.TLSSessionRequired():
		return DataPeerTLSSession
	}
	return DataPeerRelaxed
}

// TLSSessionRequired reports whether every data connection must resume its control connection's TLS
// session.
func (c *Config) TLSSessionRequired() bool {
	return c.TLS != nil && c.TLS.Data == PolicyRequired && c.TLS.SessionReuse == SessionReuseRequire
}

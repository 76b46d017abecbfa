package config

// DataPeer says what proves that a data connection belongs to the client whose session asked for it.
type DataPeer string

const (
	// DataPeerStrict means its address, which must be the control connection's.
	DataPeerStrict DataPeer = "Strict"
	// DataPeerTLSSession means its TLS session, which must be the control connection's, resumed. Addresses prove
	// nothing.
	DataPeerTLSSession DataPeer = "TLSSession"
	// DataPeerRelaxed means only the port, which is reserved for one session at a time.
	DataPeerRelaxed DataPeer = "Relaxed"
)

// DataPeer returns what proves that a data connection belongs to a client under this configuration. TLS sessions are
// a proof only if every data connection must use one.
func (c *Config) DataPeer() DataPeer {
	switch {
	case c.Passive.PeerCheck != PeerCheckRelaxed:
		return DataPeerStrict
	case c.TLSSessionRequired():
		return DataPeerTLSSession
	}
	return DataPeerRelaxed
}

// TLSSessionRequired reports whether every data connection must resume the TLS session of its control connection.
func (c *Config) TLSSessionRequired() bool {
	return c.TLS != nil && c.TLS.Data == PolicyRequired && c.TLS.SessionReuse == SessionReuseRequire
}

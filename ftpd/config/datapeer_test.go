package config

import "testing"

func TestDataPeer(t *testing.T) {
	bound := &TLS{Data: PolicyRequired, SessionReuse: SessionReuseRequire}
	tests := map[string]struct {
		check PeerCheck
		tls   *TLS
		want  DataPeer
		bound bool
	}{
		"the default":                   {"", nil, DataPeerStrict, false},
		"strict":                        {PeerCheckStrict, nil, DataPeerStrict, false},
		"strict and bound by TLS":       {PeerCheckStrict, bound, DataPeerStrict, true},
		"relaxed":                       {PeerCheckRelaxed, nil, DataPeerRelaxed, false},
		"relaxed, but bound by TLS":     {PeerCheckRelaxed, bound, DataPeerTLSSession, true},
		"reuse preferred":               {PeerCheckRelaxed, &TLS{Data: PolicyRequired, SessionReuse: SessionReusePrefer}, DataPeerRelaxed, false},
		"clear data connections do too": {PeerCheckRelaxed, &TLS{Data: PolicyOptional, SessionReuse: SessionReuseRequire}, DataPeerRelaxed, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &Config{Passive: Passive{PeerCheck: tt.check}, TLS: tt.tls}
			if got := c.DataPeer(); got != tt.want || c.TLSSessionRequired() != tt.bound {
				t.Errorf("got %s and %v, want %s and %v", got, c.TLSSessionRequired(), tt.want, tt.bound)
			}
		})
	}
}

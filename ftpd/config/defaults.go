package config

// SetDefaults sets every field that has a default and is empty.
func (c *Config) SetDefaults() {
	if len(c.Listen) == 0 {
		c.Listen = []string{DefaultListen}
	}
	setDefault(&c.Greeting, DefaultGreeting)
	c.Storage.setDefaults()
	setDefault(&c.Passive.PeerCheck, PeerCheckStrict)
	setDefault(&c.Passive.ReservationTimeout, Duration(DefaultReservationTimeout))
	for i := range c.Users {
		u := &c.Users[i]
		setDefault(&u.Home, u.Name)
		setDefault(&u.Access, AccessReadWrite)
	}
	setDefault(&c.Anonymous.Home, DefaultAnonymousHome)
	setDefault(&c.Anonymous.Access, AccessReadOnly)
	setDefault(&c.Timeouts.Idle, Duration(DefaultIdleTimeout))
	setDefault(&c.Timeouts.Login, Duration(DefaultLoginTimeout))
	setDefault(&c.Timeouts.Data, Duration(DefaultDataTimeout))
	setDefault(&c.Timeouts.Handshake, Duration(DefaultHandshakeTimeout))
	c.TLS.setDefaults()
	if c.Drain.LameDuck == nil {
		lameDuck := Duration(DefaultLameDuck)
		c.Drain.LameDuck = &lameDuck
	}
	setDefault(&c.Drain.Grace, Duration(DefaultGrace))
	setDefault(&c.Drain.Idle, Duration(DefaultDrainIdle))
	c.Limits.setDefaults()
	c.Bans.setDefaults()
	c.ProxyProtocol.setDefaults()
}

func setDefault[T comparable](field *T, value T) {
	var unset T
	if *field == unset {
		*field = value
	}
}

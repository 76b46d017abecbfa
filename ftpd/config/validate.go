package config

// SetDefaults fills in every field that has a default and is not set.
func (c *Config) SetDefaults() {}

// Validate checks the whole configuration, defaults filled in. The error joins all problems,
// each naming its field and the fix.
func (c *Config) Validate() error { return nil }

// StaticChanges returns the names of the static fields in which the two differ: those that a
// running daemon can't take over.
func StaticChanges(before, after *Config) []string { return nil }

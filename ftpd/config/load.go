package config

import (
	"crypto/sha256"
	"encoding/hex"

	"sigs.k8s.io/yaml"
)

// Parse reads a configuration file, sets the defaults and validates the result. Unknown fields are errors. The error
// names every field that is wrong. Parse is for programs that write such files; the daemon reads them with Load.
func Parse(file []byte) (*Config, error) {
	var c Config
	if err := yaml.UnmarshalStrict(file, &c); err != nil {
		return nil, notYAML(err)
	}
	c.SetDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &c, nil
}

// Marshal returns the file that Parse reads. The same Config always gives the same bytes.
func (c *Config) Marshal() ([]byte, error) { return yaml.Marshal(c) }

// Hash returns a text that identifies the bytes of a configuration file: the first 16 hex digits of their SHA-256.
func Hash(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:8])
}

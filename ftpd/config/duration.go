package config

import (
	"fmt"
	"time"
)

// Duration is a time.Duration whose text form in YAML is Go's ("90s", "1h30m").
type Duration time.Duration

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns Go's text form.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText returns the text form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %q is not of the form 90s, 5m or 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}

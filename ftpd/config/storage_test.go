package config

import (
	"testing"

	"pgregory.net/rapid"
)

func TestValidateStorage(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"durability", func(c *Config) { c.Storage.Durability = DurabilityNone }, ""},
		{"durability unknown", func(c *Config) { c.Storage.Durability = "fsync" }, `storage.durability: "fsync" is unknown: write Fsync or None`},
		{"partial uploads", func(c *Config) { c.Storage.PartialUploads = PartialUploadsKeep }, ""},
		{"partial uploads unknown", func(c *Config) { c.Storage.PartialUploads = "Some" }, `storage.partialUploads: "Some" is unknown: write Discard or Keep`},
		{"quota", func(c *Config) { c.Users[1].Quota = Quota{Bytes: 1 << 60, Files: 1} }, ""},
		{"bytes below zero", func(c *Config) { c.Users[1].Quota.Bytes = -1 }, "users[1].quota.bytes: -1 is negative: write how many bytes may be stored, or 0 for no bound"},
		{"files below zero", func(c *Config) { c.Anonymous.Quota.Files = -5 }, "anonymous.quota.files: -5 is negative: write how many files there may be, or 0 for no bound"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := valid()
			c.change(config)
			got := ""
			if err := config.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if changed := StaticChanges(valid(), config); changed != nil {
				t.Errorf("a running daemon does not take over %v", changed)
			}
		})
	}
}

func drawStorage(t *rapid.T) Storage {
	return Storage{
		Root:           rapid.StringMatching(`/[ -~]{0,20}`).Draw(t, "root"),
		Durability:     rapid.SampledFrom([]Durability{DurabilityFsync, DurabilityNone}).Draw(t, "durability"),
		PartialUploads: rapid.SampledFrom([]PartialUploads{PartialUploadsDiscard, PartialUploadsKeep}).Draw(t, "partial uploads"),
	}
}

func drawQuota(t *rapid.T) Quota {
	size := rapid.Int64Range(0, 1<<62)
	return Quota{Bytes: size.Draw(t, "bytes"), Files: size.Draw(t, "files")}
}

package config

import "slices"

// StaticChanges returns the names, as in YAML, of the static fields in which the two configurations differ: a running
// daemon can't apply such a change.
func StaticChanges(before, after *Config) []string {
	var changed []string
	for _, field := range []struct {
		name string
		same bool
	}{
		{"listen", slices.Equal(before.Listen, after.Listen)},
		{"adminAddress", before.AdminAddress == after.AdminAddress},
		{"storage.root", before.Storage.Root == after.Storage.Root},
		{"passive.ports", before.Passive.Ports.Equal(after.Passive.Ports)},
		{"passive.portsFile", before.Passive.PortsFile == after.Passive.PortsFile},
	} {
		if !field.same {
			changed = append(changed, field.name)
		}
	}
	return changed
}

// Package version reports which version of the project a binary was built from. It imports nothing of this module.
package version

import "runtime/debug"

// version is set by the build: -ldflags "-X github.com/ftp-operator/ftp-operator/internal/version.version=v1.2.3".
var version string

// String returns the version that the build has set. If there is none it returns the module's version, which `go
// install` records; if there is none, either, it returns "(devel)".
func String() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

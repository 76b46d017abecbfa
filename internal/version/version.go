// Package version tells which version of the project a binary was built from.
package version

import "runtime/debug"

// version is set by the build: -ldflags "-X github.com/ftp-operator/ftp-operator/internal/version.version=v1.2.3".
var version string

// String returns the version that the build set; else that of the module, as `go install` notes
// it; else "(devel)".
func String() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

package ftpd

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

// Every charset of the configuration must exist.
func TestCharsetsAreThere(t *testing.T) {
	t.Parallel()
	for _, c := range config.Charsets {
		if known := namesIn(c).Charset != nil; known != (c != config.CharsetUTF8) {
			t.Errorf("%s is known: %v", c, known)
		}
	}
}

// Command configdocs writes the reference page of the daemon's configuration file from the Go types in
// ftpd/config and their comments.
//
//	configdocs -source ftpd/config -out docs/daemon-configuration.md
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
)

func main() {
	source := flag.String("source", "ftpd/config", "the directory with the Go types")
	out := flag.String("out", "docs/daemon-configuration.md", "the file to write")
	flag.Parse()
	if err := run(*source, *out); err != nil {
		fmt.Fprintln(os.Stderr, "configdocs:", err)
		os.Exit(1)
	}
}

func run(source, out string) error {
	t, err := load(source)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	page.WriteString(head)
	if err := t.write(&page, "Config", ""); err != nil {
		return err
	}
	return os.WriteFile(out, page.Bytes(), 0o644)
}

const head = `<!-- Generated from the Go types in ftpd/config by hack/configdocs. Change the comments there, then run: make generate -->

# The daemon's configuration file

On Kubernetes the operator writes this file from the FtpServer, and nothing has to be known about it. The daemon
also runs without Kubernetes, and then ` + "`ftpd --config FILE`" + ` reads it. The daemon watches the file: a valid change
takes effect within seconds; a bad one is refused as a whole, and the old one goes on serving.
` + "`ftpd --check FILE`" + ` says what is wrong with a file, strictly: a key that it does not know is an error.

The smallest file:

` + "```yaml" + `
apiVersion: ftpd.ftp-operator.io/v1alpha1
storage:
  root: /srv/ftp
passive:
  ports: 30000-30009
users:
- name: alice
  # Made by: ftpd hash
  passwordHash: $argon2id$v=19$m=19456,t=2,p=1$oB+lC0X7pvAUtWMPmDJvoQ$56RVa99a8y5UCpSCLdoPELfy7RYaw3CDi6vtCi53yoQ
` + "```" + `

Durations are written as ` + "`90s`" + `, ` + "`5m`" + ` or ` + "`1h30m`" + `, networks as ` + "`10.0.0.0/8`" + ` or as an address.
`

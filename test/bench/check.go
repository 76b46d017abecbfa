package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

// checked is the number of bytes of a file that are compared.
const checked = 3<<20 + 1

// check verifies that a server does what will be measured: bytes are returned as they were stored, and listings are
// complete. It returns the TLS version that was negotiated.
func (b *bench) check(r *server.Running) (version string, err error) {
	for _, cfg := range []func() *tls.Config{inClear, resuming} {
		list, end, err := sessions(r, 1, cfg)
		if err != nil {
			return "", err
		}
		s := list[0]
		version = s.Version()
		err = b.inUploads(false, func(dir string) error {
			data, err := b.head(checked)
			if err != nil {
				return err
			}
			name := dir + "/check"
			if err := s.StoreBytes(name, data); err != nil {
				return err
			}
			stored, err := os.ReadFile(filepath.Join(b.site.Files, name))
			if err != nil {
				return err
			}
			fetched, err := s.Read("RETR " + name)
			if err == nil && (!bytes.Equal(stored, data) || !bytes.Equal(fetched, data)) {
				err = errors.New("what was stored is not what came back")
			}
			return err
		})
		for _, verb := range []string{"LIST", "MLSD"} {
			for _, n := range listings {
				if err == nil && (verb == "LIST" || r.MLSD) {
					err = listed(s.Command, s.Read, verb, n)
				}
			}
		}
		end()
		if err != nil {
			return "", err
		}
	}
	return version, nil
}

// listed verifies that a listing contains every file.
func listed(command func(string, string) error, read func(string) ([]byte, error), verb string, n int) error {
	if err := command("CWD /"+listDir(n), "250"); err != nil {
		return err
	}
	text, err := read(verb)
	if err != nil {
		return err
	}
	if found := bytes.Count(text, []byte(".csv\r\n")); found != n {
		return fmt.Errorf("%s shows %d of %d files", verb, found, n)
	}
	return command("CWD /", "250")
}

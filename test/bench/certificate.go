package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/ftp-operator/ftp-operator/test/pki"
)

// makeCertificate creates the servers' certificate (ECDSA, P-256) and its key.
func makeCertificate(dir string) (cert, key string, err error) {
	ca, err := pki.NewCA("ftp-bench")
	if err != nil {
		return "", "", err
	}
	now := time.Now()
	certPEM, keyPEM, err := ca.Issue(now.Add(-time.Hour), now.Add(24*time.Hour), "localhost", "127.0.0.1")
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if err := os.WriteFile(cert, certPEM, 0o644); err != nil { //nolint:gosec // it is no secret
		return "", "", err
	}
	if err := os.WriteFile(key, keyPEM, 0o600); err != nil {
		return "", "", err
	}
	return cert, key, os.Chown(key, nobody, nobody) // root reads it anyway
}

package ftptls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
)

const (
	// maxFile bounds the size of a PEM file, in bytes.
	maxFile = 1 << 20
	// expiryWarning is the time before the end of a certificate from which a warning is logged, once a day.
	expiryWarning = 14 * 24 * time.Hour
	warnEvery     = 24 * time.Hour
)

// Store holds what the files of a configuration contained when they were last good. It is safe for concurrent use.
type Store struct {
	cfg config.TLS
	log *slog.Logger
	now func() time.Time

	current atomic.Pointer[certificateFiles]

	mu     sync.Mutex // guards the fields below
	seen   [sha256.Size]byte
	err    error
	warned time.Time
}

// certificateFiles holds the parsed content of the files.
type certificateFiles struct {
	certificates []certificate
	clientCAs    *x509.CertPool // nil if clients are not asked for certificates
}

// Open reads the files of a configuration that config.Validate has accepted. An error names the field and the file.
func Open(cfg *config.TLS, log *slog.Logger) (*Store, error) {
	return open(cfg, log, time.Now)
}

func open(cfg *config.TLS, log *slog.Logger, now func() time.Time) (*Store, error) {
	s := &Store{cfg: *cfg, log: log, now: now}
	files, err := s.read()
	if err != nil {
		return nil, err
	}
	m, err := s.parse(files)
	if err != nil {
		return nil, err
	}
	s.seen = sum(files)
	s.use(m)
	s.warn()
	return s, nil
}

// Serves reports whether the store was opened for this configuration.
func (s *Store) Serves(cfg *config.TLS) bool { return cfg != nil && reflect.DeepEqual(s.cfg, *cfg) }

// Refresh reads the files again. If their content has changed and is good, new control connections use it. If it is
// not good, the previous content stays in use, and Err returns the error.
func (s *Store) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, err := s.read()
	if err == nil {
		hash := sum(files)
		if hash == s.seen && s.err == nil {
			s.warn()
			return
		}
		var m *certificateFiles
		if m, err = s.parse(files); err == nil {
			err = s.current.Load().refuse(m, s.now())
		}
		if err == nil {
			s.seen, s.err = hash, nil
			s.use(m)
			return
		}
	}
	if s.err == nil || s.err.Error() != err.Error() {
		s.log.Error("TLS files can't be used; what they held before goes on serving", "error", err)
	}
	s.err = err
}

// Err returns why the files can't be used as they are now, or nil if their content is in use.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// NotAfter returns the time at which the first of the certificates in use ends.
func (s *Store) NotAfter() time.Time {
	var first time.Time
	for _, c := range s.current.Load().certificates {
		if first.IsZero() || c.Leaf.NotAfter.Before(first) {
			first = c.Leaf.NotAfter
		}
	}
	return first
}

// Certificate describes a certificate that is in use.
type Certificate struct {
	// Names are the host names that it is for, separated by commas.
	Names string
	// NotAfter is the time at which it ends.
	NotAfter time.Time
}

// Certificates returns the certificates in use, in the order of the configuration.
func (s *Store) Certificates() []Certificate {
	var all []Certificate
	for _, c := range s.current.Load().certificates {
		all = append(all, Certificate{Names: c.names(), NotAfter: c.Leaf.NotAfter})
	}
	return all
}

// read returns the content of each file, in the order of the configuration.
func (s *Store) read() ([][]byte, error) {
	var files [][]byte
	var errs []error
	add := func(field, name string) {
		content, err := readFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
		files = append(files, content)
	}
	for i, c := range s.cfg.Certificates {
		add(fmt.Sprintf("tls.certificates[%d].certFile", i), c.CertFile)
		add(fmt.Sprintf("tls.certificates[%d].keyFile", i), c.KeyFile)
	}
	if s.cfg.ClientAuth.On() {
		add("tls.clientAuth.caFile", s.cfg.ClientAuth.CAFile)
	}
	return files, errors.Join(errs...)
}

// readFile returns the content of a file. It fails if the file is larger than maxFile.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the operator of the daemon names it
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes: it is no PEM file", name, maxFile)
	}
	return content, err
}

// sum returns a digest of all files.
func sum(files [][]byte) [sha256.Size]byte {
	h := sha256.New()
	for _, content := range files {
		part := sha256.Sum256(content)
		h.Write(part[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// parse parses the content that read returned.
func (s *Store) parse(files [][]byte) (*certificateFiles, error) {
	m := &certificateFiles{}
	for i, c := range s.cfg.Certificates {
		pair, err := tls.X509KeyPair(files[2*i], files[2*i+1])
		if err != nil {
			return nil, fmt.Errorf("tls.certificates[%d]: %s and %s: %w", i, c.CertFile, c.KeyFile, err)
		}
		m.certificates = append(m.certificates, certificate{Certificate: pair, hosts: c.Hosts})
	}
	if !s.cfg.ClientAuth.On() {
		return m, nil
	}
	m.clientCAs = x509.NewCertPool()
	if !m.clientCAs.AppendCertsFromPEM(files[len(files)-1]) {
		return nil, fmt.Errorf("tls.clientAuth.caFile: %s holds no certificate that can be read", s.cfg.ClientAuth.CAFile)
	}
	return m, nil
}

// refuse returns an error if next is worse than m: one of its certificates has ended, while the same certificate of m
// has not.
func (m *certificateFiles) refuse(next *certificateFiles, now time.Time) error {
	for i, c := range next.certificates {
		if now.After(c.Leaf.NotAfter) && now.Before(m.certificates[i].Leaf.NotAfter) {
			return fmt.Errorf("tls.certificates[%d]: the certificate ended on %s", i, c.Leaf.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// use puts m in use, and logs its certificates.
func (s *Store) use(m *certificateFiles) {
	s.current.Store(m)
	s.warned = time.Time{}
	for _, c := range m.certificates {
		s.log.Info("certificate in force", "subject", c.Leaf.Subject.String(), "hosts", c.names(),
			"notAfter", c.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

// names returns the host names that the certificate is for, separated by commas.
func (c *certificate) names() string {
	names := c.hosts
	if len(names) == 0 {
		names = c.Leaf.DNSNames
	}
	return strings.Join(names, ",")
}

// warn logs the certificates that have ended or end soon, once a day.
func (s *Store) warn() {
	now := s.now()
	if now.Sub(s.warned) < warnEvery {
		return
	}
	for _, c := range s.current.Load().certificates {
		switch left := c.Leaf.NotAfter.Sub(now); {
		case left <= 0:
			s.log.Error("certificate has ended: clients will refuse it", "subject", c.Leaf.Subject.String(), "notAfter", c.Leaf.NotAfter.UTC().Format(time.RFC3339))
		case left < expiryWarning:
			s.log.Warn("certificate ends soon", "subject", c.Leaf.Subject.String(), "notAfter", c.Leaf.NotAfter.UTC().Format(time.RFC3339))
		default:
			continue
		}
		s.warned = now
	}
}

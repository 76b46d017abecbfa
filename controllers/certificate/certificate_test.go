package certificate_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ftp-operator/ftp-operator/controllers/certificate"
	"github.com/ftp-operator/ftp-operator/test/pki"
)

var (
	from  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	until = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
)

func newCA(t testing.TB) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func issue(t testing.TB, ca *pki.CA, names ...string) (cert, key []byte) {
	t.Helper()
	cert, key, err := ca.Issue(from, until, names...)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func secret(cert, key []byte) map[string][]byte {
	return map[string][]byte{"tls.crt": cert, "tls.key": key}
}

func TestRead(t *testing.T) {
	ca := newCA(t)
	cert, key := issue(t, ca, "ftp.example.com", "*.files.example.com", "192.0.2.1", "2001:db8::1")
	chain := slices.Concat([]byte("# the server's\n"), cert, ca.CertPEM)
	pair, problem := certificate.Read(secret(chain, key))
	if problem != nil {
		t.Fatalf("a good pair is refused: %s", problem.Message)
	}
	if !bytes.Equal(pair.CertPEM, chain) || !bytes.Equal(pair.KeyPEM, key) {
		t.Error("the PEM files are not those of the Secret")
	}
	if want := []string{"ftp.example.com", "*.files.example.com", "192.0.2.1", "2001:db8::1"}; !slices.Equal(pair.Names(), want) {
		t.Errorf("names %v, want %v", pair.Names(), want)
	}
	for host, want := range map[string]bool{
		"ftp.example.com": true, "FTP.example.com": true, "example.com": false, "a.ftp.example.com": false,
		"a.files.example.com": true, "*.files.example.com": true, "files.example.com": false, "a.b.files.example.com": false,
		"*.example.com": false, "192.0.2.1": true, "192.0.2.2": false, "2001:db8::1": true,
	} {
		if got := pair.Covers(host); got != want {
			t.Errorf("covers %s: %v, want %v", host, got, want)
		}
	}
	for when, want := range map[time.Time]bool{until: false, until.Add(time.Second): true, from: false} {
		if got := pair.Expired(when); got != want {
			t.Errorf("expired at %s: %v, want %v", when, got, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	ca := newCA(t)
	cert, key := issue(t, ca, "ftp.example.com")
	_, otherKey := issue(t, ca, "ftp.example.com")
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, body []byte, headers map[string]string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: body, Headers: headers})
	}
	locked := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak), map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"})
	for _, test := range []struct {
		name    string
		data    map[string][]byte
		missing bool
		message string
	}{
		{"nothing", nil, true, `"tls.crt" is missing`},
		{"no key", map[string][]byte{"tls.crt": cert}, true, `"tls.key" is missing`},
		{"cert-manager's Secret before the first issue", secret(nil, key), true, `"tls.crt" is missing`},
		{"blank", secret([]byte(" \n"), key), true, `"tls.crt" is missing`},
		{"DER", secret([]byte{0x30, 0x82, 1, 1}, key), false, "tls.crt holds no certificate in PEM form"},
		{"a key in the certificate's place", secret(key, key), false, "tls.crt holds no certificate in PEM form"},
		{"a certificate in the key's place", secret(cert, cert), false, "tls.key holds no private key in PEM form"},
		{"broken certificate", secret(block("CERTIFICATE", []byte("junk"), nil), key), false, "certificate 1 of tls.crt can't be read"},
		{"broken certificate in the chain", secret(slices.Concat(cert, block("CERTIFICATE", []byte("junk"), nil)), key), false, "certificate 2 of tls.crt can't be read"},
		{"key of another", secret(cert, otherKey), false, "tls.key is not the key of the first certificate in tls.crt (of ftp.example.com)"},
		{"chain in the wrong order", secret(slices.Concat(ca.CertPEM, cert), key), false, "the server's certificate before the intermediate ones"},
		{"locked key", secret(cert, locked), false, "passphrase"},
		{"locked key of PKCS 8", secret(cert, block("ENCRYPTED PRIVATE KEY", []byte("x"), nil)), false, "passphrase"},
		{"broken key", secret(cert, block("PRIVATE KEY", []byte("s3cr3t"), nil)), false, "tls.key is not the key"},
		{"much too long", secret(bytes.Repeat([]byte("x"), 2<<20), key), false, "is the most"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pair, problem := certificate.Read(test.data)
			if pair != nil || problem == nil {
				t.Fatal("accepted")
			}
			if problem.Missing != test.missing || !strings.Contains(problem.Message, test.message) {
				t.Errorf("missing %v: %s; want %v: …%s…", problem.Missing, problem.Message, test.missing, test.message)
			}
		})
	}
}

func TestReadCA(t *testing.T) {
	ca := newCA(t)
	_, key := issue(t, ca, "client")
	if got, problem := certificate.ReadCA(map[string][]byte{"ca.crt": ca.CertPEM}); problem != nil || !bytes.Equal(got, ca.CertPEM) {
		t.Errorf("a good one is refused: %+v", problem)
	}
	if _, problem := certificate.ReadCA(map[string][]byte{"tls.crt": ca.CertPEM}); problem == nil || !problem.Missing {
		t.Errorf("no ca.crt: %+v", problem)
	}
	if _, problem := certificate.ReadCA(map[string][]byte{"ca.crt": key}); problem == nil || problem.Missing {
		t.Errorf("a key: %+v", problem)
	}
}

// TestNoMessageTellsOfAKey: no message about a bad Secret contains a part of its key.
func TestNoMessageTellsOfAKey(t *testing.T) {
	ca := newCA(t)
	cert, key := issue(t, ca, "ftp.example.com")
	rapid.Check(t, func(t *rapid.T) {
		spoiled := bytes.Clone(key)
		for range rapid.IntRange(0, 8).Draw(t, "bytes changed") {
			spoiled[rapid.IntRange(0, len(spoiled)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		data := rapid.SampledFrom([]map[string][]byte{
			secret(cert, spoiled), secret(spoiled, cert), secret(spoiled, spoiled), secret(slices.Concat(spoiled, cert), spoiled),
		}).Draw(t, "secret")
		_, problem := certificate.Read(data)
		if problem == nil {
			return
		}
		// Compare parts of the key itself. Messages do quote the PEM markers around it.
		for line := range strings.Lines(string(key)) {
			if strings.HasPrefix(line, "-----") {
				continue
			}
			line = strings.TrimSpace(line)
			for at := range max(0, len(line)-7) {
				if run := line[at : at+8]; strings.Contains(problem.Message, run) {
					t.Fatalf("%q is in: %s", run, problem.Message)
				}
			}
		}
	})
}

// TestReadIsBounded: Read parses nothing larger than real certificates and keys, since parsing takes many times their
// memory.
func TestReadIsBounded(t *testing.T) {
	ca := newCA(t)
	cert, key := issue(t, ca, "ftp.example.com")
	filled := func(pem []byte, size int) []byte { return append(bytes.Repeat([]byte("#\n"), size/2), pem...) }
	if _, problem := certificate.Read(secret(filled(cert, 100<<10), filled(key, 10<<10))); problem != nil {
		t.Errorf("refused: %s", problem.Message)
	}
	for name, data := range map[string]map[string][]byte{
		"tls.crt has": secret(filled(cert, 128<<10), key), "tls.key has": secret(cert, filled(key, 16<<10)),
	} {
		if _, problem := certificate.Read(data); problem == nil || problem.Missing || !strings.Contains(problem.Message, name) {
			t.Errorf("%s: %+v", name, problem)
		}
	}
	if _, problem := certificate.ReadCA(map[string][]byte{"ca.crt": filled(ca.CertPEM, 500<<10)}); problem != nil {
		t.Errorf("refused: %s", problem.Message)
	}
	if _, problem := certificate.ReadCA(map[string][]byte{"ca.crt": filled(ca.CertPEM, 512<<10)}); problem == nil || !strings.Contains(problem.Message, "524288 is the most") {
		t.Errorf("ca.crt: %+v", problem)
	}
}

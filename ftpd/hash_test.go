package ftpd_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

const (
	digitsSHA256 = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
	digitsSHA1   = "87acec17cd9dcd20a716cc2cf67417b71c8a7016"
	digitsMD5    = "781e5e245d69b566979b86e28d23f2c7"
)

// HASH must work as in draft-bryan-ftpext-hash.
func TestHash(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a file", "0123456789")
	s.Write(t, "empty", "")
	s.Write(t, "dir/file", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: OPTS HASH
		S: 200 SHA-256
		C: HASH a file
		S: 213 SHA-256 0-9 ` + digitsSHA256 + ` /a file
		C: OPTS HASH sha-1
		S: 200 SHA-1
		C: HASH a file
		S: 213 SHA-1 0-9 ` + digitsSHA1 + ` /a file
		C: OPTS HASH WHIRLPOOL
		S: 501 *
		C: OPTS HASH MD5
		S: 200 MD5
		C: HASH a file
		S: 213 MD5 0-9 ` + digitsMD5 + ` /a file
		C: HASH empty
		S: 213 MD5 0-0 d41d8cd98f00b204e9800998ecf8427e /empty
		C: OPTS HASH CRC32
		S: 200 CRC32
		C: RANG 2 4
		S: 350 *
		C: HASH a file
		S: 213 CRC32 2-4 ` + crcOf234 + ` /a file
		C: HASH a file
		S: 213 CRC32 0-9 a684c7c6 /a file
		C: RANG 8 99
		S: 350 *
		C: HASH a file
		S: 213 CRC32 8-9 * /a file
		C: RANG 10 99
		S: 350 *
		C: HASH a file
		S: 554 *
		C: HASH none
		S: 550 *
		C: HASH dir
		S: 550 *
		C: HASH
		S: 501 *
		C: FEAT
		S: ...
		S:  HASH SHA-512;SHA-256;SHA-1;MD5;CRC32*
		S: ...
		S: 211 *`)
	ftptest.Login(t, s.Addr, "dropper").Must("HASH a file", "550")
}

const crcOf234 = "0d717969"

// The commands that are older than HASH must work as elsewhere.
func TestXCRC(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a file", "0123456789")
	s.Write(t, "file 1 2", "0123456789")
	c := ftptest.Login(t, s.Addr, "alice")
	for command, want := range map[string]string{
		`XCRC a file`:                "250 A684C7C6",
		`xcrc "a file"`:              "250 A684C7C6",
		`XCRC "/a file" 0 10`:        "250 A684C7C6",
		`XCRC "a file" 2 5`:          "250 0D717969",
		`XCRC a file 2 5`:            "250 0D717969",
		`XCRC file 1 2`:              "250 A684C7C6",
		`XCRC file 1 2 2 5`:          "250 0D717969",
		`XMD5 a file`:                "250 " + digitsMD5,
		`XMD5 "a file" 0`:            "250 " + digitsMD5,
		`XMD5 a file 5 5`:            "250 d41d8cd98f00b204e9800998ecf8427e",
		`XSHA a file`:                "250 " + digitsSHA1,
		`XSHA1 a file`:               "250 " + digitsSHA1,
		`XSHA256 a file`:             "250 " + digitsSHA256,
		`XSHA512 "a file" 10 10`:     "554",
		`XCRC "a file" 5 2`:          "501",
		`XCRC "a file" -1`:           "501",
		`XCRC "a file" 1 2 3`:        "501",
		`XCRC "a file`:               "501",
		`XCRC "a file"x`:             "501",
		`XCRC none`:                  "550",
		`XCRC none 1 2`:              "550",
		`XCRC "a file" 99999 100000`: "554",
		`XCRC `:                      "501",
	} {
		if got := c.Do(command); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%s: %q, want %s", command, got, want)
		}
	}
	c.Must("RANG 2 4", "350")
	c.Must("XCRC a file", "250 0D717969")
	c.Must("XSHA512 a file", fmt.Sprintf("250 %s", "bb96c2fc40d2d54617d6f276febe571f623a8dadf0b734855299b0e107fda32cf6b69f2da32b36445d73690b93cbd0f7bfc20e0f7f28553d2a4428f23b716e90"))
}

// A long computation of a checksum must be abortable, and the session must respond meanwhile.
func TestHashAbort(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	big := filepath.Join(s.Root, "big")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 1<<40); err != nil { // a sparse file
		t.Fatal(err)
	}
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: HASH big
		C: STAT
		S: 211-*
		S: ...
		S:  HASH /big: * bytes in *
		S: 211 *
		C: PWD
		C: ABOR
		S: 426 *
		S: 226 *
		S: 257 *`)
	s.Write(t, "file", "x")
	c.Must("HASH file", fmt.Sprintf("213 SHA-256 0-0 %x /file", sha256.Sum256([]byte("x"))))
}

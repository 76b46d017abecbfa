package ftpd_test

import (
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

func TestInfo(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "dir/file", "12345")
	ftptest.Dial(t, s.Addr).Talk(`
		S: 220 *
		C: FEAT
		S: 211-Features:
		S:  AVBL
		S:  CLNT
		S:  COMB
		S:  CSID
		S:  EPSV
		S:  HASH SHA-512;SHA-256*;SHA-1;MD5;CRC32
		S:  HOST
		S:  LANG EN*
		S:  MDTM
		S:  MFF Modify;UNIX.mode;
		S:  MFMT
		S:  MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;
		S:  MODE Z
		S:  RANG STREAM
		S:  REST STREAM
		S:  SIZE
		S:  TVFS
		S:  UTF8
		S:  XCRC filename;start;end
		S:  XMD5 filename;start;end
		S:  XSHA filename;start;end
		S:  XSHA1 filename;start;end
		S:  XSHA256 filename;start;end
		S:  XSHA512 filename;start;end
		S: 211 End
		C: SYST
		S: 215 UNIX Type: L8
		C: OPTS UTF8 ON
		S: 200 *
		C: OPTS utf8
		S: 200 *
		C: OPTS UTF8 OFF
		S: 504 *
		C: OPTS BOGUS x
		S: 501 *
		C: OPTS
		S: 501 *
		C: LANG
		S: 200 *
		C: lang EN
		S: 200 *
		C: LANG en-AU
		S: 200 *
		C: LANG fr
		S: 504 *
		C: LANG english
		S: 504 *
		C: LANG en_US
		S: 501 *
		C: LANG en-
		S: 501 *
		C: LANG EN FR
		S: 501 *
		C: CLNT test 1.0
		S: 200 *
		C: NOOP
		S: 200 *
		C: STAT
		S: 530 *
		C: HELP RETR
		S: 214 Syntax: RETR <file>
		C: HELP noop
		S: 214 Syntax: NOOP
		C: HELP XYZ
		S: 501 *
		C: SMNT x
		S: 530 *
		C: XYZQUIT
		S: 500 *
		C:  NOOP
		S: 200 *
		C: NOOPS
		S: 500 *
		C: USER alice
		S: 331 *
		C: PASS secret
		S: 230 *
		C: SITE HELP
		S: 214-SITE commands:
		S:  SITE CHMOD <mode> <file>
		S:  SITE HELP
		S:  SITE QUOTA
		S:  SITE UTIME <YYYYMMDDHHMM[SS]> <file>
		S: 214 *
		C: SITE
		S: 501 *
		C: SMNT x
		S: 502 *
		C: STAT
		S: 211-*
		S:  Connected from 127.0.0.1
		S:  Logged in as alice, access ReadWrite
		S:  TYPE: ASCII; STRUcture: file; MODE: stream
		S:  No data connection
		S: 211 *
		C: STAT dir
		S: 212-Status of dir:
		S:  -rw-r----- * 5 * file
		S: 212 *
		C: STAT dir/file
		S: 213-Status of dir/file:
		S:  -rw-r----- * 5 * dir/file
		S: 213 *
		C: STAT -la dir/f*
		S: 212-*
		S:  -rw-r----- * 5 * file
		S: 212 *
		C: STAT nothing
		S: 550 *`)
	withActive := ftptest.Start(t, activeEnabled)
	ftptest.Dial(t, withActive.Addr).Talk(`
		S: 220 *
		C: FEAT
		S: ...
		S:  EPRT
		S:  EPSV
		S: ...
		S: 211 End`)
}

// HELP must list every command, and HELP with a command must show a syntax.
func TestHelp(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Dial(t, s.Addr)
	c.Talk(`
		S: 220 *
		C: HELP
		S: 214-*`)
	n := 0
	for {
		line, err := c.Line()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "214 ") {
			break
		}
		n += len(strings.Fields(line))
	}
	if n < 45 {
		t.Errorf("HELP lists %d commands", n)
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	ftptest.Login(t, s.Addr, "alice").Talk(`
		C: TYPE A
		S: 200 *
		C: TYPE a n
		S: 200 *
		C: TYPE I
		S: 200 *
		C: TYPE L 8
		S: 200 *
		C: TYPE L 16
		S: 504 *
		C: TYPE E
		S: 504 *
		C: TYPE a t
		S: 200 *
		C: TYPE A C
		S: 504 *
		C: TYPE X
		S: 501 *
		C: TYPE
		S: 501 *
		C: STRU F
		S: 200 *
		C: STRU R
		S: 200 *
		C: STAT
		S: ...
		S: *STRUcture: record*
		S: ...
		S: 211 *
		C: STRU P
		S: 504 *
		C: STRU X
		S: 501 *
		C: MODE S
		S: 200 *
		C: MODE B
		S: 504 *
		C: MODE C
		S: 504 *
		C: MODE Z
		S: 200 *
		C: MODE S
		S: 200 *
		C: MODE X
		S: 501 *`)
}

package ftpd_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// Each section of the RFCs must hold in conversations of a logged-in user, in TYPE I, with a file of ten octets and a
// directory. Sections that need more than a conversation have tests of their own.
func TestRFCs(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t, activeEnabled)
	for name, conversation := range map[string]string{
		"RFC 959 section 4.1.1 USER, PASS, ACCT": `
			C: ACCT project
			S: 202 *
			C: USER alice
			S: 331 *
			C: PWD
			S: 530 *
			C: PASS wrong
			S: 530 *
			C: PASS secret
			S: 503 *
			C: USER alice
			S: 331 *
			C: PASS secret
			S: 230 *
			C: PASS secret
			S: 503 *`,
		"RFC 959 section 4.1.1 CWD, CDUP, SMNT": `
			C: CWD dir
			S: 250 *
			C: CWD ..
			S: 250 *
			C: CWD dir
			S: 250 *
			C: CDUP
			S: 250 *
			C: PWD
			S: 257 "/" *
			C: CWD file
			S: 550 *
			C: CWD none
			S: 550 *
			C: SMNT /
			S: 502 *`,
		"RFC 959 section 4.1.1 REIN": `
			C: CWD dir
			S: 250 *
			C: REIN
			S: 220 *
			C: PWD
			S: 530 *
			C: USER alice
			S: 331 *
			C: PASS secret
			S: 230 *
			C: PWD
			S: 257 "/" *
			C: STAT
			S: ...
			S:  TYPE: ASCII; STRUcture: file; MODE: stream
			S: ...
			S: 211 *`,
		"RFC 959 section 4.1.2 TYPE, STRU, MODE": `
			C: TYPE A
			S: 200 *
			C: TYPE A N
			S: 200 *
			C: type i
			S: 200 *
			C: TYPE L 8
			S: 200 *
			C: TYPE A T
			S: 200 *
			C: STAT
			S: ...
			S:  TYPE: ASCII; STRUcture: file; MODE: stream
			S: ...
			S: 211 *
			C: TYPE A C
			S: 504 *
			C: TYPE E
			S: 504 *
			C: TYPE L 36
			S: 504 *
			C: TYPE Q
			S: 501 *
			C: STRU F
			S: 200 *
			C: STRU R
			S: 200 *
			C: STRU P
			S: 504 *
			C: MODE S
			S: 200 *
			C: MODE B
			S: 504 *
			C: MODE C
			S: 504 *`,
		"RFC 959 section 4.1.3 RNFR, RNTO": `
			C: RNTO new
			S: 503 *
			C: RNFR none
			S: 550 *
			C: RNTO new
			S: 503 *
			C: RNFR file
			S: 350 *
			C: NOOP
			S: 200 *
			C: RNTO new
			S: 503 *`,
		"RFC 959 section 4.1.3 ALLO": `
			C: ALLO 10
			S: 200 *
			C: ALLO 10 R 5
			S: 200 *
			C: ALLO -1
			S: 501 *
			C: ALLO
			S: 501 *`,
		"RFC 959 section 4.1.3 SITE, SYST, NOOP, HELP": `
			C: SITE NONE
			S: 504 *
			C: SYST
			S: 215 UNIX Type: L8
			C: NOOP
			S: 200 *
			C: HELP STOR
			S: 214 Syntax: STOR <file>`,
		"RFC 959 section 4.2 multiline replies": `
			C: SITE HELP
			S: 214-*
			S:  SITE CHMOD *
			S:  SITE HELP
			S:  SITE QUOTA
			S:  SITE UTIME *
			S: 214 *`,
		"RFC 959 section 5.4 replies without a data connection": `
			C: RETR file
			S: 425 *
			C: LIST
			S: 425 *
			C: ABOR
			S: 226 *`,
		"RFC 959 appendix II 257 and quotes": `
			C: MKD a "b" c
			S: 257 "/a ""b"" c" *
			C: CWD a "b" c
			S: 250 *
			C: PWD
			S: 257 "/a ""b"" c" *
			C: CDUP
			S: 250 *
			C: RMD a "b" c
			S: 250 *`,
		"RFC 1123 section 4.1.3.1 X-aliases": `
			C: XMKD x
			S: 257 "/x" *
			C: XCWD x
			S: 250 *
			C: XPWD
			S: 257 "/x" *
			C: XCUP
			S: 250 *
			C: XRMD x
			S: 250 *`,
		"RFC 2389 sections 3 and 4 FEAT, OPTS": `
			C: OPTS
			S: 501 *
			C: OPTS NONE x
			S: 501 *
			C: OPTS MLST type;size;
			S: 200 MLST OPTS type;size;
			C: FEAT
			S: 211-*
			S: ...
			S:  MLST type*;size*;modify;perm;unique;UNIX.mode;
			S: ...
			S: 211 End`,
		"RFC 2428 section 2 EPRT": `
			C: EPRT |3|127.0.0.1|50000|
			S: 522 * (1)
			C: EPRT |2|::1|50000|
			S: 522 * (1)
			C: EPRT |1|127.0.0.1|
			S: 501 *
			C: EPRT !1!127.0.0.1!50000!
			S: 200 *`,
		"RFC 2428 section 3 EPSV": `
			C: EPSV 3
			S: 522 * (1)
			C: EPSV 2
			S: 522 * (1)
			C: EPSV 1
			S: 229 * (|||*|)
			C: EPSV x
			S: 501 *`,
		"RFC 2428 section 4 EPSV ALL": `
			C: EPSV ALL
			S: 200 *
			C: PASV
			S: 503 *
			C: PORT 127,0,0,1,200,1
			S: 503 *
			C: EPRT |1|127.0.0.1|51201|
			S: 503 *
			C: EPSV
			S: 229 *`,
		"RFC 2640 section 2 names in UTF-8": `
			C: OPTS UTF8 ON
			S: 200 *
			C: MKD Grüße 文件
			S: 257 "/Grüße 文件" *
			C: RMD Grüße 文件
			S: 250 *`,
		"RFC 3659 section 3 MDTM": `
			C: MDTM file
			S: 213 20*
			C: MDTM none
			S: 550 *`,
		"RFC 3659 section 4 SIZE": `
			C: SIZE file
			S: 213 10
			C: SIZE dir
			S: 550 *
			C: SIZE none
			S: 550 *
			C: TYPE A
			S: 200 *
			C: SIZE file
			S: 550 *`,
		"RFC 3659 section 5.3 REST out of range is told at the transfer": `
			C: REST -1
			S: 501 *
			C: REST 18446744073709551616
			S: 501 *
			C: EPSV
			S: 229 *
			C: REST 11
			S: 350 *
			C: RETR file
			S: 554 *
			C: EPSV
			S: 229 *
			C: REST 11
			S: 350 *
			C: STOR file
			S: 554 *`,
		"RFC 3659 section 6 TVFS": `
			C: CWD //dir/./../dir/
			S: 250 *
			C: PWD
			S: 257 "/dir" *
			C: CWD ../../../..
			S: 250 *
			C: PWD
			S: 257 "/" *`,
		"RFC 3659 section 7 MLST, MLSD of a file": `
			C: MLST file
			S: 250-*
			S:  type=file;size=10;modify=*;perm=*;unique=*;UNIX.mode=*; /file
			S: 250 *
			C: MLST
			S: 250-*
			S:  type=dir;* /
			S: 250 *
			C: EPSV
			S: 229 *
			C: MLSD file
			S: 501 *
			C: MLSD none
			S: 425 *`,
	} {
		t.Run(name, func(t *testing.T) {
			s.Write(t, "file", "0123456789")
			s.Write(t, "dir/.keep", "")
			ftptest.Login(t, s.Addr, "alice").Talk(conversation)
		})
	}
}

// RFC 1123 section 4.1.2.13: STRU R must be accepted, and data stored as the stream that they are.
func TestRFC1123StructureRecord(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("STRU R", "200")
	if reply := c.Put("STOR file", "a\nb\n"); reply[:3] != "226" || s.Read(t, "file") != "a\nb\n" {
		t.Errorf("%q: %q", reply, s.Read(t, "file"))
	}
	if got := c.Get("RETR file"); got != "a\nb\n" {
		t.Errorf("got %q", got)
	}
}

// RFC 1123 section 4.1.2.10: commands must end with CR LF, wherever TCP splits them.
func TestRFC1123Segments(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	for _, part := range []string{"N", "O", "OP", "\r", "\nNOOP\r\nNO", "OP\r\nPWD", "\r\n"} {
		c.Send(part)
	}
	c.Talk(`
		S: 200 *
		S: 200 *
		S: 200 *
		S: 257 *`)
}

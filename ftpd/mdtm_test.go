package ftpd_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// MDTM with a time before the name must set the time, like MFMT and with the same right. If a file has the whole
// argument as its name, MDTM must reply with that file's time.
func TestMdtmSets(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	s.Write(t, "a b", "x")
	s.Write(t, "20010203040506 there", "x")
	c := ftptest.Login(t, s.Addr, "alice")
	c.Talk(`
		C: MDTM 20200102030405 a b
		S: 213 Modify=20200102030405; /a b
		C: MDTM a b
		S: 213 20200102030405
		C: MDTM 20210102030405.678 a b
		S: 213 *
		C: MDTM a b
		S: 213 20210102030405
		C: MFMT 20020203040506 20010203040506 there
		S: 213 *
		C: MDTM 20010203040506 there
		S: 213 20020203040506
		C: MDTM 20010203040506 nothing
		S: 550 *
		C: MDTM 20010203040506 a b/
		S: 550 *not a directory*
		C: MDTM 20011303040506 a b
		S: 550 *
		C: MDTM 20010203040506
		S: 550 *
		C: MDTM a b
		S: 213 20210102030405`)
	reader := ftptest.Login(t, s.Addr, "reader")
	reader.Must("MDTM 20200102030405 a b", "550 Permission denied")
	reader.Must("MDTM a b", "213 20210102030405")
	ftptest.Login(t, s.Addr, "dropper").Must("MDTM a b", "550 Permission denied")
}

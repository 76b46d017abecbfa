package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/test/bench/server"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-rows", "small,list", "-servers", "ftpd,vsftpd", "-size", "8", "-idle", "1000", "-rounds", "1"})
	if err != nil || !slices.Equal(o.rows, []string{"small", "list"}) || o.size != 8<<20 || !slices.Equal(o.sessions, []int{1000}) ||
		!slices.Equal(o.servers, []string{"ftpd", "ftpd, no fsync", "vsftpd", "vsftpd, log"}) {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = parse([]string{"-rows", "list", "-size", "4"}); err != nil || slices.ContainsFunc(o.kinds(), func(k server.Kind) bool { return k.Logged }) {
		t.Errorf("peers with their logs run for nothing: %v", err)
	}
}

// What can't work is refused before anything is measured, with the name of the variable and with what to do.
func TestRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte(beginMark+endMark), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := parse([]string{"-out", page, "-rounds", "1", "-size", "4", "-rows", "login"}); err != nil {
		t.Errorf("a page that can be written is refused: %v", err)
	}
	for _, tt := range []struct{ args, name, remedy string }{
		{"-rows smal", "ROWS", "write all, or some of bulk"},
		{"-servers wuftpd", "-servers", "write all, or some of ftpd"},
		{"-rounds 0", "ROUNDS", "at least 1"},
		{"-rounds x", "-rounds", "x"},
		{"-size 1", "SIZE", "at least 4 MiB"},
		{"-size 1000000000 -rows login", "DIR", "a smaller SIZE"},
		{"-rounds 1000000 -rows small", "DIR", "fewer ROUNDS"},
		{"-rounds 1 -size 4 -rows login -image absent", "-image", "no such file"},
		{"-while 0s", "-while", "some time"},
		{"-out absent", "OUT", "OUT="},
		{"-out absent/page.md", "OUT", "OUT="},
		{"-out results.go", "OUT", "OUT="},
		{"-out .", "OUT", "OUT="},
		{"-rounds 1 -size 4 -rows login -ftpd absent", "-ftpd", "make bench builds it"},
		{"-rounds 1 -size 4 -rows login -base absent", "BASE", "make bench builds it"},
		{"-dir absent", "DIR", "a folder that exists"},
		{"-dir usable.go", "DIR", "a folder that exists"},
		{"-rounds 1 -size 4 -rows login -peers absent -servers vsftpd", "vsftpd", "remove the folder absent/vsftpd"},
	} {
		_, err := parse(strings.Fields(tt.args))
		if err == nil || !strings.Contains(err.Error(), tt.name) || !strings.Contains(err.Error(), tt.remedy) {
			t.Errorf("%s: got %v", tt.args, err)
		}
	}
}

// A run for all rows has room in the image that hack/bench.sh makes.
func TestNeeds(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-rows", "login", "-size", "4"})
	if err != nil {
		t.Fatal(err)
	}
	o.size = 1 << 30
	few, fewFiles := o.needs()
	o.rows, o.base = groups, "binary"
	all, allFiles := o.needs()
	if few < 3<<30 || few > 4<<30 || all < 10<<30 || all > 20<<30 || fewFiles < 22000 || allFiles < 1<<20 || allFiles > 3<<20 {
		t.Errorf("%d MiB and %d files, or %d and %d for all", few>>20, fewFiles, all>>20, allFiles)
	}
}

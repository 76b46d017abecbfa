package config

import (
	"slices"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Charset is the encoding of file names on control connections and in listings, for clients that do not announce
// UTF-8 (OPTS UTF8 ON, RFC 2640). Names on the disk are in UTF-8 in any case.
type Charset string

// The charsets by their usual names. All except UTF-8 have one byte per character.
const (
	CharsetUTF8        Charset = "utf-8"        // the default
	CharsetLatin1      Charset = "latin1"       // ISO 8859-1, of Western Europe
	CharsetLatin2      Charset = "latin2"       // ISO 8859-2, of Central Europe
	CharsetLatin9      Charset = "latin9"       // ISO 8859-15, which has the euro sign
	CharsetWindows1250 Charset = "windows-1250" // Central Europe
	CharsetWindows1251 Charset = "windows-1251" // Cyrillic
	CharsetWindows1252 Charset = "windows-1252" // Western Europe, a superset of latin1
	CharsetWindows1253 Charset = "windows-1253" // Greek
	CharsetWindows1254 Charset = "windows-1254" // Turkish
	CharsetKOI8R       Charset = "koi8-r"       // Russian
	CharsetCP437       Charset = "cp437"        // DOS
	CharsetCP850       Charset = "cp850"        // DOS, Western Europe
)

// Charsets lists all charsets.
var Charsets = []Charset{
	CharsetUTF8, CharsetLatin1, CharsetLatin2, CharsetLatin9, CharsetWindows1250, CharsetWindows1251, CharsetWindows1252,
	CharsetWindows1253, CharsetWindows1254, CharsetKOI8R, CharsetCP437, CharsetCP850,
}

// charset checks the field. An empty one means CharsetUTF8.
func (p *problems) charset(field string, c Charset) {
	if c == "" || slices.Contains(Charsets, c) {
		return
	}
	all := make([]string, len(Charsets))
	for i, known := range Charsets {
		all[i] = string(known)
	}
	p.add(field, "%q is not known: write one of %s", string(c), strings.Join(all, ", "))
}

// charmaps holds the tables of all charsets except UTF-8.
var charmaps = map[Charset]*charmap.Charmap{
	CharsetLatin1:      charmap.ISO8859_1,
	CharsetLatin2:      charmap.ISO8859_2,
	CharsetLatin9:      charmap.ISO8859_15,
	CharsetWindows1250: charmap.Windows1250,
	CharsetWindows1251: charmap.Windows1251,
	CharsetWindows1252: charmap.Windows1252,
	CharsetWindows1253: charmap.Windows1253,
	CharsetWindows1254: charmap.Windows1254,
	CharsetKOI8R:       charmap.KOI8R,
	CharsetCP437:       charmap.CodePage437,
	CharsetCP850:       charmap.CodePage850,
}

// Charmap returns the table of the charset; nil for UTF-8 and for an unknown charset.
func (c Charset) Charmap() *charmap.Charmap { return charmaps[c] }

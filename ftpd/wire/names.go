package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Names is how a session writes the names of files, which are bytes on the disk: UTF-8 nearly always. The zero
// value is UTF-8 (RFC 2640); with a charset, that of clients that don't know UTF-8.
//
// What can't be written so is written as %XX for each byte: control characters, which would end a line or command a
// terminal, bytes that are no text, and characters that the charset lacks. Raw bytes would spoil the whole listing
// for clients that decode strictly, such as Python's ftplib. A name that is written so is taken back: it stands
// for what has it for its escaped form, unless something has it for its name.
type Names struct{ Charset *charmap.Charmap }

// Plain reports whether text is written by all charsets as it is.
func Plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// Show is text as the client is to see it.
func (n Names) Show(text string) string {
	if Plain(text) {
		return text
	}
	return string(n.append(make([]byte, 0, len(text)+16), text))
}

func (n Names) append(b []byte, text string) []byte {
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		b = n.appendRune(b, r, text[:size])
		text = text[size:]
	}
	return b
}

// appendRune appends the rune r, of these bytes.
func (n Names) appendRune(b []byte, r rune, bytes string) []byte {
	invalid := r == utf8.RuneError && len(bytes) == 1
	switch {
	case !invalid && (unicode.IsControl(r) || isLineEnd(r)):
	case invalid && n.Charset != nil && printable(n.Charset.DecodeByte(bytes[0])):
		return append(b, bytes...) // written by a program that used this charset
	case !invalid && (n.Charset == nil || r < utf8.RuneSelf):
		return append(b, bytes...)
	case !invalid:
		if c, ok := n.Charset.EncodeRune(r); ok {
			return append(b, c)
		}
	}
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(bytes) {
		b = append(b, '%', digits[c>>4], digits[c&15])
	}
	return b
}

// isLineEnd reports whether some programs take r for the end of a line (Unicode standard section 5.8).
func isLineEnd(r rune) bool { return r == '\u2028' || r == '\u2029' }

func printable(r rune) bool { return r != utf8.RuneError && !unicode.IsControl(r) }

// Read is what a client has sent, in UTF-8. Text that is UTF-8 is taken for that in any charset: in no other
// language than UTF-8's does anybody write so.
func (n Names) Read(text string) string {
	if n.Charset == nil || utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if r := n.Charset.DecodeByte(text[i]); r == utf8.RuneError {
			b.WriteByte(text[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Variants are the other names that are shown as this one.
func (n Names) Variants(part string) []string {
	var all []string
	add := func(other string) {
		if other != part && other != "" {
			all = append(all, other)
		}
	}
	add(unescape(part))
	if n.Charset != nil && !Plain(part) {
		b := make([]byte, 0, len(part))
		for _, r := range part {
			c, ok := n.Charset.EncodeRune(r)
			if !ok {
				return all
			}
			b = append(b, c)
		}
		add(string(b))
		add(unescape(string(b)))
	}
	return all
}

// unescape puts bytes in the place of the %XX that show writes, and of no others.
func unescape(part string) string {
	if !strings.Contains(part, "%") {
		return part
	}
	b := make([]byte, 0, len(part))
	for i := 0; i < len(part); i++ {
		if part[i] == '%' && i+2 < len(part) {
			high, low := unhex(part[i+1]), unhex(part[i+2])
			if c := high<<4 | low; high < 16 && low < 16 && c != 0 && (c < ' ' || c >= 0x7f) {
				b = append(b, c)
				i += 2
				continue
			}
		}
		b = append(b, part[i])
	}
	return string(b)
}

// unhex is the value of a hexadecimal digit, or more than 15.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Names converts file names between the disk and the control connection. On the disk a name is a sequence of bytes,
// nearly always UTF-8. With a nil Charset (the zero value) names are sent in UTF-8 (RFC 2640); otherwise they are
// sent in Charset, for clients that don't know UTF-8.
//
// Bytes that can't be sent are escaped, each as %XX: control characters, which could end a line or command a
// terminal; line separators of Unicode; bytes that are not valid text; and characters that the charset lacks. Raw
// bytes would spoil the whole listing for clients that decode strictly, such as Python's ftplib. The server accepts
// an escaped name from a client: it stands for the file whose name is escaped that way, unless a file has exactly the
// name that was sent.
type Names struct{ Charset *charmap.Charmap }

// Plain reports whether text is printable ASCII, which is the same in all charsets.
func Plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// Show returns text as it is sent to the client.
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

// appendRune appends the rune r as it is sent to the client. bytes is the encoding of r on the disk; if that is not
// valid UTF-8, it is a single byte and r is utf8.RuneError.
func (n Names) appendRune(b []byte, r rune, bytes string) []byte {
	invalid := r == utf8.RuneError && len(bytes) == 1
	switch {
	case !invalid && (unicode.IsControl(r) || isLineEnd(r)):
	case invalid && n.Charset != nil && printable(n.Charset.DecodeByte(bytes[0])):
		return append(b, bytes...) // the name was written by a program that used this charset
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

// Read converts text that a client has sent to UTF-8. Text that is valid UTF-8 is taken for UTF-8 even with a
// charset: text in another charset is practically never valid UTF-8.
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

// Variants returns the other names that a file may have on the disk when a client sees its name as part, which is one
// element of a path.
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

// unescape replaces each %XX that Show may have written by its byte. It leaves other uses of % as they are.
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

// unhex returns the value of a hexadecimal digit, or 255 if c is not one.
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

package transfer

import "io"

// asciiBuffer is the size of the buffer for text before conversion.
const asciiBuffer = 32 << 10

// toNetwork copies text and converts its line ends to those of the network: LF becomes CR LF (RFC 959 section
// 3.1.1.1). An existing CR LF stays, so that a text that was uploaded from Windows in binary does not get a second
// CR.
func toNetwork(dst io.Writer, src io.Reader) error {
	in := make([]byte, asciiBuffer)
	out := make([]byte, 0, 2*asciiBuffer)
	var last byte
	for {
		n, err := src.Read(in)
		out = out[:0]
		for _, b := range in[:n] {
			if b == '\n' && last != '\r' {
				out = append(out, '\r')
			}
			out = append(out, b)
			last = b
		}
		if len(out) > 0 {
			if _, err := dst.Write(out); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fromNetwork copies text and converts its line ends to those of this machine: CR LF becomes LF. A CR without LF
// stays.
func fromNetwork(dst io.Writer, src io.Reader) error {
	in := make([]byte, asciiBuffer)
	out := make([]byte, 0, asciiBuffer+1)
	held := false // a CR was read, and the next byte is not known yet
	for {
		n, err := src.Read(in)
		out = out[:0]
		for _, b := range in[:n] {
			if held && b != '\n' {
				out = append(out, '\r')
			}
			if held = b == '\r'; !held {
				out = append(out, b)
			}
		}
		if err == io.EOF && held {
			out = append(out, '\r')
		}
		if len(out) > 0 {
			if _, err := dst.Write(out); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

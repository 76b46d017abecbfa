package transfer

import "io"

// asciiBuffer is the size of a buffer of unconverted text.
const asciiBuffer = 32 << 10

// toNetwork copies text, ending its lines as the network does: LF becomes CR LF
// (RFC 959 section 3.1.1.1). A CR LF that is there stays, so that a text that came from Windows in
// binary is not given a second CR.
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

// fromNetwork copies text, ending its lines as this machine does: CR LF becomes LF. A CR that no
// LF follows stays.
func fromNetwork(dst io.Writer, src io.Reader) error {
	in := make([]byte, asciiBuffer)
	out := make([]byte, 0, asciiBuffer+1)
	held := false // a CR whose successor is not known yet
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

package wire

// The part of the Telnet protocol (RFC 854, RFC 1123 section 4.1.2.10) that a control connection may carry.
const (
	telnetEOF  = 236 // the first command (RFC 1184)
	telnetSE   = 240 // end of a subnegotiation
	telnetSB   = 250 // start of a subnegotiation
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	telnetIAC  = 255
)

// telnetState is the position of the stream within a Telnet sequence.
type telnetState uint8

const (
	telnetText      telnetState = iota
	telnetCommand               // after IAC
	telnetOption                // after IAC WILL, WONT, DO or DONT
	telnetSub                   // in a subnegotiation
	telnetSubEscape             // after IAC in a subnegotiation
	telnetCR                    // after CR
)

// telnetFilter removes the Telnet protocol from a stream of bytes. It drops commands such as IP and DM, which clients
// send before ABOR; it replaces IAC IAC by the byte 0xFF and CR NUL by CR; and it refuses every option that the
// client offers or requests. If the byte after an IAC is not a Telnet command, the command was lost: only the IAC is
// dropped. The zero value is the start of a stream.
type telnetFilter struct {
	state telnetState
	verb  byte
}

// next processes one byte of input. If ok is true, out is a byte of text. If answer is not nil, the caller must send
// it.
func (f *telnetFilter) next(b byte) (out byte, ok bool, answer []byte) {
	switch f.state {
	case telnetCommand:
		return f.command(b)
	case telnetOption:
		f.state = telnetText
		switch f.verb {
		case telnetWILL:
			return 0, false, []byte{telnetIAC, telnetDONT, b}
		case telnetDO:
			return 0, false, []byte{telnetIAC, telnetWONT, b}
		}
		return 0, false, nil // WONT and DONT agree with what we want: answering would loop
	case telnetSub:
		if b == telnetIAC {
			f.state = telnetSubEscape
		}
		return 0, false, nil
	case telnetSubEscape:
		f.state = telnetSub
		if b == telnetSE {
			f.state = telnetText
		}
		return 0, false, nil
	case telnetCR:
		f.state = telnetText
		if b == 0 { // Telnet writes a CR that ends no line as CR NUL
			return 0, false, nil
		}
	}
	switch b {
	case telnetIAC:
		f.state = telnetCommand
		return 0, false, nil
	case '\r':
		f.state = telnetCR
	}
	return b, true, nil
}

// command processes the byte after an IAC.
func (f *telnetFilter) command(b byte) (out byte, ok bool, answer []byte) {
	f.state = telnetText
	if b < telnetEOF {
		return f.next(b)
	}
	switch b {
	case telnetIAC:
		return telnetIAC, true, nil
	case telnetSB:
		f.state = telnetSub
	case telnetWILL, telnetWONT, telnetDO, telnetDONT:
		f.state, f.verb = telnetOption, b
	}
	return 0, false, nil
}

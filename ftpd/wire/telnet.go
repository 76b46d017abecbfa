package wire

// The part of the Telnet protocol (RFC 854, RFC 1123 section 4.1.2.10) that a control connection may carry.
const (
	telnetEOF  = 236 // the first command (RFC 1184)
	telnetSE   = 240 // end of a subnegotiation
	telnetSB   = 250 // begin of a subnegotiation
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	telnetIAC  = 255
)

// telnetState is where in a Telnet sequence the stream is.
type telnetState uint8

const (
	telnetText      telnetState = iota
	telnetCommand               // after IAC
	telnetOption                // after IAC WILL, WONT, DO or DONT
	telnetSub                   // in a subnegotiation
	telnetSubEscape             // after IAC in a subnegotiation
	telnetCR                    // after CR
)

// telnetFilter takes the Telnet protocol out of a stream of bytes: commands such as IP and DM
// (which clients send before ABOR) vanish, IAC IAC is the byte 0xFF, CR NUL is a lone CR, and
// every offer or request of an option is refused. An IAC before what is no command is one whose command was lost, and vanishes
// alone. The zero value is the start of a stream.
type telnetFilter struct {
	state telnetState
	verb  byte
}

// next takes one byte. If ok, out is a byte of text. If answer is not nil, it is to be sent.
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
		return 0, false, nil // WONT and DONT agree with us: answering would loop
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
		if b == 0 { // CR NUL is how Telnet writes a CR that ends no line
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

// command takes the byte after IAC.
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

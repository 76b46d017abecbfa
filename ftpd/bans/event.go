package bans

// Event is an event that speaks against a client.
type Event int

// The events. Ordinary clients cause some of them now and then, such as an unknown command. The caller reports these
// only beyond a certain number.
const (
	// FailedLogin is a wrong name or password.
	FailedLogin Event = iota
	// Bounce is an attempt to make the server connect to a third party.
	Bounce
	// LongLine is a command line that is longer than the server accepts.
	LongLine
	// NoLogin is a session that was ended because no user had logged in before the time was over.
	NoLogin
	// UnknownCommand is one of many unknown commands.
	UnknownCommand
	// IdleReservation is one of many passive ports that the client requested and did not use.
	IdleReservation
	// Refused is a connection that was refused because its address had too many of them.
	Refused
	// Events is the number of events.
	Events
)

// failure is the weight of a failed login.
const failure = 10

// weights are the weights of the events, in tenths of a failed login.
var weights = map[Event]uint32{
	FailedLogin:     failure,
	Bounce:          5,
	LongLine:        5,
	NoLogin:         2,
	UnknownCommand:  1,
	IdleReservation: 1,
	Refused:         1,
}

// String returns the description of the event for the log.
func (e Event) String() string {
	switch e {
	case FailedLogin:
		return "failed logins"
	case Bounce:
		return "attempts to bounce"
	case LongLine:
		return "too long command lines"
	case NoLogin:
		return "sessions without login"
	case UnknownCommand:
		return "unknown commands"
	case IdleReservation:
		return "unused passive ports"
	case Refused:
		return "too many connections"
	default:
		return "abuse"
	}
}

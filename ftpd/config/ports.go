package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The smallest and the largest passive port. Ports below 1024 are privileged, and never used for data.
const (
	MinPassivePort = 1024
	MaxPassivePort = 65535
)

// PortSet is a sorted set of distinct TCP ports. Its text form, which people write and a pod's annotation carries, is
// like "30000-30009,30020". The zero value is the empty set, whose text form is "".
type PortSet []uint16

// NewPortSet returns the sorted set of the given ports, without duplicates.
func NewPortSet(ports ...uint16) PortSet {
	s := slices.Clone(ports)
	slices.Sort(s)
	return slices.Compact(s)
}

// PortRange returns the set of every port from start to end, both inclusive;
// the empty set if start > end.
func PortRange(start, end uint16) PortSet {
	var s PortSet
	for p := int(start); p <= int(end); p++ {
		s = append(s, uint16(p))
	}
	return s
}

// ParsePortSet reads the text form: single ports and inclusive ranges, separated by commas, in any order, with blanks
// allowed around each. The empty text is the empty set. Ports must be between MinPassivePort and MaxPassivePort.
//
// The cost depends on the length of the text, not on the number of ports that it names: a tenant may have written a
// text of many ranges that each name every port.
func ParsePortSet(text string) (PortSet, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var edges [MaxPassivePort + 2]int // edges[p]: number of ranges that begin at p, minus those that end at p-1
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		start, err := parsePort(first)
		if err != nil {
			return nil, err
		}
		end := start
		if isRange {
			if end, err = parsePort(last); err != nil {
				return nil, err
			}
		}
		if end < start {
			return nil, fmt.Errorf("passive port range %q is reversed: write %d-%d", part, end, start)
		}
		edges[start]++
		edges[int(end)+1]--
	}
	var set PortSet
	holding := 0
	for port := MinPassivePort; port <= MaxPassivePort; port++ {
		if holding += edges[port]; holding > 0 {
			set = append(set, uint16(port)) //nolint:gosec // at most MaxPassivePort
		}
	}
	return set, nil
}

func parsePort(text string) (uint16, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n < MinPassivePort:
		return 0, fmt.Errorf("passive port %s is outside %d-%d", text, MinPassivePort, MaxPassivePort)
	case err != nil:
		return 0, fmt.Errorf("passive port %q is not a number: write ports as in 30000-30009,30020", text)
	}
	return uint16(n), nil
}

// String returns the shortest text form, with runs joined: "30000-30009,30020".
func (s PortSet) String() string {
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j+1 < len(s) && s[j+1] == s[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(s[i])))
		if j > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(int(s[j])))
		}
		i = j + 1
	}
	return b.String()
}

// Contains reports whether port is in the set.
func (s PortSet) Contains(port uint16) bool {
	_, found := slices.BinarySearch(s, port)
	return found
}

// Equal reports whether both sets hold the same ports.
func (s PortSet) Equal(t PortSet) bool { return slices.Equal(s, t) }

// MarshalText returns the text form, so that a PortSet is a plain string in YAML and JSON.
func (s PortSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text form; see ParsePortSet for the errors.
func (s *PortSet) UnmarshalText(text []byte) error {
	parsed, err := ParsePortSet(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

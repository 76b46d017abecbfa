package config

import (
	"strings"
	"testing"
)

func TestParsePodAddress(t *testing.T) {
	for _, test := range []struct{ text, want, problem string }{
		{"", "", ""},
		{" \n", "", ""},
		{"203.0.113.10", "203.0.113.10", ""},
		{" 203.0.113.10\n", "203.0.113.10", ""},
		{"::ffff:203.0.113.10", "203.0.113.10", ""},
		{"2001:DB8:0::1", "2001:db8::1", ""},
		{"127.0.0.1", "127.0.0.1", ""},
		{"203.0.113", "", "no IP address"},
		{"203.0.113.10,203.0.113.11", "", "no IP address"},
		{"203.0.113.10:21", "", "no IP address"},
		{"node-a.example.com", "", "no IP address"},
		{"fe80::1%eth0", "", "zone"},
		{"0.0.0.0", "", "no address that a client could dial"},
		{"::", "", "no address that a client could dial"},
		{"224.0.0.1", "", "no address that a client could dial"},
		{"ff02::1", "", "no address that a client could dial"},
		{"255.255.255.255", "", "no address that a client could dial"},
	} {
		ip, err := ParsePodAddress(test.text)
		got := ""
		if ip.IsValid() {
			got = ip.String()
		}
		if got != test.want || (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%q is %q, %v; want %q, %q", test.text, got, err, test.want, test.problem)
		}
	}
	if _, err := ParsePodAddress(strings.Repeat("ü", 1<<16)); err == nil || len(err.Error()) > 200 {
		t.Errorf("a long text: %v", err)
	}
}

package ftpclient

import "testing"

func TestParsePASV(t *testing.T) {
	for message, want := range map[string]string{
		"Entering Passive Mode (203,0,113,10,117,65).": "203.0.113.10:30017",
		"=(10,0,0,1,4,0)":        "10.0.0.1:1024",
		"Entering Passive Mode":  "",
		"(203,0,113,10,117)":     "",
		"(203,0,113,10,117,256)": "",
		"(203,0,113,910,117,65)": "",
		"(203,0,113,10,117,65":   "",
	} {
		got, err := ParsePASV(message)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParsePASV(%q) = %q, %v; want %q", message, got, err, want)
		}
	}
}

func TestParseEPSV(t *testing.T) {
	for message, want := range map[string]string{
		"Entering Extended Passive Mode (|||30017|)": "30017",
		"Entering Extended Passive Mode":             "",
		"(|||70000|)":                                "",
		"(|||30017)":                                 "",
	} {
		got, err := ParseEPSV(message)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("ParseEPSV(%q) = %q, %v; want %q", message, got, err, want)
		}
	}
}

func TestActiveCommand(t *testing.T) {
	if got, want := activeCommand(PORT, "10.0.0.1", "30017"), "PORT 10,0,0,1,117,65"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := activeCommand(EPRT, "10.0.0.1", "30017"), "EPRT |1|10.0.0.1|30017|"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

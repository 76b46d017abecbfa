package wire

import (
	"strconv"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"20260102030405":            "2026-01-02T03:04:05Z",
		"20260102030405.5":          "2026-01-02T03:04:05.5Z",
		"20260102030405.123456789":  "2026-01-02T03:04:05.123456789Z",
		"20240229000000":            "2024-02-29T00:00:00Z",
		"20250229000000":            "",
		"00010101000000":            "", // Go's zero time, which would leave the file's as it is
		"19011231235959":            "",
		"19020101000000":            "1902-01-01T00:00:00Z",
		"22611231235959":            "2261-12-31T23:59:59Z",
		"22620101000000":            "",
		"20261302030405":            "",
		"20260102250405":            "",
		"2026010203040":             "",
		"202601020304056":           "",
		"20260102030405.":           "",
		"20260102030405.x":          "",
		"20260102030405.1234567890": "",
		"-2026010203040":            "",
		"20260102030405.-1":         "",
		"":                          "",
	} {
		got, err := ParseTime(text)
		if (err == nil) != (want != "") || err == nil && got.Format(time.RFC3339Nano) != want {
			t.Errorf("parseTime(%q) = %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseOffset(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "007": 7, "9223372036854775807": 1<<63 - 1,
		"": -1, "-1": -1, "+1": -1, "1 ": -1, "1.5": -1, "0x10": -1, "9223372036854775808": -1,
	} {
		got, err := ParseOffset(text)
		if (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("parseOffset(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseMode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"644": 0o644, "0755": 0o755, "000": 0,
		"": -1, "9": -1, "64": -1, "4755": -1, "1777": -1, "00644": -1, "rwx": -1, "-44": -1, "0o644": -1,
	} {
		got, err := ParseMode(text)
		if (err == nil) != (want >= 0) || err == nil && int(got) != want {
			t.Errorf("parseMode(%q) = %o, %v; want %o", text, got, err, want)
		}
	}
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{"20260102030405", "20260102030405.123", "00000101000000", "99991231235959", "20260102030460", ".", "20260102030405.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTime(text)
		if err != nil {
			return
		}
		if back := FormatTime(got); back != text[:len(timeLayout)] {
			t.Errorf("%q came back as %q", text, back)
		}
	})
}

func FuzzOffset(f *testing.F) {
	for _, seed := range []string{"0", "-1", "18446744073709551616", "1e9", "٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseOffset(text)
		if err == nil && n < 0 {
			t.Errorf("%q gave %d", text, n)
		}
		if again, err2 := ParseOffset(strconv.FormatInt(n, 10)); err == nil && (err2 != nil || again != n) {
			t.Errorf("%d came back as %d, %v", n, again, err2)
		}
	})
}

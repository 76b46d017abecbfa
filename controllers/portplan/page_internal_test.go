package portplan

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPassiveRangePage recomputes the worked examples of docs/passive-range.md.
func TestPassiveRangePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/passive-range.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "## Worked examples\n")
	if !found {
		t.Fatal("the page has no worked examples")
	}
	examples := 0
	for line := range strings.Lines(after) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 7 || !strings.HasSuffix(cells[6], "/s") {
			if examples > 0 {
				break // the end of the table
			}
			continue
		}
		examples++
		var ports, replicas int
		if _, err := fmt.Sscan(cells[0]+" "+cells[1], &ports, &replicas); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		roundTrip, err := time.ParseDuration(strings.ReplaceAll(cells[3], " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		held := 2 * roundTrip
		each := Quota(ports, replicas, 1)
		perPod := time.Duration(each) * time.Second / held
		want := []string{
			fmt.Sprint(each), cells[3], fmt.Sprintf("%d ms", held.Milliseconds()),
			fmt.Sprintf("%d/s", perPod), fmt.Sprintf("%d/s", int(perPod)*replicas),
		}
		if !slices.Equal(cells[2:], want) {
			t.Errorf("%d ports, %d replicas: the page says %q, the plan %q", ports, replicas, cells[2:], want)
		}
	}
	if examples < 8 {
		t.Errorf("found only %d examples", examples)
	}
}

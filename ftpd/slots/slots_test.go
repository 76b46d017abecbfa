package slots_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/slots"
)

func TestSlots(t *testing.T) {
	t.Parallel()
	s := slots.New(2)
	for i, want := range []bool{true, true, false} {
		if got := s.TryEnter(); got != want {
			t.Errorf("two slots, taken for the time %d: %v", i+1, got)
		}
	}
	if s.Taken() != 2 {
		t.Errorf("%d are taken", s.Taken())
	}
	s.Resize(1)
	if s.Leave(); s.TryEnter() {
		t.Error("one slot, which is taken, was taken again")
	}
	if s.Leave(); !s.TryEnter() {
		t.Error("a free slot can't be taken")
	}
}

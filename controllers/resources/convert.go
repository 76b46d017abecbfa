package resources

import (
	"encoding/json"
	"fmt"
)

// as converts an API type that the user gave as a whole to its apply configuration, which has the same JSON. It
// panics if the JSON differs; that is a mistake in the calling code, which no input can cause.
func as[T any](from any) *T {
	text, err := json.Marshal(from)
	if err != nil {
		panic(fmt.Sprintf("%T can't be written as JSON: %v", from, err))
	}
	to := new(T)
	if err := json.Unmarshal(text, to); err != nil {
		panic(fmt.Sprintf("%T can't be read as %T: %v", from, to, err))
	}
	return to
}

package resources

import (
	"encoding/json"
	"fmt"
)

// as turns an API type that the user gave us whole into its apply configuration, whose JSON is the
// same. It panics if it is not: that is a mistake in the calling code and no input can bring it about.
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

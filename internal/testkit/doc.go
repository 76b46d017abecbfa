// Package testkit has helpers that the tests of several packages need: connections and files that are removed when
// the test ends. It imports nothing of this module, so every test may import it.
package testkit

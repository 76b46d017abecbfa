// Package testkit is what the tests of several packages need: connections and files that go with the test. It imports
// nothing else of this module, so that every test may import it.
package testkit

// Package caches says what the operator keeps in memory of the cluster: which objects, and which of their fields. What
// only some servers need, such as nodes and the Services of others, it holds from the first time that it is needed.
//
// The caches hold what a pass reads and no more, so that memory grows with the number of FTP servers and not with the
// size of the cluster. A field that a pass begins to read must be added to the object's slim function; the tests of
// package controllers read through the same functions, and so fail without it.
package caches

// Package e2e holds no code: its tests run the real program, bin/convene, and
// drive it with unmodified clients, official and others, and a browser. It is a
// module of its own, so that no client's dependency becomes one of Convene, and
// it imports nothing of Convene: what a client can see is all it knows.
//
// Start at TestMain in server_test.go, which starts one server for all tests.
// Scripts in js, python and clients run as they stand, told by the environment
// where the server is. What is missing on a machine fails; nothing is skipped.
package e2e

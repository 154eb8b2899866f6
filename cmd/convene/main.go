// Command convene is the program: a self-hosted online-meetings server that
// speaks Microsoft Graph, and the commands that go with it. It holds no logic:
// see package cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/convene-meet/convene/cli"
)

// version is set by the build.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Run(ctx, cli.Program{
		Name: os.Args[0], Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: version,
		Getenv: os.Getenv, StdoutTerminal: cli.IsTerminal(os.Stdout), StderrTerminal: cli.IsTerminal(os.Stderr),
	})
	stop()
	os.Exit(code)
}

// Command convene is the program: a self-hosted online-meetings server that
// speaks Microsoft Graph, and the commands that go with it. It holds no logic but
// which media engine there is: see package cli.
package main

import (
	"context"
	_ "embed"
	"os"
	"os/signal"
	"syscall"

	"github.com/convene-meet/convene/cli"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/media/livekit"
)

// version is set by the build.
var version = "unknown"

// notice names the libraries within the program, as their licences ask for.
//
//go:embed NOTICE
var notice string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Run(ctx, cli.Program{
		Name: os.Args[0], Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: version,
		Getenv: os.Getenv, Media: engine, Notice: notice, StdoutTerminal: cli.IsTerminal(os.Stdout), StderrTerminal: cli.IsTerminal(os.Stderr),
	})
	stop()
	os.Exit(code)
}

// engine is LiveKit, somebody's or within this process.
func engine(o cli.MediaOptions, gate media.Gate) (media.Engine, error) {
	if o.URL != "" {
		return livekit.External(o.URL, o.Key, o.Secret, gate)
	}
	return livekit.Embedded(livekit.Options{NodeIP: o.NodeIP, UDPPort: o.UDPPort, TCPPort: o.TCPPort, Redis: o.Redis, Key: o.Key, Secret: o.Secret}, gate), nil
}

// Package cli is the program's commands, their flags and what they print. It
// knows no rules of meetings or policies: commands run a server, or ask the
// management of one that runs.
//
// Start at [Run]; the tree of commands is [commands].
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/server"
)

// A Program is what a command may know of the world around it.
type Program struct {
	Name           string // as it was called
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string
	Getenv         func(string) string
	Notice         string // of the libraries within the program
	// Media makes the engine of the rooms in which people meet; nil: there are none.
	Media          MediaEngine
	StdoutTerminal bool
	StderrTerminal bool
}

// IsTerminal reports whether a file is a terminal.
func IsTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// commands is the tree that --help shows.
type commands struct {
	Dev        devCommand        `cmd:"" help:"Run everything on this machine, with a built-in world and no configuration."`
	Token      tokenCommand      `cmd:"" help:"Print an access token for an application or a user of a running server."`
	Meeting    meetingCommands   `cmd:"" help:"Make a meeting, or get it."`
	Policy     policyCommands    `cmd:"" help:"Application access policies, as the Teams cmdlets have them."`
	Device     deviceCommands    `cmd:"" help:"Sign-in with a device code."`
	Tenant     tenantCommands    `cmd:"" help:"Fresh tenants for tests that run side by side."`
	Reset      resetCommand      `cmd:"" help:"Remove a tenant's meetings and what tests have set; with --directory bring its directory back, too."`
	Seed       seedCommand       `cmd:"" help:"Make the meetings of a file that are not there yet."`
	Snapshot   snapshotCommands  `cmd:"" help:"Keep a tenant as it is, and bring it back."`
	Clock      clockCommands     `cmd:"" help:"The time of a tenant, for tests."`
	Fault      faultCommands     `cmd:"" help:"Requests that fail or take long, for tests."`
	Throttle   throttleCommands  `cmd:"" help:"Throttling as Graph does it, for tests."`
	Requests   requestsCommand   `cmd:"" help:"The last requests to the API."`
	World      worldCommands     `cmd:"" help:"World files: tenants, users, apps and policies."`
	Audit      auditCommand      `cmd:"" help:"List what was changed through management."`
	Check      checkCommand      `cmd:"" help:"Check every page of a data directory whose server is stopped."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print a completion script for bash, zsh or fish."`
}

const description = `Convene is an online-meetings server that speaks Microsoft Graph: give createOrGet your own externalId, and get the one meeting that belongs to it.

Begin with:
  convene dev                                         run it
  convene meeting create-or-get --external-id first   make a meeting; again: get it
  convene token --user ann@contoso.example            a token for curl`

// exit is how kong asks to end: after --help.
type exit struct{ code int }

// Run runs one command and returns the exit status: 0, 1 when it failed, 2 when
// it was called wrongly.
func Run(ctx context.Context, p Program) (code int) {
	defer func() {
		if v := recover(); v != nil {
			e, ok := v.(exit)
			if !ok {
				panic(v)
			}
			code = e.code
		}
	}()
	var tree commands
	parser, err := kong.New(&tree,
		kong.Name("convene"), kong.Description(description), kong.UsageOnError(),
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(code int) { panic(exit{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Vars{"data": "convene-data"},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(p.Stderr, "convene:", err)
		return exitError
	}
	args := p.Args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.Stderr, "convene: %v\n", err)
		if wrong, ok := errors.AsType[*kong.ParseError](err); ok && wrong.Context != nil {
			fmt.Fprintf(p.Stderr, "Try: convene %s\n", strings.TrimSpace(commandPath(wrong.Context)+" --help"))
		}
		return exitUsage
	}
	if err := parsed.Run(&p, parser.Model); err != nil {
		fmt.Fprintln(p.Stderr, "convene:", err)
		if _, ok := errors.AsType[*misuse](err); ok {
			fmt.Fprintf(p.Stderr, "Try: convene %s --help\n", commandPath(parsed))
			return exitUsage
		}
		return exitError
	}
	return exitOK
}

// A misuse is a command that was called wrongly, which shows only when it runs.
type misuse struct{ error }

// commandPath is the names of the commands that were understood.
func commandPath(c *kong.Context) string {
	var names []string
	for _, e := range c.Path {
		if e.Command != nil {
			names = append(names, e.Command.Name)
		}
	}
	return strings.Join(names, " ")
}

// A target is where the running server is.
type target struct {
	Data            string `help:"Data directory of the server; its management socket is in there." default:"${data}" env:"CONVENE_DATA" placeholder:"DIR"`
	Management      string `help:"Address of management over TCP, instead of --data." placeholder:"URL" env:"CONVENE_MANAGEMENT"`
	ManagementToken string `help:"File with the token of management over TCP." placeholder:"FILE" type:"path" env:"CONVENE_MANAGEMENT_TOKEN_FILE"`
}

func (t *target) client() (*manage.Client, error) {
	if t.Management == "" {
		return manage.Local(t.Data, server.SocketName), nil
	}
	if t.ManagementToken == "" {
		return nil, &misuse{errors.New("--management needs --management-token FILE")}
	}
	token, err := readSecret(t.ManagementToken)
	if err != nil {
		return nil, err
	}
	return manage.Remote(t.Management, token)
}

// readSecret reads a secret from a file that is its owner's alone, without the
// line break at its end.
func readSecret(name string) (string, error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return "", err
	}
	info, err := f.Stat()
	var raw []byte
	if err == nil {
		raw, err = io.ReadAll(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %v). Make it yours alone: chmod 600 %s", name, mode.Perm(), shellQuote(name))
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", name)
	}
	return secret, nil
}

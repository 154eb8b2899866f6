package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/convene-meet/convene/manage"
	"github.com/convene-meet/convene/server"
)

type tokenCommand struct {
	App      string         `help:"Application, by name or id (booking; with --user: portal)." placeholder:"APP"`
	Tenant   string         `help:"Tenant of the application, by domain, name or id; without one that of --user, or any." placeholder:"TENANT" env:"CONVENE_TENANT"`
	User     string         `help:"User for whom the application acts, by UPN or id. Without one it is the application's own token." placeholder:"USER"`
	Scope    []string       `help:"Permission to ask for; may be repeated. Without one: all that the application has." placeholder:"NAME"`
	Resource string         `help:"Audience of the token (https://graph.microsoft.com)." placeholder:"URL"`
	Lifetime *time.Duration `help:"How long it is good for (about an hour)." placeholder:"DURATION"`
	format   `embed:""`
	target   `embed:""`
}

func (c *tokenCommand) Help() string {
	return `Prints the token alone, so that it can stand in a command: curl -H "Authorization: Bearer $(convene token)" … No password is asked for: whoever can open the data directory administers the server.`
}

func (c *tokenCommand) Validate() error {
	if c.Lifetime != nil && (*c.Lifetime <= 0 || *c.Lifetime%time.Second != 0) {
		return errors.New("--lifetime: whole seconds, such as 30s or 2h")
	}
	return nil
}

func (c *tokenCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	lifetime := 0
	if c.Lifetime != nil {
		lifetime = int(*c.Lifetime / time.Second)
	}
	app := c.App
	if app == "" {
		app = "booking"
		if c.User != "" {
			app = "portal"
		}
	}
	t, err := client.Token(ctx, manage.TokenRequest{Tenant: c.Tenant, App: app, User: c.User, Scopes: c.Scope, Resource: c.Resource, Lifetime: lifetime})
	if err != nil {
		return err
	}
	return c.print(p.Stdout, t, func(w io.Writer) { row(w, t.AccessToken) })
}

type deviceCommands struct {
	Approve approveCommand `cmd:"" help:"Say yes to a device code, as a user would on the page."`
}

type approveCommand struct {
	Code   string `arg:"" help:"The code that the device shows."`
	User   string `required:"" help:"Who signs in, by UPN." placeholder:"UPN"`
	target `embed:""`
}

func (c *approveCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.Approve(ctx, c.Code, c.User); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "%s is signed in on the device.\n", c.User)
	return nil
}

type auditCommand struct {
	Tenant string `help:"Only this tenant, by domain, name or id." placeholder:"TENANT"`
	After  int64  `help:"Only entries after the one with this number." placeholder:"SEQ"`
	format `embed:""`
	target `embed:""`
}

func (c *auditCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	entries, err := client.Audit(ctx, c.Tenant, c.After)
	if err != nil {
		return err
	}
	return c.print(p.Stdout, entries, func(w io.Writer) {
		row(w, "SEQ", "AT", "ACTOR", "ACTION", "TENANT", "TARGET")
		for _, e := range entries {
			row(w, e.Seq, e.At.Format(time.RFC3339), e.Actor, e.Action, e.Tenant, e.Target)
		}
	})
}

type checkCommand struct {
	Data     string `help:"Data directory." default:"${data}" env:"CONVENE_DATA" placeholder:"DIR"`
	Database string `help:"Where meetings are kept, as given to dev." placeholder:"URL" env:"CONVENE_DATABASE"`
}

func (c *checkCommand) Run(ctx context.Context, p *Program) error {
	if err := server.Check(ctx, c.Data, c.Database); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, "No damage found.")
	return nil
}

type versionCommand struct {
	Notices bool `help:"Print the notices of the libraries within the program."`
	format  `embed:""`
}

func (c *versionCommand) Run(p *Program) error {
	if c.Notices {
		_, err := io.WriteString(p.Stdout, p.Notice)
		return err
	}
	v := map[string]string{"version": p.Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
	return c.print(p.Stdout, v, func(w io.Writer) {
		fmt.Fprintf(w, "convene %s (%s, %s)\n", v["version"], v["go"], v["platform"])
	})
}

type worldCommands struct {
	Show  worldShowCommand  `cmd:"" help:"Print the built-in world, to begin a file of your own with."`
	Check worldCheckCommand `cmd:"" help:"Check a world file."`
	Apply worldApplyCommand `cmd:"" help:"Add what a world file names to a running server's directory, or change it."`
}

type worldShowCommand struct{}

func (worldShowCommand) Run(p *Program) error {
	_, err := p.Stdout.Write(server.BuiltInWorld())
	return err
}

type worldCheckCommand struct {
	File string `arg:"" type:"path" help:"World file."`
}

func (c *worldCheckCommand) Run(ctx context.Context, p *Program) error {
	w, _, err := readWorld(ctx, c.File)
	if err != nil {
		return err
	}
	for _, warning := range w.Warnings() {
		fmt.Fprintln(p.Stderr, "convene: warning:", warning)
	}
	fmt.Fprintln(p.Stdout, "No mistakes found.")
	return nil
}

type worldApplyCommand struct {
	File   string `arg:"" type:"path" help:"World file."`
	target `embed:""`
}

func (c *worldApplyCommand) Help() string {
	return `What the file does not name stays: whole objects, and members of an object that it names in part. A list that it names is the whole list; an empty one, or null, takes away. No tenant, user, group, app or policy is removed. Policies and grants that were changed at run time stay as they are. What belongs to something else, such as a name that is taken, is refused, and then nothing is changed.`
}

func (c *worldApplyCommand) Run(ctx context.Context, p *Program) error {
	_, raw, err := readWorld(ctx, c.File)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.ApplyWorld(ctx, relative(c.File), raw); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, "Applied. What the file does not name stays, members of an object too, and so do policies and grants that were changed at run time.")
	return nil
}

// readWorld reads a world file and calls it in errors as the user did. It ends
// with ctx, even while the file gives nothing, as a pipe may.
func readWorld(ctx context.Context, name string) (*server.World, []byte, error) {
	type result struct {
		w   *server.World
		raw []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		if r.raw, r.err = readAtMost("world", name, server.MaxWorld+1); r.err == nil { // one more is told as too many
			r.w, r.err = server.ParseWorld(relative(name), r.raw)
		}
		done <- r
	}()
	select {
	case r := <-done:
		return r.w, r.raw, r.err
	case <-ctx.Done():
		return nil, nil, errors.New("world: interrupted")
	}
}

// readAtMost reads n bytes of a file, which errors call by what it is.
func readAtMost(what, name string, n int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, n))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return raw, nil
}

// joined writes a list as people do.
func joined(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}

package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/convene-meet/convene/lab"
)

type clockCommands struct {
	Show    clockShowCommand    `cmd:"" help:"Say what time it is for a tenant."`
	Set     clockSetCommand     `cmd:"" help:"Set the clock; it goes on from there, unless it stands still."`
	Freeze  clockFreezeCommand  `cmd:"" help:"Stop the clock, now or at a time."`
	Advance clockAdvanceCommand `cmd:"" help:"Move the clock forward."`
	Rewind  clockRewindCommand  `cmd:"" help:"Move the clock back."`
	Resume  clockResumeCommand  `cmd:"" help:"Let a clock that stands still go on."`
	Reset   clockResetCommand   `cmd:"" help:"Go back to the server's own time."`
}

type clockFlags struct {
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

// change changes the clock of the tenant, and prints what it shows.
func (f *clockFlags) change(ctx context.Context, p *Program, q lab.ClockRequest) error {
	client, err := f.client()
	if err != nil {
		return err
	}
	q.Tenant = f.Tenant
	s, err := client.SetClock(ctx, q)
	if err != nil {
		return err
	}
	return f.show(p, s)
}

func (f *clockFlags) show(p *Program, s lab.ClockState) error {
	return f.print(p.Stdout, s, func(w io.Writer) {
		state := ""
		if s.Frozen {
			state += ", frozen"
		}
		if s.Ahead != 0 && !s.Frozen {
			state += fmt.Sprintf(", %s from the server's own", signed(time.Duration(s.Ahead).Round(time.Second)))
		}
		if s.Tokens {
			state += ", tokens too"
		}
		fmt.Fprintf(w, "%s: %s%s\n", s.Tenant, s.Time.UTC().Format(time.RFC3339), state)
	})
}

func signed(d time.Duration) string {
	if d >= 0 {
		return "+" + d.String()
	}
	return d.String()
}

// A moment is a time, or a date.
type moment struct{ time.Time }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *moment) UnmarshalText(text []byte) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		m.Time, err = time.Parse(time.DateOnly, string(text))
	}
	if err != nil {
		err = fmt.Errorf("%q is no time. Write one such as 2031-02-06T09:00:00Z, or a date", text)
	}
	return err
}

type clockShowCommand struct {
	clockFlags `embed:""`
}

func (c *clockShowCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	s, err := client.Clock(ctx, c.Tenant)
	if err != nil {
		return err
	}
	return c.show(p, s)
}

type clockSetCommand struct {
	Time       moment `arg:"" help:"Such as 2031-02-06T09:00:00Z, or a date for its first moment in UTC."`
	Tokens     *bool  `negatable:"" help:"Let the life of access tokens follow the clock."`
	clockFlags `embed:""`
}

func (c *clockSetCommand) Help() string {
	return `Everything that depends on the time of day in the tenant follows: when a meeting that names no time begins, when it expires, when a change of a policy is in effect. Access tokens do not, unless --tokens says so, so that what a test has in hand stays good. Certificates never do. A clock lasts as long as the server; convene reset takes it away, too.`
}

func (c *clockSetCommand) Run(ctx context.Context, p *Program) error {
	return c.change(ctx, p, lab.ClockRequest{Time: &c.Time.Time, Tokens: c.Tokens})
}

type clockFreezeCommand struct {
	Time       *moment `arg:"" optional:"" help:"Such as 2031-02-06T09:00:00Z, or a date for its first moment in UTC; without one: now."`
	Tokens     *bool   `negatable:"" help:"Let the life of access tokens follow the clock."`
	clockFlags `embed:""`
}

func (c *clockFreezeCommand) Run(ctx context.Context, p *Program) error {
	q := lab.ClockRequest{Frozen: new(true), Tokens: c.Tokens}
	if c.Time != nil {
		q.Time = &c.Time.Time
	}
	return c.change(ctx, p, q)
}

type clockAdvanceCommand struct {
	By         lab.Duration `arg:"" help:"Such as 90m, 36h or 61d."`
	Tokens     *bool        `negatable:"" help:"Let the life of access tokens follow the clock."`
	clockFlags `embed:""`
}

func (c *clockAdvanceCommand) Run(ctx context.Context, p *Program) error {
	return c.change(ctx, p, lab.ClockRequest{Advance: c.By, Tokens: c.Tokens})
}

type clockRewindCommand struct {
	By         lab.Duration `arg:"" help:"Such as 90m, 36h or 61d."`
	Tokens     *bool        `negatable:"" help:"Let the life of access tokens follow the clock."`
	clockFlags `embed:""`
}

func (c *clockRewindCommand) Run(ctx context.Context, p *Program) error {
	return c.change(ctx, p, lab.ClockRequest{Advance: -c.By, Tokens: c.Tokens})
}

type clockResumeCommand struct {
	clockFlags `embed:""`
}

func (c *clockResumeCommand) Run(ctx context.Context, p *Program) error {
	return c.change(ctx, p, lab.ClockRequest{Frozen: new(false)})
}

type clockResetCommand struct {
	clockFlags `embed:""`
}

func (c *clockResetCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	s, err := client.ResetClock(ctx, c.Tenant)
	if err != nil {
		return err
	}
	return c.show(p, s)
}

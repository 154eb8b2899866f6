package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
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

type faultCommands struct {
	Add   faultAddCommand   `cmd:"" help:"Have requests fail, or take long."`
	List  faultListCommand  `cmd:"" help:"List the faults of a tenant, and how often each has happened."`
	Clear faultClearCommand `cmd:"" help:"Clear one fault of a tenant, or all."`
}

type faultAddCommand struct {
	Operation  string       `help:"Only this operation, such as createOrGet, get or listUsers; a wrong one lists all." placeholder:"NAME"`
	App        string       `help:"Only requests of this application, by id or name." placeholder:"APP"`
	Share      float64      `help:"Only this share of the calls, spread evenly: 0.25 is the first and every fourth after it." placeholder:"SHARE"`
	Next       int          `help:"Only so many times." placeholder:"N"`
	Status     int          `help:"Answer with this status, from 400 to 599." placeholder:"STATUS"`
	Code       string       `help:"Code of the error (what belongs to the status)." placeholder:"CODE"`
	Message    string       `help:"Message of the error." placeholder:"TEXT"`
	RetryAfter lab.Duration `help:"Retry-After of the error, in whole seconds." placeholder:"DURATION"`
	Latency    lab.Duration `help:"Wait first; at most 40s." placeholder:"DURATION"`
	Cut        bool         `help:"Cut the connection, without an answer."`
	Done       bool         `help:"Do what was asked for first, so that only the answer is lost or late."`
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

func (c *faultAddCommand) Help() string {
	return `What is not narrowed down happens to every request of the tenant that has a good token. A request meets the first fault that answers or cuts, in the order in which they were added; latencies add up. The error has the header Convene-Fault with the fault's number. A part of a batch cannot be cut: it is answered with 504.

Lost answers: convene fault add --operation createOrGet --next 1 --cut --done

A bad day: convene fault add --share 0.1 --status 503 --retry-after 1s`
}

func (c *faultAddCommand) Validate() error {
	if c.RetryAfter < 0 || c.RetryAfter%lab.Duration(time.Second) != 0 {
		return fmt.Errorf("--retry-after: whole seconds, such as 2s")
	}
	return nil
}

func (c *faultAddCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	f, err := client.AddFault(ctx, lab.Fault{
		Tenant: c.Tenant, Operation: c.Operation, App: c.App, Share: c.Share, Next: c.Next,
		Latency: c.Latency, Cut: c.Cut, Status: c.Status, Code: c.Code, Message: c.Message, RetryAfter: int(time.Duration(c.RetryAfter) / time.Second), Done: c.Done,
	})
	if err != nil {
		return err
	}
	return c.print(p.Stdout, f, func(w io.Writer) { printFaults(w, []lab.FaultState{f}) })
}

func printFaults(w io.Writer, faults []lab.FaultState) {
	row(w, "ID", "TENANT", "REQUESTS", "WHAT HAPPENS", "HITS")
	for _, f := range faults {
		which := []string{"all"}
		if f.Operation != "" {
			which = []string{f.Operation}
		}
		if f.App != "" {
			which = append(which, "of "+f.App)
		}
		if f.Share > 0 {
			which = append(which, fmt.Sprintf("share %g", f.Share))
		}
		if f.Next > 0 {
			which = append(which, fmt.Sprintf("next %d", f.Next))
		}
		var what []string
		if f.Done {
			what = append(what, "done, but")
		}
		if f.Latency > 0 {
			what = append(what, "late by "+time.Duration(f.Latency).String())
		}
		if f.Cut {
			what = append(what, "cut")
		}
		if f.Status > 0 {
			what = append(what, fmt.Sprint(f.Status), f.Code)
		}
		if f.RetryAfter > 0 {
			what = append(what, fmt.Sprintf("retry after %ds", f.RetryAfter))
		}
		row(w, f.ID, f.Tenant, strings.Join(which, " "), strings.Join(strings.Fields(strings.Join(what, " ")), " "), f.Hits)
	}
}

type faultListCommand struct {
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

func (c *faultListCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	faults, err := client.Faults(ctx, c.Tenant)
	if err != nil {
		return err
	}
	return c.print(p.Stdout, faults, func(w io.Writer) { printFaults(w, faults) })
}

type faultClearCommand struct {
	ID         int `arg:"" optional:"" help:"Number of the fault; without one: all of the tenant."`
	tenantFlag `embed:""`
	target     `embed:""`
}

func (c *faultClearCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.ClearFaults(ctx, c.Tenant, c.ID); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, "Cleared.")
	return nil
}

type throttleCommands struct {
	Set  throttleSetCommand  `cmd:"" help:"Limit how many requests each application may send in a tenant."`
	Show throttleShowCommand `cmd:"" help:"Show the limit of a tenant."`
	Off  throttleOffCommand  `cmd:"" help:"Take the limit away."`
}

type throttleSetCommand struct {
	Requests   int          `required:"" help:"How many requests." placeholder:"N"`
	Per        lab.Duration `required:"" help:"In how long, from 1s to 24h." placeholder:"DURATION"`
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

func (c *throttleSetCommand) Help() string {
	return `More requests are answered as Graph does: 429 TooManyRequests with Retry-After, until the time that began with the first of them is over. Each application has its own count. The parts of a batch count alone, and the batch itself does not. Real time counts, whatever the tenant's clock says.`
}

func (c *throttleSetCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	t, err := client.SetThrottle(ctx, lab.Throttle{Tenant: c.Tenant, Requests: c.Requests, Per: c.Per})
	if err != nil {
		return err
	}
	return c.print(p.Stdout, t, func(w io.Writer) { printThrottle(w, t) })
}

func printThrottle(w io.Writer, t lab.Throttle) {
	if t.Per == 0 {
		fmt.Fprintf(w, "%s: no limit\n", t.Tenant)
		return
	}
	fmt.Fprintf(w, "%s: %s of each application per %s\n", t.Tenant, counted(t.Requests, "request"), time.Duration(t.Per))
}

type throttleShowCommand struct {
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

func (c *throttleShowCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	t, err := client.Throttle(ctx, c.Tenant)
	if err != nil {
		return err
	}
	return c.print(p.Stdout, t, func(w io.Writer) { printThrottle(w, t) })
}

type throttleOffCommand struct {
	tenantFlag `embed:""`
	target     `embed:""`
}

func (c *throttleOffCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.EndThrottle(ctx, c.Tenant); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, "The limit is gone.")
	return nil
}

type policyDelayCommand struct {
	Delay      *lab.Duration `arg:"" optional:"" help:"Such as 30m; without one it is shown."`
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

func (c *policyDelayCommand) Help() string {
	return `In the real service a change of an application access policy takes up to 30 minutes to be in effect. With a delay it does so here, by the tenant's clock: convene clock advance ends the waiting. The delay counts for changes that are made from now on.`
}

func (c *policyDelayCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	var d lab.PolicyDelay
	if c.Delay == nil {
		d, err = client.PolicyDelay(ctx, c.Tenant)
	} else {
		d, err = client.SetPolicyDelay(ctx, lab.PolicyDelay{Tenant: c.Tenant, Delay: *c.Delay})
	}
	if err != nil {
		return err
	}
	return c.print(p.Stdout, d, func(w io.Writer) {
		fmt.Fprintf(w, "%s: changes of policies are in effect after %s\n", d.Tenant, time.Duration(d.Delay))
	})
}

type requestsCommand struct {
	After  int64 `help:"Only those after the one with this seq." placeholder:"SEQ"`
	Follow bool  `short:"f" help:"Wait for more, until interrupted."`
	JSON   bool  `name:"json" help:"Print one JSON object a line, with headers and body."`
	scope  `embed:""`
	target `embed:""`
}

func (c *requestsCommand) Help() string {
	return `The server keeps the last 10,000 requests to the API, or 64 MiB of them, each with its headers (but Authorization), its body (its first 32 KiB) and what it was answered. Requests without a good token belong to no tenant: --all shows them, too.`
}

func (c *requestsCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	q := lab.RequestQuery{Tenant: c.Tenant, All: c.All, After: c.After}
	for {
		page, err := client.Requests(ctx, q)
		if err != nil {
			var refused *manage.Error
			switch {
			case c.Follow && ctx.Err() != nil:
				return nil // interrupted, as was said
			case q.Wait > 0 && !errors.As(err, &refused):
				return errors.New("the server has stopped")
			}
			return err
		}
		if page.Lost {
			fmt.Fprintln(p.Stderr, "Some requests came and went before they could be shown.")
		}
		for i := range page.Value {
			if err := c.printOne(p.Stdout, &page.Value[i]); err != nil {
				return err
			}
		}
		if !c.Follow {
			return nil
		}
		q.After, q.Wait = page.Next, 25*time.Second
	}
}

func (c *requestsCommand) printOne(w io.Writer, r *lab.Request) error {
	if c.JSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	status := fmt.Sprint(r.Status)
	if r.Status == 0 {
		status = "-"
	}
	target := url.URL{Path: r.Path}
	query := url.Values{}
	for name, value := range r.Query {
		query.Set(name, value)
	}
	target.RawQuery = query.Encode()
	line := []string{fmt.Sprint(r.Seq), r.At.Format("15:04:05.000"), status, r.Method, target.String(), r.Operation, r.Code}
	if r.Fault != "" {
		line = append(line, "fault "+r.Fault)
	}
	_, err := fmt.Fprintln(w, strings.Join(strings.Fields(strings.Join(line, " ")), " "))
	return err
}

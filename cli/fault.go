package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/convene-meet/convene/lab"
)

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

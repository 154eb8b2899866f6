package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/server"
)

type tenantCommands struct {
	Create tenantCreateCommand `cmd:"" help:"Make a tenant with users, applications and a policy, in milliseconds."`
	List   tenantListCommand   `cmd:"" help:"List all tenants."`
	Delete tenantDeleteCommand `cmd:"" help:"Delete a tenant that was made so, with everything in it."`
}

type tenantCreateCommand struct {
	Domain       string   `help:"Domain name (one that is made up)." placeholder:"DOMAIN"`
	Users        []string `help:"Names of users (ann, bob); everybody's password is convene." placeholder:"NAME"`
	DialIn       string   `help:"Toll number, so that meetings get conference ids." placeholder:"NUMBER"`
	VideoInterop bool     `help:"Give meetings a videoTeleconferenceId."`
	Extensions   []string `help:"Extensions to switch on." placeholder:"NAME"`
	format       `embed:""`
	target       `embed:""`
}

func (c *tenantCreateCommand) Help() string {
	return `The tenant has an application booking with every application permission, whose policy is granted to the whole tenant, and a public application portal with every delegated one. The answer has all ids, the secret and the passwords. Give each test a tenant of its own, and tests that run at the same time never meet.`
}

func (c *tenantCreateCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	t, err := client.CreateTenant(ctx, lab.TenantRequest{Domain: c.Domain, Users: c.Users, TollNumber: c.DialIn, VideoInterop: c.VideoInterop, Extensions: c.Extensions})
	if err != nil {
		return err
	}
	return c.print(p.Stdout, t, func(w io.Writer) {
		row(w, "tenant", t.Domain, t.ID)
		for _, u := range t.Users {
			row(w, "user", u.UPN, u.ID, "password "+u.Password)
		}
		row(w, "app", t.Booking.Name, t.Booking.ID, "secret "+t.Booking.Secret)
		row(w, "app", t.Portal.Name, t.Portal.ID, "public")
	})
}

type tenantListCommand struct {
	format `embed:""`
	target `embed:""`
}

func (c *tenantListCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	all, err := client.Tenants(ctx)
	if err != nil {
		return err
	}
	return c.print(p.Stdout, all, func(w io.Writer) {
		row(w, "DOMAIN", "NAME", "ID", "FRESH")
		for _, t := range all {
			row(w, t.Domain, t.Name, t.ID, t.Fresh)
		}
	})
}

type tenantDeleteCommand struct {
	Tenant string `arg:"" help:"Domain, name or id."`
	target `embed:""`
}

func (c *tenantDeleteCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.DeleteTenant(ctx, c.Tenant); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "The tenant %s is deleted.\n", c.Tenant)
	return nil
}

// A scope is the tenant that a command is about, or all where that is said.
type scope struct {
	Tenant string `help:"Tenant, by domain, name or id; needed where there are several." placeholder:"TENANT" env:"CONVENE_TENANT" xor:"tenant"`
	All    bool   `help:"Every tenant." xor:"tenant"`
}

type resetCommand struct {
	Directory bool `help:"Bring users, groups, applications and policies back, too."`
	scope     `embed:""`
	format    `embed:""`
	target    `embed:""`
}

func (c *resetCommand) Help() string {
	return `The directory goes back to the world that the server started with, and a fresh tenant to what it was made with. What is in neither, such as a policy made since, is removed.`
}

func (c *resetCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	a, err := client.Reset(ctx, lab.ResetRequest{Tenant: c.Tenant, All: c.All, Directory: c.Directory})
	if err != nil {
		return err
	}
	return c.print(p.Stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s of %s removed.\n", counted(a.Meetings, "meeting"), joined(a.Tenants))
	})
}

type seedCommand struct {
	File   string `arg:"" type:"path" help:"File of meetings, in YAML or JSON."`
	Tenant string `help:"Tenant of the organizers, by domain, name or id; without one that of their names." placeholder:"TENANT" env:"CONVENE_TENANT"`
	format `embed:""`
	target `embed:""`
}

func (c *seedCommand) Help() string {
	return `The file has a list "meetings". Each names its organizer by UPN, its externalId, and whatever else create takes, by the names of the wire: subject, startDateTime, endDateTime, lobbyBypassSettings, …; attendees may be a list of names. A meeting whose externalId is there already stays as it is. With a mistake in the file no meeting is made.`
}

func (c *seedCommand) Run(ctx context.Context, p *Program) error {
	raw, err := readAtMost("seed", c.File, server.MaxWorld+1)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	a, err := client.Seed(ctx, c.Tenant, relative(c.File), raw)
	if err != nil {
		return err
	}
	return c.print(p.Stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s made, %d there already.\n", counted(a.Created, "meeting"), a.Existing)
	})
}

type snapshotCommands struct {
	Save    snapshotSaveCommand    `cmd:"" help:"Write a tenant's directory and meetings to a file."`
	Restore snapshotRestoreCommand `cmd:"" help:"Bring a tenant back to what a file holds."`
}

type snapshotSaveCommand struct {
	File       string `arg:"" type:"path" help:"File to write, or - for standard output; it is made readable by its owner alone, since it holds hashes of passwords."`
	tenantFlag `embed:""`
	target     `embed:""`
}

func (c *snapshotSaveCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	s, err := client.Snapshot(ctx, c.Tenant)
	if err != nil {
		return err
	}
	if c.File == "-" {
		_, err := p.Stdout.Write(append(s, '\n'))
		return err
	}
	if err := os.WriteFile(c.File, append(s, '\n'), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "Saved to %s.\n", relative(c.File))
	return nil
}

type snapshotRestoreCommand struct {
	File   string `arg:"" type:"path" help:"File that snapshot save wrote."`
	format `embed:""`
	target `embed:""`
}

func (c *snapshotRestoreCommand) Help() string {
	return `The tenant is the one of the snapshot; it is made where this server does not have it. Meetings are replaced in one step: their ids, links and numbers are the same as before. Users, groups, applications and policies are replaced, too.`
}

func (c *snapshotRestoreCommand) Run(ctx context.Context, p *Program) error {
	raw, err := readAtMost("snapshot", c.File, lab.MaxSnapshot+1)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if !json.Valid(raw) {
		return fmt.Errorf("%s: this is no snapshot: it is not JSON", relative(c.File))
	}
	a, err := client.Restore(ctx, raw)
	if err != nil {
		return err
	}
	return c.print(p.Stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s is restored, with %s.\n", a.Tenant, counted(a.Meetings, "meeting"))
	})
}

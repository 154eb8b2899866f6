package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/convene-meet/convene/lab"
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

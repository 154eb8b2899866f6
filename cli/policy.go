package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/convene-meet/convene/lab"
	"github.com/convene-meet/convene/manage"
)

// policyCommands are named after the cmdlets of the Teams module: New-, Get-,
// Set-, Grant- and Remove-CsApplicationAccessPolicy.
type policyCommands struct {
	New    policyNewCommand    `cmd:"" help:"Make a policy (New-CsApplicationAccessPolicy)."`
	Get    policyGetCommand    `cmd:"" help:"Show policies and whom they are granted to (Get-CsApplicationAccessPolicy)."`
	Set    policySetCommand    `cmd:"" help:"Change a policy (Set-CsApplicationAccessPolicy)."`
	Grant  policyGrantCommand  `cmd:"" help:"Grant a policy to a user, a group or the tenant (Grant-CsApplicationAccessPolicy)."`
	Remove policyRemoveCommand `cmd:"" help:"Remove a policy that is granted to nobody (Remove-CsApplicationAccessPolicy)."`
	Delay  policyDelayCommand  `cmd:"" help:"Say how long changes take to be in effect, for tests."`
}

type tenantFlag struct {
	Tenant string `help:"Tenant, by domain, name or id; needed where there are several." placeholder:"TENANT" env:"CONVENE_TENANT"`
}

type policyNewCommand struct {
	Identity    string   `required:"" help:"Name of the policy." placeholder:"NAME"`
	AppIDs      []string `name:"app-ids" help:"Applications that it lists, by id or name." placeholder:"APP"`
	Description *string  `help:"What it is for." placeholder:"TEXT"`
	tenantFlag  `embed:""`
	format      `embed:""`
	target      `embed:""`
}

func (c *policyNewCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	policy, err := client.NewPolicy(ctx, manage.PolicyChange{Tenant: c.Tenant, Identity: c.Identity, Description: c.Description, Apps: &c.AppIDs})
	if err != nil {
		return err
	}
	return printPolicies(c.format, p, []manage.Policy{policy})
}

type policyGetCommand struct {
	Identity   string `help:"Name of the policy; Global is the one granted to the tenant. Without: all." placeholder:"NAME"`
	tenantFlag `embed:""`
	format     `embed:""`
	target     `embed:""`
}

func (c *policyGetCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	policies, err := client.Policies(ctx, c.Tenant, c.Identity)
	if err != nil {
		return err
	}
	return printPolicies(c.format, p, policies)
}

type policySetCommand struct {
	Identity    string   `required:"" help:"Name of the policy." placeholder:"NAME"`
	AppIDs      []string `name:"app-ids" xor:"apps" help:"The whole list of applications, by id or name." placeholder:"APP"`
	Add         []string `help:"Application to add, by id or name; may be repeated." placeholder:"APP"`
	Remove      []string `help:"Application to remove, by id or name; may be repeated." placeholder:"APP"`
	Description *string  `help:"What it is for." placeholder:"TEXT"`
	tenantFlag  `embed:""`
	format      `embed:""`
	target      `embed:""`
}

func (c *policySetCommand) Validate() error {
	switch {
	case c.AppIDs != nil && len(c.Add)+len(c.Remove) > 0:
		return errors.New("give --app-ids, the whole list, or --add and --remove, not both")
	case c.AppIDs == nil && len(c.Add)+len(c.Remove) == 0 && c.Description == nil:
		return errors.New("say what to change with --app-ids, --add, --remove or --description")
	}
	return nil
}

func (c *policySetCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	q := manage.PolicyChange{Tenant: c.Tenant, Identity: c.Identity, Description: c.Description, Add: c.Add, Remove: c.Remove}
	if c.AppIDs != nil {
		q.Apps = &c.AppIDs
	}
	policy, err := client.SetPolicy(ctx, q)
	if err != nil {
		return err
	}
	if policy.Unchanged {
		fmt.Fprintln(p.Stderr, "Nothing is changed: it was so already.")
	}
	return printPolicies(c.format, p, []manage.Policy{policy})
}

type policyGrantCommand struct {
	PolicyName string `name:"policy-name" help:"Name of the policy." placeholder:"NAME" xor:"name"`
	Null       bool   `help:"Take the grant away ($null)." xor:"name"`
	User       string `help:"Grant to this user, by UPN or id." placeholder:"USER" xor:"to"`
	Group      string `help:"Grant to this group, by name or id." placeholder:"GROUP" xor:"to"`
	Global     bool   `help:"Grant to the whole tenant." xor:"to"`
	Rank       *int   `help:"Rank of a grant to a group: 1 goes before 2 (the lowest that is free)." placeholder:"N"`
	tenantFlag `embed:""`
	target     `embed:""`
}

func (c *policyGrantCommand) Validate() error {
	switch {
	case c.PolicyName == "" && !c.Null:
		return errors.New("say which policy with --policy-name NAME, or --null to take the grant away")
	case c.User == "" && c.Group == "" && !c.Global:
		return errors.New("say to whom with --user, --group or --global")
	case c.Rank != nil && c.Group == "":
		return errors.New("--rank: only a grant to a group has a rank")
	case c.Rank != nil && *c.Rank < 1:
		return errors.New("--rank: a rank is 1 or more")
	}
	return nil
}

func (c *policyGrantCommand) Run(ctx context.Context, p *Program) error {
	rank := 0
	if c.Rank != nil {
		rank = *c.Rank
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	g, err := client.Grant(ctx, manage.GrantChange{Tenant: c.Tenant, Policy: c.PolicyName, User: c.User, Group: c.Group, Global: c.Global, Rank: rank})
	if err != nil {
		return err
	}
	switch {
	case c.Null && g.Unchanged:
		fmt.Fprintln(p.Stdout, "Nothing is changed: there was no grant.")
	case g.Unchanged:
		fmt.Fprintf(p.Stdout, "Nothing is changed: %s was granted already.\n", c.PolicyName)
	case c.Null:
		fmt.Fprintln(p.Stdout, "The grant is taken away.")
	default:
		fmt.Fprintf(p.Stdout, "%s is granted.\n", c.PolicyName)
	}
	return nil
}

type policyRemoveCommand struct {
	Identity   string `required:"" help:"Name of the policy." placeholder:"NAME"`
	tenantFlag `embed:""`
	target     `embed:""`
}

func (c *policyRemoveCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if err := client.RemovePolicy(ctx, c.Tenant, c.Identity); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "%s is removed.\n", c.Identity)
	return nil
}

func printPolicies(f format, p *Program, policies []manage.Policy) error {
	return f.print(p.Stdout, policies, func(w io.Writer) {
		row(w, "IDENTITY", "APPS", "GRANTED TO", "DESCRIPTION")
		for _, policy := range policies {
			row(w, policy.Identity, joined(policy.AppIDs), joined(policy.GrantedTo), policy.Description)
		}
	})
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

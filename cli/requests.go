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

package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/convene-meet/convene/manage"
)

type meetingCommands struct {
	CreateOrGet createOrGetCommand `cmd:"" help:"Make the meeting that belongs to an external id, or get it."`
}

type createOrGetCommand struct {
	ExternalID string   `required:"" name:"external-id" help:"Your own key of the meeting." placeholder:"ID"`
	User       string   `help:"Whose meeting it is: UPN or object id (${default})." default:"olga@contoso.example" placeholder:"USER"`
	App        string   `help:"Act as this application, by its access policy, instead of as the user." placeholder:"APP"`
	Subject    string   `help:"Subject of a new meeting." placeholder:"TEXT"`
	Start      string   `help:"Start of a new meeting, such as 2031-02-06T09:00:00Z (now)." placeholder:"TIME"`
	End        string   `help:"End of a new meeting (an hour after the start)." placeholder:"TIME"`
	Attendee   []string `help:"UPN of an attendee; may be repeated." placeholder:"UPN"`
	Beta       bool     `help:"Use beta instead of v1.0."`
	format     `embed:""`
	target     `embed:""`
}

func (c *createOrGetCommand) Help() string {
	return `The outcome is "created" for the one call that made the meeting, and "existing" for every other; of an existing meeting nothing is changed.`
}

func (c *createOrGetCommand) body() map[string]any {
	body := map[string]any{"externalId": c.ExternalID}
	for name, value := range map[string]string{"subject": c.Subject, "startDateTime": c.Start, "endDateTime": c.End} {
		if value != "" {
			body[name] = value
		}
	}
	if len(c.Attendee) > 0 {
		var attendees []any
		for _, upn := range c.Attendee {
			attendees = append(attendees, map[string]any{"upn": upn})
		}
		body["participants"] = map[string]any{"attendees": attendees}
	}
	return body
}

func (c *createOrGetCommand) Run(ctx context.Context, p *Program) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	info, err := client.Server(ctx)
	if err != nil {
		return err
	}
	q, path := manage.TokenRequest{App: "portal", User: c.User}, "/me"
	if c.App != "" {
		user := manage.UserInfo{ID: c.User}
		if strings.Contains(c.User, "@") { // applications name users by id
			if user, err = client.User(ctx, c.User); err != nil {
				return err
			}
		}
		q, path = manage.TokenRequest{App: c.App, Tenant: user.Tenant}, "/users/"+url.PathEscape(user.ID)
	}
	token, err := client.Token(ctx, q)
	if err != nil {
		return err
	}
	version := "v1.0"
	if c.Beta {
		version = "beta"
	}
	status, answer, err := post(ctx, info, token.AccessToken, "/"+version+path+"/onlineMeetings/createOrGet", c.body())
	if err != nil {
		return err
	}
	outcome := "existing"
	if status == http.StatusCreated {
		outcome = "created"
	}
	if c.JSON {
		return c.print(p.Stdout, map[string]any{"outcome": outcome, "status": status, "meeting": json.RawMessage(answer)}, nil)
	}
	var m struct {
		ID, Subject, ExternalID, JoinWebURL string
		StartDateTime, EndDateTime          time.Time
		JoinMeetingIDSettings               struct{ JoinMeetingID string }
		AudioConferencing                   *struct{ TollNumber, ConferenceID string }
	}
	if err := json.Unmarshal(answer, &m); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return c.print(p.Stdout, nil, func(w io.Writer) {
		row(w, "outcome", fmt.Sprintf("%s (%d)", outcome, status))
		row(w, "externalId", m.ExternalID)
		if m.Subject != "" {
			row(w, "subject", m.Subject)
		}
		row(w, "start", m.StartDateTime.Format(time.RFC3339))
		row(w, "end", m.EndDateTime.Format(time.RFC3339))
		row(w, "join", m.JoinWebURL)
		row(w, "meeting id", m.JoinMeetingIDSettings.JoinMeetingID)
		if a := m.AudioConferencing; a != nil {
			row(w, "dial in", a.TollNumber+", conference id "+a.ConferenceID)
		}
		row(w, "id", m.ID)
	})
}

// post sends JSON to the API as any client would, and returns the answer of a
// success. A refusal is an error in the API's own words.
func post(ctx context.Context, info manage.ServerInfo, token, path string, body any) (status int, answer []byte, err error) {
	pem, err := os.ReadFile(info.CAFile)
	if err != nil {
		return 0, nil, fmt.Errorf("certificate authority of the server: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return 0, nil, fmt.Errorf("%s holds no certificate", info.CAFile)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, info.URL+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	answer, err = io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return 0, nil, err
	}
	if resp.StatusCode >= 300 {
		var e struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(answer, &e) != nil {
			return 0, nil, fmt.Errorf("the server answered %s", resp.Status)
		}
		return 0, nil, fmt.Errorf("%s: %s (request-id %s)", e.Error.Code, e.Error.Message, resp.Header.Get("request-id"))
	}
	return resp.StatusCode, answer, nil
}

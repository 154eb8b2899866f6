package devlogin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/identity/devlogin"
)

func TestIssue(t *testing.T) {
	const all = "OnlineMeetings.ReadWrite OnlineMeetings.Read User.Read"
	for _, tt := range []struct {
		name        string
		request     devlogin.IssueRequest
		tenant      string
		permissions string
		audience    string
		life        time.Duration
		number      int // of the refusal
	}{
		{name: "an application", request: devlogin.IssueRequest{App: booking}, permissions: "OnlineMeetings.ReadWrite.All User.Read.All"},
		{name: "one permission of it", request: devlogin.IssueRequest{App: booking, Scopes: []string{"user.read.all", "Mail.Read"}}, permissions: "User.Read.All"},
		{name: "a user by name", request: devlogin.IssueRequest{App: portal, User: ann}, permissions: all},
		{name: "a user by id", request: devlogin.IssueRequest{App: portal, User: annID, Scopes: []string{"User.Read"}}, permissions: "User.Read"},
		{name: "a user of another tenant", request: devlogin.IssueRequest{App: portal, User: fred}, tenant: fabrikam, permissions: all},
		{name: "one of them by id", request: devlogin.IssueRequest{App: portal, User: "c0ffee00-0002-4a00-8000-000000000001"}, tenant: fabrikam, permissions: all},
		{name: "a public application itself", request: devlogin.IssueRequest{App: portal}},
		{name: "a user of an application without permissions", request: devlogin.IssueRequest{App: bare, User: ann}},
		{name: "another resource", request: devlogin.IssueRequest{App: booking, Resource: origin}, permissions: "OnlineMeetings.ReadWrite.All User.Read.All", audience: origin},
		{name: "with a slash", request: devlogin.IssueRequest{App: booking, Resource: "https://graph.microsoft.com/"}, permissions: "OnlineMeetings.ReadWrite.All User.Read.All", audience: "https://graph.microsoft.com/"},
		{name: "for a minute", request: devlogin.IssueRequest{App: portal, User: ann, Lifetime: time.Minute}, permissions: all, life: time.Minute},

		{name: "an unknown application", request: devlogin.IssueRequest{App: "x"}, number: 700016},
		{name: "an unknown user", request: devlogin.IssueRequest{App: portal, User: "who@contoso.example"}, number: 50034},
		{name: "a disabled user", request: devlogin.IssueRequest{App: portal, User: erik}, number: 50057},
		{name: "nothing that was given", request: devlogin.IssueRequest{App: portal, User: ann, Scopes: []string{"Mail.Read"}}, number: 65001},
		{name: "an unknown resource", request: devlogin.IssueRequest{App: portal, Resource: "https://vault.example"}, number: 500011},
		{name: "for two days", request: devlogin.IssueRequest{App: portal, Lifetime: 48 * time.Hour}, number: 90100},
		{name: "for the past", request: devlogin.IssueRequest{App: portal, Lifetime: -time.Second}, number: 90100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			tt.request.Origin = origin
			token, expires, err := s.Issue(t.Context(), tt.request)
			if e, ok := errors.AsType[*devlogin.Error](err); ok != (tt.number != 0) || ok && e.Number != tt.number || !ok && err != nil || ok && token != "" {
				t.Fatalf("token %q, error %v; want AADSTS%d", token, err, tt.number)
			}
			if tt.number != 0 {
				return
			}
			tenant, audience, life := tt.tenant, tt.audience, tt.life
			if tenant == "" {
				tenant = contoso
			}
			if audience == "" {
				audience = "https://graph.microsoft.com"
			}
			if life == 0 {
				life = 3599 * time.Second
			}
			c := s.caller(token)
			if c.Tenant != tenant || c.App != tt.request.App || c.Delegated() != (tt.request.User != "") || strings.Join(c.Permissions, " ") != tt.permissions {
				t.Errorf("caller %+v; want %s of %s with %q", c, tt.request.App, tenant, tt.permissions)
			}
			if want := s.now.Truncate(time.Second).Add(life); !expires.Equal(want) || !c.Expires.Equal(want) {
				t.Errorf("expires %v, in the token %v; want %v", expires, c.Expires, want)
			}
			if got := s.claims(token)["aud"]; got != audience {
				t.Errorf("audience %v; want %s", got, audience)
			}
			s.pass(life)
			if _, err := s.service.Authenticate(t.Context(), token, s.realm); err == nil {
				t.Error("the token is good beyond its life")
			} else if _, ok := errors.AsType[*identity.TokenError](err); !ok {
				t.Errorf("error %v; want a token error", err)
			}
		})
	}
}

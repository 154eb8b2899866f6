package devlogin_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/identity"
)

// code signs Ann in and returns the code that the application gets.
func (s *site) code(change form) string {
	s.Helper()
	w := s.post(target(asked.with(change)), credentials)
	_, values := s.redirected(w)
	if values.Get("code") == "" {
		s.Fatalf("sent to %s; want a code", w.Header().Get("Location"))
	}
	return values.Get("code")
}

var redeem = form{"grant_type": "authorization_code", "client_id": portal, "redirect_uri": back, "code_verifier": verifier}

// asStudio is what changes where a confidential application asks.
var (
	asStudio = form{"client_id": studio, "redirect_uri": studioBack, "code_challenge": "", "code_challenge_method": ""}
	byStudio = form{"client_id": studio, "client_secret": "studio-secret", "redirect_uri": studioBack, "code_verifier": ""}
)

func TestCode(t *testing.T) {
	s := open(t)
	got := s.token(redeem.with(form{"code": s.code(nil)}))
	if got.status != http.StatusOK || got.Refresh == "" || got.Scope != asked["scope"] {
		t.Fatalf("answer %+v; want tokens for %q", got, asked["scope"])
	}
	if c := s.caller(got.Access); c.User != annID || c.App != portal {
		t.Errorf("caller %+v; want Ann in portal", c)
	}
	if id := s.claims(got.ID); id["nonce"] != "n1" || id["aud"] != portal {
		t.Errorf("ID token %v; want the nonce of the request", id)
	}
	if id := s.claims(s.token(form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": got.Refresh}).ID); id["nonce"] != nil {
		t.Errorf("a later ID token %v; want no nonce", id)
	}
	// Another process on the same store is the same provider.
	w := do(node(s), request("/common/oauth2/v2.0/token", redeem.with(form{"code": s.code(nil)}).encode()))
	if got := s.answer(w); got.status != http.StatusOK {
		t.Errorf("at another node: %+v", got)
	}
}

func TestCodeRefusals(t *testing.T) {
	other := "https://portal.example/callback"
	for _, tt := range []struct {
		name   string
		asked  form
		before func(*site)
		redeem form
		path   string
		number int
		code   string // of the error; invalid_grant unless said
		says   string // a part of the description
	}{
		{name: "to another application", redeem: byStudio, number: 70000},
		{name: "to an application without its secret", asked: asStudio, redeem: byStudio.with(form{"client_secret": ""}), number: 7000218, code: "invalid_client"},
		{name: "of a confidential application to a public one", asked: asStudio, redeem: form{"code_verifier": "", "redirect_uri": studioBack}, number: 70000},
		{name: "another redirect address", redeem: form{"redirect_uri": other}, number: 500112},
		{name: "another port", redeem: form{"redirect_uri": "http://localhost:7002/callback"}, number: 500112},
		{name: "a wrong verifier", redeem: form{"code_verifier": strings.Repeat("x", 43)}, number: 501481},
		{name: "the challenge as verifier", redeem: form{"code_verifier": challenge}, number: 501481},
		{name: "no verifier", redeem: form{"code_verifier": ""}, number: 501481, says: "code_verifier is missing"},
		{name: "a verifier without challenge", asked: asStudio, redeem: byStudio.with(form{"code_verifier": verifier}), number: 501481, says: "without a code_challenge"},
		{name: "a challenge of a confidential application, no verifier", asked: form{"client_id": studio, "redirect_uri": studioBack}, redeem: byStudio, number: 501481},
		{name: "too late", before: func(s *site) { s.pass(10 * time.Minute) }, number: 70008},
		{name: "another tenant", path: "/" + fabrikam, number: 700005},
		{name: "consumers", path: "/consumers", number: 700005},
		{name: "disabled meanwhile", before: func(s *site) { s.user(contoso, ann, func(u *identity.User) { u.Disabled = true }) }, number: 50057},
		{name: "permissions taken away", before: func(s *site) { s.app(portal, func(a *identity.App) { a.DelegatedPermissions = []string{"User.Read"} }) }, number: 65001, code: "invalid_scope"},
		{name: "more than was asked for", redeem: form{"scope": meetings + " User.Read"}, number: 70011, code: "invalid_scope"},
		{name: "a refresh token that was not asked for", asked: form{"scope": meetings}, redeem: form{"scope": meetings + " offline_access"}, number: 70011, code: "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			secret := s.code(tt.asked)
			if tt.before != nil {
				tt.before(s)
			}
			path, want := tt.path, tt.code
			if path == "" {
				path = "/" + contoso
			}
			if want == "" {
				want = "invalid_grant"
			}
			f := redeem.with(tt.redeem).with(form{"code": secret})
			got := s.answer(do(s, request(path+"/oauth2/v2.0/token", f.encode())))
			if s.refused(got, tt.number, want); !strings.Contains(got.Description, tt.says) {
				t.Errorf("description %q; want %q in it", got.Description, tt.says)
			}
		})
	}
	t.Run("less than was asked for", func(t *testing.T) {
		s := open(t)
		got := s.token(redeem.with(form{"code": s.code(nil), "scope": meetings}))
		if got.Scope != meetings || got.ID != "" || got.Refresh == "" {
			t.Errorf("answer %+v; want the one scope, and the refresh token of the sign-in", got)
		}
	})
}

// A code that was refused to somebody else is still good for its owner.
func TestCodeSurvivesStrangers(t *testing.T) {
	s := open(t)
	secret := s.code(nil)
	s.refused(s.token(redeem.with(byStudio).with(form{"code": secret})), 70000, "invalid_grant")
	s.refused(s.token(redeem.with(form{"code": secret, "code_verifier": challenge})), 501481, "invalid_grant")
	if got := s.token(redeem.with(form{"code": secret})); got.status != http.StatusOK {
		t.Errorf("the owner gets %+v", got)
	}
}

func TestCodeTwice(t *testing.T) {
	s := open(t)
	f := redeem.with(form{"code": s.code(nil)})
	first := s.token(f)
	renew := form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": first.Refresh}
	second := s.token(renew)
	if second.status != http.StatusOK {
		t.Fatalf("refresh: %+v", second)
	}
	s.pass(time.Hour) // the code's life is over; that it was used is still known
	s.refused(s.token(f.with(form{"code_verifier": ""})), 54005, "invalid_grant")
	s.refused(s.token(renew.with(form{"refresh_token": second.Refresh})), 50173, "invalid_grant")
}

// race does the same thing many times at once.
func race[T any](do func() T) []T {
	const many = 16
	results := make([]T, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { results[i] = do() })
	}
	all.Wait()
	return results
}

// oneWinner checks that one answer has tokens, and the others the error.
func (s *site) oneWinner(all []tokens, number int) tokens {
	s.Helper()
	var winner tokens
	wins := 0
	for _, got := range all {
		if got.status == http.StatusOK {
			winner = got
			wins++
		} else {
			s.refused(got, number, "invalid_grant")
		}
	}
	if wins != 1 {
		s.Errorf("%d of %d have tokens; want one", wins, len(all))
	}
	return winner
}

func TestCodeConcurrently(t *testing.T) {
	s := open(t)
	f := redeem.with(form{"code": s.code(nil)})
	nodes := []http.Handler{s, node(s)}
	var mu sync.Mutex
	all := race(func() tokens {
		mu.Lock()
		nodes = append(nodes[1:], nodes[0])
		h := nodes[0]
		mu.Unlock()
		return s.answer(do(h, request(tokenPath, f.encode())))
	})
	winner := s.oneWinner(all, 54005)
	s.refused(s.token(form{"grant_type": "refresh_token", "client_id": portal, "refresh_token": winner.Refresh}), 50173, "invalid_grant")
}

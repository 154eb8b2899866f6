package join

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
)

const (
	// visitorCookie is how a guest is known: a secret of ours, which scripts cannot
	// read. It stays when somebody signs in and out, so that this is no way to be
	// somebody else.
	visitorCookie = "__Host-convene"
	visitorLife   = 365 * 24 * time.Hour
	// accountCookie is the session of an account.
	accountCookie = "__Host-convene-account"
	// accountLife is how long somebody stays signed in to the pages.
	accountLife = 12 * time.Hour
)

// errDisabled is an account that may not sign in any more.
var errDisabled = errors.New("the account is disabled")

// errNoCookie is a browser that keeps no cookies.
var errNoCookie = errors.New("the browser sent no cookie")

// account is what is kept of a session: who signed in.
type account struct{ Tenant, User string }

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// visitor says who sent a request: the account that signed in with its cookie, or
// a guest.
func (h *Handler) visitor(r *http.Request) (*Visitor, error) {
	if cookie, err := r.Cookie(accountCookie); err == nil {
		record, err := h.Accounts.Record(r.Context(), identity.KindSession, "", hashed(cookie.Value), h.Now())
		if err == nil {
			var a account
			if err := json.Unmarshal(record.Doc, &a); err != nil {
				return nil, fmt.Errorf("session %q: %w", record.ID, err)
			}
			return h.account(r.Context(), a)
		} else if !errors.Is(err, identity.ErrNoRecord) {
			return nil, err
		}
	}
	cookie, err := r.Cookie(visitorCookie)
	if err != nil || len(cookie.Value) < 26 || len(cookie.Value) > 64 {
		return nil, errNoCookie
	}
	return &Visitor{Key: "guest:" + hashed(cookie.Value)}, nil
}

// account is the visitor that an account is, as the directory has it now.
func (h *Handler) account(ctx context.Context, a account) (*Visitor, error) {
	u, err := h.Directory.UserByID(ctx, a.Tenant, a.User)
	switch {
	case errors.Is(err, identity.ErrUnknown):
		return nil, errDisabled
	case err != nil:
		return nil, err
	case u.Disabled:
		return nil, errDisabled
	}
	v := &Visitor{Key: "user:" + u.Tenant + "/" + u.ID, Tenant: u.Tenant, User: u.ID, UPN: u.UPN, Name: displayName(u.DisplayName), Email: u.Mail}
	if v.Name == "" {
		v.Name = u.UPN
	}
	if v.Email == "" {
		v.Email = u.UPN
	}
	return v, nil
}

// remember gives a browser a cookie that it does not have yet.
func (h *Handler) remember(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(visitorCookie); err != nil {
		h.setCookie(w, visitorCookie, rand.Text(), visitorLife)
	}
}

func (h *Handler) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second)}
	if len(h.Frames) > 0 { // in a frame of another site a cookie is kept for that site alone
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	http.SetCookie(w, c)
}

func (h *Handler) dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", Secure: true, HttpOnly: true, MaxAge: -1})
}

// signedIn begins the session of an account, under a cookie that nobody has seen
// before.
func (h *Handler) signedIn(w http.ResponseWriter, r *http.Request, a account) error {
	doc, err := json.Marshal(a)
	if err != nil {
		return err
	}
	secret := rand.Text()
	now := h.Now()
	if err := h.Accounts.Apply(r.Context(), now, []identity.Change{{
		Record: identity.Record{Kind: identity.KindSession, ID: hashed(secret), Doc: doc, Expires: now.Add(accountLife)}, Expect: 0,
	}}); err != nil {
		return err
	}
	h.setCookie(w, accountCookie, secret, accountLife)
	return nil
}

// signOut ends the session of whoever sent a request.
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) error {
	if cookie, err := r.Cookie(accountCookie); err == nil {
		if err := h.Accounts.Apply(r.Context(), h.Now(), []identity.Change{{
			Record: identity.Record{Kind: identity.KindSession, ID: hashed(cookie.Value)}, Expect: identity.AnyRevision, Delete: true,
		}}); err != nil {
			return err
		}
	}
	h.dropCookie(w, accountCookie)
	http.Redirect(w, r, localPath(r.URL.Query().Get("return")), http.StatusSeeOther)
	return nil
}

// localPath is a path of this server, or "/": nobody is sent elsewhere.
func localPath(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t\x00") || len(s) > 4096 {
		return "/"
	}
	return s
}

// A SignIn is the identity provider as the pages use it: authorization code with
// PKCE (RFC 7636), by the server, so that no token reaches a browser.
type SignIn interface {
	// AuthorizeURL is where a browser signs in, to come back to redirect with a
	// code and the state.
	AuthorizeURL(origin, redirect, state, challenge string) string
	// Redeem says who signed in, and spends the code.
	Redeem(ctx context.Context, origin, redirect, code, verifier string) (tenant, user string, err error)
}

// signInCookie keeps what a sign-in needs until the browser is back.
const (
	signInCookie = "__Host-convene-sign-in"
	signInLife   = 15 * time.Minute
	signedInPath = "/sign-in/done"
)

// startSignIn serves GET /sign-in?return=PATH.
func (h *Handler) startSignIn(w http.ResponseWriter, r *http.Request) error {
	if h.SignIn == nil {
		return errNoSignIn
	}
	state, verifier := rand.Text(), rand.Text()+rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	back := base64.RawURLEncoding.EncodeToString([]byte(localPath(r.URL.Query().Get("return"))))
	h.setCookie(w, signInCookie, state+"."+verifier+"."+back, signInLife)
	origin := h.Origin(r)
	http.Redirect(w, r, h.SignIn.AuthorizeURL(origin, origin+signedInPath, state, base64.RawURLEncoding.EncodeToString(sum[:])), http.StatusSeeOther)
	return nil
}

// Errors of signing in.
var (
	errNoSignIn = errors.New("there is no identity provider")
	errSignIn   = errors.New("the sign-in was not begun here or took too long")
)

// finishSignIn serves GET /sign-in/done, to which the provider sends browsers.
func (h *Handler) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	cookie, err := r.Cookie(signInCookie)
	if h.SignIn == nil || err != nil {
		return errSignIn
	}
	h.dropCookie(w, signInCookie)
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 3 || query.Get("state") != parts[0] || query.Get("code") == "" {
		return errSignIn
	}
	back, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return errSignIn
	}
	origin := h.Origin(r)
	tenant, user, err := h.SignIn.Redeem(r.Context(), origin, origin+signedInPath, query.Get("code"), parts[1])
	if err != nil {
		return fmt.Errorf("%w: %w", errSignIn, err)
	}
	if err := h.signedIn(w, r, account{tenant, user}); err != nil {
		return err
	}
	http.Redirect(w, r, localPath(string(back)), http.StatusSeeOther)
	return nil
}

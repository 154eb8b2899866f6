package devlogin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
)

// A device is a device code, kept under its hash and named by its user code.
type device struct {
	Grant     grant // without Tenant, User and SignedIn until it is approved
	Authority authority
	UserCode  string
	State     deviceState
	Polled    time.Time `json:",omitzero"` // when the application was last told to wait
	Expires   time.Time
	Family    string `json:",omitempty"` // of the refresh tokens it led to
}

type deviceState string

const (
	devicePending  deviceState = "pending"
	deviceApproved deviceState = "approved"
	deviceDeclined deviceState = "declined"
	deviceRedeemed deviceState = "redeemed"
)

// pollInterval is how often an application may ask. It is short, since people's
// tests wait for it. One that asks twice in half of it is too fast; MSAL for
// Node takes slow_down for the end, so a timer that fires early must not be.
const pollInterval = time.Second

// deviceAnswer is the answer of RFC 8628 section 3.2, with the message that
// Entra ID adds.
type deviceAnswer struct {
	UserCode                string `json:"user_code"`
	DeviceCode              string `json:"device_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"`
	Interval                int    `json:"interval"`
	Message                 string `json:"message"`
}

// deviceCode serves POST /{tenant}/oauth2/v2.0/devicecode. As with Entra ID, an
// application proves who it is only when it polls.
func (p *Provider) deviceCode(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	a, err := p.authority(c)
	if err != nil {
		return err
	}
	if form["client_id"] == "" {
		return missing("client_id")
	}
	app, err := p.app(c, form["client_id"])
	if err != nil {
		return err
	}
	if _, err := p.delegated(c.origin, app, form["scope"]); err != nil {
		return err
	}
	d := device{
		Grant: grant{App: app.ID, Scope: form["scope"]}, Authority: a, State: devicePending, Expires: c.now.Add(deviceLife),
	}
	secret := newSecret()
	// A user code that somebody else has just now is drawn again.
	d.UserCode, err = retry(func() (string, error) {
		d.UserCode = newUserCode()
		return d.UserCode, p.apply(c.ctx(), d.change(keyOf(secret), 0))
	})
	if err != nil {
		return err
	}
	shown, page := shownUserCode(d.UserCode), c.origin+"/device"
	c.writeJSON(http.StatusOK, deviceAnswer{
		UserCode: shown, DeviceCode: secret,
		VerificationURI: page, VerificationURIComplete: page + "?user_code=" + shown,
		ExpiresIn: int(deviceLife / time.Second), Interval: int(pollInterval / time.Second),
		Message: fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s.", page, shown),
	})
	return nil
}

func (d *device) change(key string, expect int64) identity.Change {
	return write(identity.KindDevice, key, d.UserCode, d, d.Expires, expect)
}

// pendingNumber is of the error that every poll before the approval gets.
const pendingNumber = 70016

// redeemDevice exchanges a device code for tokens, once it is approved (RFC 8628
// section 3.4).
func (p *Provider) redeemDevice(c *tokenCall) (*tokenAnswer, error) {
	if c.form["device_code"] == "" {
		return nil, missing("device_code")
	}
	return retry(func() (*tokenAnswer, error) { return p.poll(c, keyOf(c.form["device_code"])) })
}

func (p *Provider) poll(c *tokenCall, key string) (*tokenAnswer, error) {
	d, revision, err := load[device](c.ctx(), p, identity.KindDevice, key)
	switch {
	case absent(err):
		return nil, refuse("bad_verification_code", 70000, "The device code is not valid: it is none of this server's.")
	case err != nil:
		return nil, err
	case d.Grant.App != c.app.ID:
		return nil, refuse("bad_verification_code", 70000, "The device code was issued to another application than %s.", c.app.ID)
	case d.State == deviceRedeemed:
		if err := p.end(c.ctx(), d.Family); err != nil {
			return nil, err
		}
		return nil, redeemed("device code")
	case !p.Now().Before(d.Expires):
		return nil, refuse("expired_token", 70019, "The device code has expired, at %s. Ask for a new one.", d.Expires.UTC().Format(time.RFC3339))
	case d.State == deviceDeclined:
		return nil, refuse("authorization_declined", 65004, "The user declined to sign in to the application.")
	case d.State == deviceApproved:
		return p.firstTokens(c, d.Grant, d.Grant.Scope, func(family string) identity.Change {
			used := d
			used.State, used.Family = deviceRedeemed, family
			return used.change(key, revision)
		})
	case d.tooSoon(p.Now()):
		return nil, refuse("slow_down", pendingNumber, "The user has not signed in yet, and the application asks too often. Wait %v before the next request.", pollInterval)
	}
	d.Polled = p.Now()
	if err := p.apply(c.ctx(), d.change(key, revision)); err != nil {
		return nil, err
	}
	return nil, refuse("authorization_pending", pendingNumber, "The user has not signed in yet. Ask again after %v.", pollInterval)
}

// tooSoon reports that the application was told to wait, and did not. A clock
// that was set back is not the application's fault.
func (d *device) tooSoon(now time.Time) bool {
	waited := now.Sub(d.Polled)
	return waited >= 0 && waited < pollInterval/2
}

// deviceByUserCode finds a device code that waits for a person.
func (p *Provider) deviceByUserCode(ctx context.Context, typed string) (d device, key string, revision int64, err error) {
	name := normalUserCode(typed)
	if name == "" {
		return d, "", 0, refuse("invalid_request", 90119, "The code is missing. It is shown by the application or the device that you want to use.")
	}
	wrong := refuse("invalid_request", 70018, "There is no such code. Check it, or let the application show a new one.")
	if len(name) != userCodeLength {
		return d, "", 0, wrong
	}
	r, err := p.Store.RecordByName(ctx, identity.KindDevice, "", name, p.Now())
	d, revision, err = decode[device](r, err)
	switch {
	case absent(err):
		return d, "", 0, wrong
	case err != nil:
		return d, "", 0, err
	case !p.Now().Before(d.Expires):
		return d, "", 0, refuse("expired_token", 70019, "The code has expired. Let the application show a new one.")
	case d.State != devicePending:
		return d, "", 0, refuse("invalid_request", 90120, "The code was used already: the request was approved or declined.")
	}
	return d, r.ID, revision, nil
}

// shownUserCode is a code as people see it, in two halves.
func shownUserCode(code string) string {
	return code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
}

// normalUserCode drops what people add to a code or change in it: hyphens,
// spaces, case.
func normalUserCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// settle says yes or no to a device code: yes with a user, no with nil.
func (p *Provider) settle(ctx context.Context, userCode string, user *identity.User) error {
	_, err := retry(func() (struct{}, error) {
		d, key, revision, err := p.deviceByUserCode(ctx, userCode)
		if err != nil {
			return struct{}{}, err
		}
		if d.State = deviceDeclined; user != nil {
			if err := admissible(d.Authority, user); err != nil {
				return struct{}{}, err
			}
			d.State, d.Grant.Tenant, d.Grant.User, d.Grant.SignedIn = deviceApproved, user.Tenant, user.ID, p.Now()
		}
		return struct{}{}, p.apply(ctx, d.change(key, revision))
	})
	return err
}

// Approve lets a user sign in to the application that shows a user code, as if
// on the device page. The caller vouches for the user, by principal name or
// object id. It returns an [*Error] where the page would refuse.
func (p *Provider) Approve(ctx context.Context, userCode, upn string) error {
	d, _, _, err := p.deviceByUserCode(ctx, userCode)
	if err != nil {
		return err
	}
	tenant, _ := d.Authority.single()
	user, err := p.anyUser(ctx, tenant, upn)
	if err != nil {
		return err
	}
	return p.settle(ctx, userCode, user)
}

// wrongCode reports that a person typed a code that there is not.
func wrongCode(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Number == 70018
}

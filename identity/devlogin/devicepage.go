package devlogin

import (
	"hash/maphash"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A devicePageData is what the page of a device code shows.
type devicePageData struct {
	App         string
	UserCode    string
	Permissions []string
	UserName    string
	Problem     string
}

// devicePage serves /device (RFC 8628 section 3.3). A code is typed first; then
// the page says which application asks, and the user signs in or declines.
func (p *Provider) devicePage(c *call) error {
	read, post := c.query, c.r.Method == http.MethodPost
	if post {
		if err := p.sameSite(c); err != nil {
			return err
		}
		read = c.form
	}
	form, err := read()
	if err != nil {
		return err
	}
	if form["user_code"] == "" && !post {
		return p.askUserCode(c, "", nil)
	}
	page, d, err := p.deviceFor(c, form["user_code"])
	if err != nil {
		return p.askUserCode(c, form["user_code"], err)
	}
	if !post {
		return p.render(c, http.StatusOK, "device", "Sign in", ownForms, page)
	}
	if form["action"] == "decline" {
		if err := p.settle(c.ctx(), page.UserCode, nil); err != nil {
			return p.askUserCode(c, "", err)
		}
		return p.render(c, http.StatusOK, "message", "Declined", ownForms, message{
			Text: "You declined. " + page.App + " did not get access.", More: "You can close this page.",
		})
	}
	user, err := p.trySignIn(c, d.Authority, form)
	if err == nil {
		err = p.settle(c.ctx(), page.UserCode, user)
	}
	if err != nil {
		e := p.explain(c, err)
		page.Problem, page.UserName = e.Error(), form["username"]
		return p.render(c, e.status, "device", "Sign in", ownForms, page)
	}
	return p.render(c, http.StatusOK, "message", "Signed in", ownForms, message{
		Text: "You are signed in to " + page.App + ".", More: "You can close this page and go back to the application.",
	})
}

// deviceFor finds what a user code stands for. Who types many wrong ones from
// one address is guessing.
func (p *Provider) deviceFor(c *call, typed string) (devicePageData, device, error) {
	source := sourceOf(c.r)
	if !p.guesses.allowed(source, c.now) {
		return devicePageData{}, device{}, refuse("temporarily_unavailable", 90055, "Too many wrong codes were typed at your address. Try again in some minutes.").as(http.StatusTooManyRequests)
	}
	d, _, _, err := p.deviceByUserCode(c.ctx(), typed)
	if err != nil {
		if wrongCode(err) {
			p.guesses.wrong(source, c.now)
		}
		return devicePageData{}, device{}, err
	}
	app, err := p.app(c, d.Grant.App)
	if err != nil {
		return devicePageData{}, device{}, err
	}
	permit, err := p.delegated(c.origin, app, d.Grant.Scope)
	if err != nil {
		return devicePageData{}, device{}, err
	}
	return devicePageData{App: app.Name, UserCode: shownUserCode(d.UserCode), Permissions: permit.permissions}, d, nil
}

// askUserCode shows the page on which a code is typed, again when err says what
// was wrong.
func (p *Provider) askUserCode(c *call, typed string, err error) error {
	status, page := http.StatusOK, struct{ UserCode, Problem string }{typed, ""}
	if err != nil {
		e := p.explain(c, err)
		status, page.Problem = e.status, e.Error()
	}
	return p.render(c, status, "usercode", "Enter the code", ownForms, page)
}

// sourceOf is where a request comes from: an IPv4 address, or the network of an
// IPv6 address, of which one household has 2^64.
func sourceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip, err := netip.ParseAddr(host); err == nil && !ip.Unmap().Is4() {
		if network, err := ip.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return host
}

const (
	maxGuesses  = 20
	guessWindow = 5 * time.Minute
)

// guesses counts wrong user codes by source. Its size is fixed: sources that
// share a slot share a limit.
type guesses struct {
	seed  maphash.Seed
	mu    sync.Mutex
	slots [1024]struct {
		since time.Time
		wrong int
	}
}

func newGuesses() *guesses { return &guesses{seed: maphash.MakeSeed()} }

func (g *guesses) allowed(source string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot := &g.slots[g.slot(source)]
	return slot.wrong < maxGuesses || g.over(slot.since, now)
}

func (g *guesses) wrong(source string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot := &g.slots[g.slot(source)]
	if g.over(slot.since, now) {
		slot.since, slot.wrong = now, 0
	}
	slot.wrong++
}

func (g *guesses) slot(source string) int {
	return int(maphash.String(g.seed, source) % uint64(len(g.slots)))
}

// over reports that a window has ended, also when the clock was set back.
func (g *guesses) over(since, now time.Time) bool {
	open := now.Sub(since)
	return open < 0 || open >= guessWindow
}

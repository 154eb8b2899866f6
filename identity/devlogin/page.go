package devlogin

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
)

//go:embed pages
var pageFiles embed.FS

// pages are the pages by name, each with the frame around it.
var pages = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"signin", "formpost", "usercode", "device", "message", "error"} {
		all[name] = template.Must(template.ParseFS(pageFiles, "pages/frame.html", "pages/"+name+".html"))
	}
	return all
}()

// referrerPolicy keeps addresses, which hold states and hints, from other
// sites. Under no-referrer a browser would also hide from this server that its
// own form was sent by its own page.
const referrerPolicy = "same-origin"

// contentPolicy is that of every page, before what a single page adds.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "

// What a page adds to the policy. Browsers apply form-action to the redirect
// that answers a form, too, so pages that end at an application go without.
const (
	ownForms  = "script-src 'self'; form-action 'self'"
	formsAway = "script-src 'self'"
)

// A frame is what every page has around its content.
type frame struct {
	Title             string
	Style, Script     string
	Icon              string
	Content           any
	Trace, At, Client string // for the page of an error
}

// render answers with a page.
func (p *Provider) render(c *call, status int, name, title, policy string, content any) error {
	var page bytes.Buffer
	err := pages[name].ExecuteTemplate(&page, "frame", frame{
		Title: title, Style: p.Asset("convene.css"), Script: p.Asset("convene.js"), Icon: p.Asset("favicon.svg"),
		Content: content, Trace: c.trace, Client: c.correlation, At: c.now.UTC().Format(timestampLayout),
	})
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	header := c.w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", contentPolicy+policy)
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", referrerPolicy)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(page.Bytes()) // the client is gone, and nobody is left to tell
	return nil
}

// failPage answers a person.
func (p *Provider) failPage(c *call, e *Error) {
	if err := p.render(c, e.status, "error", "Sign-in is not possible", ownForms, e.Error()); err != nil {
		p.Log.Error("no page for an error", "error", err, "trace", c.trace)
		http.Error(c.w, e.Error(), e.status)
	}
}

// showSignIn shows the sign-in page, again when err says what was wrong.
func (p *Provider) showSignIn(c *call, a *authorization, name string, err error) error {
	status := http.StatusOK
	page := struct{ App, UserName, Problem string }{a.app.Name, name, ""}
	if err != nil {
		e := p.explain(c, err)
		status, page.Problem = e.status, e.Error()
	}
	return p.render(c, status, "signin", "Sign in", formsAway, page)
}

// A message is a page of one sentence.
type message struct{ Text, More string }

// logout serves /{tenant}/oauth2/v2.0/logout (OpenID Connect RP-Initiated
// Logout). There is no session to end, so all it does is to send the browser
// back, if to an address that an application has registered.
func (p *Provider) logout(c *call) error {
	read := c.query
	if c.r.Method == http.MethodPost {
		read = c.form
	}
	form, err := read()
	if err != nil {
		return err
	}
	if _, err := p.authority(c); err != nil {
		return err
	}
	done := message{Text: "You are signed out."}
	if asked := form["post_logout_redirect_uri"]; asked != "" {
		apps, err := p.Directory.Apps(c.ctx())
		if err != nil {
			return outage(err)
		}
		if to, ok := registeredAnywhere(apps, asked); ok {
			c.redirect(withState(to, form["state"]))
			return nil
		}
		done.More = "The page does not go on to the application, since no application has registered the address that was asked for."
	}
	return p.render(c, http.StatusOK, "message", "Signed out", ownForms, done)
}

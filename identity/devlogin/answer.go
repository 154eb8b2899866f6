package devlogin

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
)

// redirect sends the browser elsewhere. A form's answer is 303: 307 would hand
// the password on (RFC 9700 section 4.12).
func (c *call) redirect(to string) {
	status := http.StatusFound
	if c.r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	c.w.Header().Set("Location", to)
	c.w.Header().Set("Referrer-Policy", referrerPolicy)
	c.w.WriteHeader(status)
}

// answer gives the application its parameters, in the way it asked for.
func (p *Provider) answer(c *call, a *authorization, values url.Values) error {
	if a.state != "" {
		values.Set("state", a.state)
	}
	switch a.mode {
	case "fragment":
		c.redirect(withFragment(a.redirect, values))
	case "form_post":
		return p.formPost(c, a, values)
	default:
		c.redirect(withQuery(a.redirect, values))
	}
	return nil
}

// answerError tells the application why there is no code. A failure of our own
// is not its business: it becomes a page, which the visitor can load again.
func (p *Provider) answerError(c *call, a *authorization, err error) error {
	if _, ok := errors.AsType[*Error](err); !ok {
		return err
	}
	e := p.explain(c, err)
	return p.answer(c, a, url.Values{"error": {e.Code}, "error_description": {c.describe(e)}})
}

// submit sends the form of the page at once (OAuth 2.0 Form Post Response
// Mode). It is the one script outside web, since no page there may do so, and
// the policy of its page allows it alone. Without script there is a button.
const submit = "document.forms[0].submit()"

var submitHash = func() string {
	sum := sha256.Sum256([]byte(submit))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// A formField is a hidden field.
type formField struct{ Name, Value string }

// formPost answers with a form that goes to the application.
func (p *Provider) formPost(c *call, a *authorization, values url.Values) error {
	page := struct {
		App    string
		Action template.URL
		Fields []formField
		Script template.JS
	}{App: a.app.Name, Action: template.URL(a.redirect.String()), Script: submit}
	for name := range values {
		page.Fields = append(page.Fields, formField{name, values.Get(name)})
	}
	slices.SortFunc(page.Fields, func(a, b formField) int { return cmp.Compare(a.Name, b.Name) })
	return p.render(c, http.StatusOK, "formpost", "Back to the application", formsAway+" "+submitHash, page)
}

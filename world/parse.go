package world

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/convene-meet/convene/identity"
)

// Complete checks a world that was made in Go, as Parse does with one that was
// read, and fills in what may be left out.
func (w *World) Complete() error {
	c := checker{name: "world"}
	c.world(w)
	return errors.Join(c.problems...)
}

// A checker finds mistakes of meaning, and fills in what may be left out.
type checker struct {
	name     string
	file     *ast.File
	problems []error
	warnings []string
	ids      map[string]string // kind and id to where it was given
	ranks    map[rankKey]string
}

type rankKey struct {
	domain string
	rank   int
}

// wrong reports a mistake at a path such as "$.tenants[0].users[1].id".
func (c *checker) wrong(path, format string, args ...any) {
	c.problems = append(c.problems, errors.New(c.at(path)+fmt.Sprintf(format, args...)))
}

// at is what opens a message about a path: file, line and key.
func (c *checker) at(path string) string {
	where := c.name
	for p := path; p != "$" && p != ""; p = p[:strings.LastIndexAny(p, ".[")] {
		if node := c.find(p); node != nil {
			where = fmt.Sprintf("%s:%d", c.name, node.GetToken().Position.Line)
			break
		}
	}
	return where + ": " + strings.TrimPrefix(path, "$.") + ": "
}

func (c *checker) find(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil || c.file == nil {
		return nil
	}
	node, err := p.FilterFile(c.file)
	if err != nil || node == nil {
		return nil
	}
	return node
}

func (c *checker) world(w *World) {
	c.ids, c.ranks = map[string]string{}, map[rankKey]string{}
	if len(w.Tenants) == 0 {
		c.wrong("$.tenants", "a world needs at least one tenant")
	}
	each("$", reflect.ValueOf(w), func(path string, v reflect.Value) {
		if v.Kind() == reflect.String && strings.ContainsRune(v.String(), 0) {
			c.wrong(path, "the character U+0000 may stand in no text")
		}
	})
	for i := range w.Tenants {
		c.tenant(fmt.Sprintf("$.tenants[%d]", i), &w.Tenants[i])
	}
}

func extensionNames() string {
	var names []string
	for _, e := range identity.Extensions() {
		names = append(names, string(e))
	}
	return strings.Join(names, ", ")
}

func (c *checker) tenant(path string, t *Tenant) {
	c.required(path+".name", t.Name)
	t.Domain = strings.ToLower(t.Domain)
	if c.required(path+".domain", t.Domain) && !domainName.MatchString(t.Domain) {
		c.wrong(path+".domain", "%q is not a domain name, such as contoso.example", t.Domain)
	} else if t.Domain == "v1.0" { // as the first segment of a path it is a version of the API
		c.wrong(path+".domain", "%q is a version of the API; choose another domain", t.Domain)
	}
	c.unique(path+".domain", "domain", t.Domain)
	c.id(path+".id", "tenant", &t.ID, "tenant", t.Domain)
	if a := t.AudioConferencing; a != nil {
		at := path + ".audioConferencing.tollNumber"
		if _, named := a.given["tollNumber"]; named || a.given == nil {
			c.required(at, a.TollNumber)
		} else {
			c.warnings = append(c.warnings, c.at(at)+"it is not given, so the directory must have it already")
		}
		c.telephone(at, a.TollNumber)
		c.telephone(path+".audioConferencing.tollFreeNumber", a.TollFreeNumber)
		for i, n := range a.TollNumbers {
			c.telephone(fmt.Sprintf("%s.audioConferencing.tollNumbers[%d]", path, i), n)
		}
		for i, n := range a.TollFreeNumbers {
			c.telephone(fmt.Sprintf("%s.audioConferencing.tollFreeNumbers[%d]", path, i), n)
		}
	}
	for i, name := range t.Extensions {
		at := fmt.Sprintf("%s.extensions[%d]", path, i)
		if !slices.Contains(identity.Extensions(), identity.Extension(name)) {
			c.wrong(at, "there is no extension %q; there are %s", name, extensionNames())
		}
		c.unique(at, "extension of "+t.Domain, name)
	}
	for i := range t.Users {
		c.user(fmt.Sprintf("%s.users[%d]", path, i), t, &t.Users[i])
	}
	for i := range t.Groups {
		p, g := fmt.Sprintf("%s.groups[%d]", path, i), &t.Groups[i]
		c.required(p+".name", g.Name)
		c.unique(p+".name", "group of "+t.Domain, strings.ToLower(g.Name))
		c.id(p+".id", "group", &g.ID, "group", t.Domain, g.Name)
		for j, m := range g.Members {
			if t.findUser(m) == nil {
				c.wrong(fmt.Sprintf("%s.members[%d]", p, j), "there is no user %q in this tenant", m)
			}
		}
	}
	for i := range t.Apps {
		c.app(fmt.Sprintf("%s.apps[%d]", path, i), t, &t.Apps[i])
	}
	for i := range t.Policies {
		c.policy(fmt.Sprintf("%s.applicationAccessPolicies[%d]", path, i), t, &t.Policies[i])
	}
}

func (c *checker) user(path string, t *Tenant, u *User) {
	c.required(path+".upn", u.UPN)
	name, domain, hasDomain := strings.Cut(u.UPN, "@")
	if !hasDomain {
		u.UPN = name + "@" + t.Domain
	} else if !strings.EqualFold(domain, t.Domain) {
		c.wrong(path+".upn", "%q is not in the domain %s of the tenant", u.UPN, t.Domain)
	}
	if name != "" && !userName.MatchString(name) {
		c.wrong(path+".upn", "%q is not a user name: letters, digits and . _ - + # ~ ! ^ may stand before the @", name)
	}
	c.unique(path+".upn", "user", strings.ToLower(u.UPN))
	c.id(path+".id", "user", &u.ID, "user", strings.ToLower(u.UPN))
	if u.DisplayName == "" {
		u.DisplayName = name
	}
	if u.Mail == "" {
		u.Mail = u.UPN
	}
}

func (c *checker) app(path string, t *Tenant, a *App) {
	c.required(path+".name", a.Name)
	c.unique(path+".name", "app of "+t.Domain, strings.ToLower(a.Name))
	c.id(path+".id", "app", &a.ID, "app", t.Domain, a.Name)
	if a.Public && a.Secret != "" {
		c.wrong(path+".secret", "a public app cannot keep a secret; leave out one of public and secret")
	}
	if !a.Public && a.Secret == "" {
		_, named := a.given["secret"]
		if a.given == nil || named {
			c.wrong(path, needsSecret)
		} else {
			c.warnings = append(c.warnings, c.at(path)+"neither a secret nor public: true is given, so the directory must have the app already")
		}
	}
	if a.Public && len(a.ApplicationPermissions) > 0 {
		c.wrong(path+".applicationPermissions", "a public app cannot have application permissions, since it has no secret to prove itself with")
	}
	c.redirects(path, a)
	c.permissions(path+".applicationPermissions", a.ApplicationPermissions, application)
	c.permissions(path+".delegatedPermissions", a.DelegatedPermissions, delegated)
}

const needsSecret = "the app needs a secret, or public: true"

// redirects checks what a browser may be sent back to.
func (c *checker) redirects(path string, a *App) {
	for i, r := range a.RedirectURIs {
		u, err := url.Parse(strings.Replace(r, ":*", "", 1))
		web := err == nil && (u.Scheme == "https" || u.Scheme == "http" && isLocal(u.Hostname())) && u.Host != ""
		native := err == nil && strings.Contains(u.Scheme, ".") || err == nil && strings.HasPrefix(u.Scheme, "msal")
		if !web && !native || u.Fragment != "" {
			c.wrong(fmt.Sprintf("%s.redirectUris[%d]", path, i), "%q is not https://…, http://localhost… or the scheme of an installed app, such as com.example.app://…", r)
		}
	}
}

func isLocal(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

var (
	telephoneForm = regexp.MustCompile(`^\+?[0-9][0-9 ().-]{4,30}$`)
	domainName    = regexp.MustCompile(`^[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)+$`)
	userName      = regexp.MustCompile(`^[\pL\pN._+#~!^-]{1,64}$`)
)

// telephone checks a number that people and programs have to dial.
func (c *checker) telephone(path, number string) {
	if number != "" && !telephoneForm.MatchString(number) {
		c.wrong(path, "%q is not a telephone number, such as +1 206-555-0100", number)
	}
}

func (c *checker) policy(path string, t *Tenant, p *Policy) {
	c.required(path+".name", p.Name)
	c.unique(path+".name", "policy of "+t.Domain, strings.ToLower(p.Name))
	if strings.EqualFold(p.Name, "global") {
		c.wrong(path+".name", "Global stands for what is granted to the whole tenant; choose another name")
	}
	for i, name := range p.Apps {
		if t.findApp(name) == nil && !identity.IsGUID(name) {
			c.wrong(fmt.Sprintf("%s.apps[%d]", path, i), "there is no app %q in this tenant; name one of it, or give an application id", name)
		}
	}
	if p.GrantedTo.Tenant {
		c.unique(path+".grantedTo.tenant", "grant to the whole tenant", t.Domain)
	}
	for i, name := range p.GrantedTo.Users {
		at := fmt.Sprintf("%s.grantedTo.users[%d]", path, i)
		u := t.findUser(name)
		if u == nil {
			c.wrong(at, "there is no user %q in this tenant", name)
			continue
		}
		c.unique(at, "grant to the user", u.ID)
	}
	for i, g := range p.GrantedTo.Groups {
		at := fmt.Sprintf("%s.grantedTo.groups[%d]", path, i)
		group := t.findGroup(g.Name)
		if group == nil {
			c.wrong(at+".name", "there is no group %q in this tenant", g.Name)
			continue
		}
		if _, fraction := c.find(at + ".rank").(*ast.FloatNode); fraction || g.Rank < 1 {
			c.wrong(at+".rank", "a rank is a whole number of 1 or more")
		} else if first, taken := c.ranks[rankKey{t.Domain, g.Rank}]; taken {
			c.warnings = append(c.warnings, c.at(at+".rank")+fmt.Sprintf("%s has rank %d too: for a member of both groups the one with the smaller id counts", first, g.Rank))
		} else {
			c.ranks[rankKey{t.Domain, g.Rank}] = strings.TrimPrefix(at, "$.")
		}
		c.unique(at+".name", "grant to the group", group.ID)
	}
}

func (c *checker) required(path, value string) bool {
	if strings.TrimSpace(value) == "" {
		c.wrong(path, "is required")
		return false
	}
	return true
}

func (c *checker) unique(path, kind, value string) {
	if value == "" {
		return
	}
	key := kind + "\x00" + value
	if first, taken := c.ids[key]; taken {
		c.wrong(path, "%s %q is given twice, first at %s", kind, value, first)
		return
	}
	c.ids[key] = strings.TrimPrefix(path, "$.")
}

// id checks an id, or derives it from names.
func (c *checker) id(path, kind string, id *string, names ...string) {
	if *id == "" {
		*id = derivedID(names...)
	}
	*id = strings.ToLower(*id)
	if !identity.IsGUID(*id) {
		c.wrong(path, "%q is not a GUID, such as c0ffee00-0001-4a00-8000-000000000001", *id)
	}
	c.unique(path, kind+" id", *id)
}

// derivedID makes a version 8 GUID (RFC 9562, section 5.8) of names.
func derivedID(names ...string) string {
	sum := sha256.Sum256([]byte("convene:" + strings.Join(names, "\x00")))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (t *Tenant) findUser(name string) *User {
	for i := range t.Users {
		u := &t.Users[i]
		if strings.EqualFold(u.ID, name) || strings.EqualFold(u.UPN, name) || strings.EqualFold(u.UPN, name+"@"+t.Domain) {
			return u
		}
	}
	return nil
}

func (t *Tenant) findGroup(name string) *Group {
	for i := range t.Groups {
		if g := &t.Groups[i]; strings.EqualFold(g.ID, name) || strings.EqualFold(g.Name, name) {
			return g
		}
	}
	return nil
}

func (t *Tenant) findApp(name string) *App {
	for i := range t.Apps {
		if a := &t.Apps[i]; strings.EqualFold(a.ID, name) || strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

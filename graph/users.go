package graph

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-meet/convene/identity"
)

const typeUser = "user"

// getUserOp is who may read a user (permissions of the page "Get a user").
var getUserOp = &identity.Operation{
	Name:        "user: get",
	Delegated:   []string{"User.Read", "User.ReadBasic.All", "User.Read.All"},
	Others:      []string{"User.ReadBasic.All", "User.Read.All"},
	Application: []string{"User.Read.All"},
}

// listUsersOp is who may list users (permissions of the page "List users").
var listUsersOp = &identity.Operation{
	Name:        "user: list",
	Delegated:   []string{"User.ReadBasic.All", "User.Read.All"},
	Application: []string{"User.Read.All"},
}

// getUser serves GET /me and GET /users/{id or UPN}.
func (h *Handler) getUser(c *call, b []byte) (result, error) {
	user, err := h.Identity.ReadUser(c.Context(), c.caller, getUserOp, c.route.user)
	if err != nil {
		return result{}, directoryError(err, c.route.user)
	}
	level, err := accepted(c.Header["Accept"])
	if err != nil {
		return result{}, err
	}
	o, err := parseUserOptions(c.URL.RawQuery, c.route.version, userOptionSet)
	if err != nil {
		return result{}, err
	}
	a := userAnswer{c.site, c.route.version, level, o}
	return result{status: http.StatusOK, body: a.append(b, user, "/$entity"), level: level}, nil
}

// listUsers serves GET /users: the users of the caller's own tenant, in pages.
func (h *Handler) listUsers(c *call, b []byte) (result, error) {
	if _, err := h.Identity.MayRead(c.caller, listUsersOp); err != nil {
		return result{}, directoryError(err, "")
	}
	level, err := accepted(c.Header["Accept"])
	if err != nil {
		return result{}, err
	}
	o, err := parseUserOptions(c.URL.RawQuery, c.route.version, usersOptions)
	if err != nil {
		return result{}, err
	}
	q := o.query
	if o.paged {
		if q.After, err = readUserToken(o.skipToken, c.caller.Tenant); err != nil {
			return result{}, err
		}
	}
	page, err := h.Identity.ReadUsers(c.Context(), c.caller, listUsersOp, q)
	if err != nil {
		return result{}, directoryError(err, "")
	}
	next := ""
	if page.More {
		next = nextLink(c, userToken(page.Users[len(page.Users)-1].ID, c.caller.Tenant))
	}
	a := userAnswer{c.site, c.route.version, level, o}
	return result{status: http.StatusOK, body: a.appendPage(b, page, next), level: level}, nil
}

// directoryError gives refusals the codes that Graph's directory has for them.
func directoryError(err error, subject string) error {
	e, ok := errors.AsType[*identity.DeniedError](err)
	if !ok {
		return err
	}
	switch e.Reason {
	case identity.MissingPermission:
		return &Error{Code: codeRequestDenied, Message: e.Message, cause: err}
	case identity.UnknownUser:
		return &Error{Code: codeResourceNotFound, cause: err, Message: "Resource '" + quotable(subject) + "' does not exist or one of its queried reference-property objects are not present."}
	}
	return err
}

// userOptions are the query options of users.
type userOptions struct {
	members   []property // in the order of $select; all of the type without one
	selected  bool
	query     identity.UserQuery
	count     bool
	skipToken string
	paged     bool // $skiptoken was given
}

// How many users a page has when $top does not say, and at most.
const (
	defaultUsers = 100
	maxUsers     = 999
)

var (
	userOptionSet = &optionSet{kind: typeUser, names: []string{"$select"}, whatAbout: "An answer of one user"}
	usersOptions  = &optionSet{kind: typeUser, names: []string{"$select", "$filter", "$top", "$count", "$skiptoken"}, whatAbout: "A list of users"}
)

// parseUserOptions reads the options of an operation that has this set.
func parseUserOptions(rawQuery string, v Version, set *optionSet) (userOptions, error) {
	o := userOptions{members: schema[typeUser], query: identity.UserQuery{Limit: defaultUsers}}
	given, err := set.given(rawQuery)
	if err != nil {
		return o, err
	}
	if text, ok := given["$select"]; ok {
		if err := o.selectMembers(text, v); err != nil {
			return o, err
		}
	}
	if text, ok := given["$filter"]; ok {
		f, err := parseFilter(text)
		if err != nil {
			return o, err
		}
		path, value, err := f.equality(typeUser, v, "id", "mail", "userPrincipalName")
		if err != nil {
			return o, err
		}
		switch path {
		case "id":
			o.query.ID = &value
		case "mail":
			o.query.Mail = &value
		default:
			o.query.Name = &value
		}
	}
	if text, ok := given["$top"]; ok {
		o.query.Limit, err = strconv.Atoi(text)
		if err != nil || o.query.Limit < 1 || o.query.Limit > maxUsers {
			return o, invalid("$top", "Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", quotable(text), maxUsers)
		}
	}
	if text, ok := given["$count"]; ok {
		if o.count = strings.EqualFold(text, "true"); !o.count && !strings.EqualFold(text, "false") {
			return o, invalid("$count", "Invalid value '%s' for the query option '$count'. It is true or false.", quotable(text))
		}
	}
	o.skipToken, o.paged = given["$skiptoken"]
	return o, nil
}

// selectMembers reads $select. Users have no member with anything below it.
func (o *userOptions) selectMembers(text string, v Version) error {
	var picked []property
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "*" {
			return nil
		}
		p, ok := findProperty(typeUser, name, v)
		if !ok {
			return invalid("$select", "Could not find a property named '%s' on type 'microsoft.graph.user'. $select takes names of properties, separated by commas.", quotable(name))
		}
		if !slices.Contains(picked, p) {
			picked = append(picked, p)
		}
	}
	o.members, o.selected = picked, true
	return nil
}

// A userAnswer is everything but the users that the JSON of users depends on.
type userAnswer struct {
	site    *Site
	version Version
	level   metadata
	options userOptions
}

// append appends one user with its context.
func (a *userAnswer) append(b []byte, u *identity.User, entity string) []byte {
	o := object{b: append(b, '{')}
	a.context(&o, entity)
	a.members(&o, u)
	o.close()
	return o.b
}

// appendPage appends a list of users. Count and nextLink are there at every
// level of metadata.
func (a *userAnswer) appendPage(b []byte, page identity.UserPage, next string) []byte {
	o := object{b: append(b, '{')}
	a.context(&o, "")
	if a.options.count {
		o.raw("@odata.count", strconv.Itoa(page.Total))
	}
	if next != "" {
		o.text("@odata.nextLink", &next)
	}
	o.b = append(o.b, `"value":[`...)
	for i, u := range page.Users {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = append(o.b, '{')
		a.members(&o, u)
		o.close()
	}
	return append(o.b, `]}`...)
}

func (a *userAnswer) context(o *object, entity string) {
	if a.level == metadataNone {
		return
	}
	names := ""
	if a.options.selected {
		names = "(" + a.selectedNames() + ")"
	}
	o.word("@odata.context", a.site.Origin+"/"+string(a.version)+"/$metadata#users"+names+entity)
}

func (a *userAnswer) selectedNames() string {
	names := make([]string, len(a.options.members))
	for i, p := range a.options.members {
		names[i] = p.name
	}
	return strings.Join(names, ",")
}

func (a *userAnswer) members(o *object, u *identity.User) {
	if a.level == metadataFull {
		url := a.site.Origin + "/" + string(a.version) + "/users('" + u.ID + "')"
		o.word("@odata.type", "#microsoft.graph.user")
		o.word("@odata.id", url)
		o.word("@odata.editLink", url)
		if !a.options.selected {
			o.word("onlineMeetings@odata.navigationLink", url+"/onlineMeetings")
		}
	}
	for _, p := range a.options.members {
		value := ""
		switch p.name {
		case "businessPhones": // the directory has no telephones
			if a.level == metadataFull {
				o.word("businessPhones@odata.type", "#Collection(String)")
			}
			o.raw(p.name, "[]")
			continue
		case "displayName":
			value = u.DisplayName
		case "givenName":
			value = u.GivenName
		case "jobTitle":
			value = u.JobTitle
		case "mail":
			value = u.Mail
		case "officeLocation":
			value = u.OfficeLocation
		case "preferredLanguage":
			value = u.PreferredLanguage
		case "surname":
			value = u.Surname
		case "userPrincipalName":
			value = u.UPN
		case "id":
			value = u.ID
		}
		if value == "" {
			o.raw(p.name, "null")
		} else {
			o.text(p.name, &value)
		}
	}
}

// userToken says where a list of users goes on: behind an id, as the directory
// orders them.
func userToken(id, tenant string) string { return pageToken("users\x00"+tenant, strings.ToLower(id)) }

func readUserToken(token, tenant string) (id string, err error) {
	parts, err := readPageToken("users\x00"+tenant, token, 1)
	if err != nil {
		return "", err
	}
	return parts[0], nil
}

package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Operation is something callers may do, and the permissions of which one is
// needed, least privileged first (the table "Permissions" of each Graph page).
type Operation struct {
	Name        string
	Delegated   []string
	Application []string
	// Others are the delegated permissions of which one is needed to read
	// somebody else ([Service.ReadUser]).
	Others []string
	// ByPolicy says that an application also needs an application access policy
	// of the user for whom it acts.
	ByPolicy bool
	// ForTenant says that the operation takes place for no user, but for an
	// application in its whole tenant.
	ForTenant bool
}

// An Organizer is the user for whom an operation takes place; of an operation
// for the tenant, User is nil.
type Organizer struct {
	User   *User
	Tenant *Tenant
}

// A Reason is why an operation is denied.
type Reason int

// The reasons, in the order in which they are looked for.
const (
	MeWithoutUser     Reason = iota + 1 // an application on /me
	MissingPermission                   // no scope or role of the operation
	UnknownUser                         // the user in the path is not in the tenant
	OtherUser                           // a signed-in user for somebody else
	DisabledUser                        // the account is disabled
	MissingPolicy                       // no application access policy for this app
)

// A DeniedError is an operation that the caller may not do. Message begins with
// the text that Graph uses, where one is known.
type DeniedError struct {
	Reason  Reason
	Message string
}

func (e *DeniedError) Error() string { return e.Message }

func denied(r Reason, format string, args ...any) error {
	return &DeniedError{r, fmt.Sprintf(format, args...)}
}

// A Service authenticates and authorizes. What it remembers is exact: every
// answer from memory was given under the generation that the store still has.
type Service struct {
	Store Store
	Keys  *Keys
	Now   func() time.Time
	// TimeOf is what time it is for a tenant, by which its policies count, and
	// TokenTimeOf the time by which its access tokens end. Nil: Now.
	TimeOf, TokenTimeOf func(tenant string) time.Time
	// NamesInPaths lets applications name users by UPN in paths, which the real
	// service refuses, in every tenant: see the [Extension] of that name.
	NamesInPaths bool

	once     sync.Once
	sessions *lru[sessionKey, session]
	verdicts *lru[verdictKey, verdict]

	mu       sync.Mutex
	policies map[string]*tenantPolicies // by tenant
}

type sessionKey struct {
	token [sha256.Size]byte
	realm *Realm
}

type session struct {
	generation int64
	caller     *Caller
	notBefore  time.Time
}

func (s *session) rulesAt(now time.Time) bool {
	return now.Before(s.caller.Expires) && !now.Add(clockSkew).Before(s.notBefore)
}

type verdictKey struct {
	caller  [sha256.Size]byte // of what the verdict rests on
	op      string
	subject string
}

type verdict struct {
	generation int64
	span       span
	organizer  *Organizer
	err        error
}

// A span is how long something rules: from since on, and before until. Zero:
// always.
type span struct{ since, until time.Time }

func (s *span) has(t time.Time) bool {
	return (s.until.IsZero() || t.Before(s.until)) && (s.since.IsZero() || !t.Before(s.since))
}

// bound ends the span where something changes at t.
func (s *span) bound(t, now time.Time) {
	switch {
	case !t.After(now):
		if t.After(s.since) {
			s.since = t
		}
	case s.until.IsZero() || t.Before(s.until):
		s.until = t
	}
}

// How much is remembered: about 1 KiB a session and 200 bytes a verdict.
const (
	maxSessions = 8192
	maxVerdicts = 16384
	maxTenants  = 256
)

func (s *Service) init() {
	s.sessions = newLRU[sessionKey, session](maxSessions)
	s.verdicts = newLRU[verdictKey, verdict](maxVerdicts)
	s.policies = map[string]*tenantPolicies{}
}

// time is what time it is for a tenant.
func (s *Service) time(tenant string) time.Time {
	if s.TimeOf == nil {
		return s.Now()
	}
	return s.TimeOf(tenant)
}

// tokenTime is the time by which a tenant's tokens end.
func (s *Service) tokenTime(tenant string) time.Time {
	if s.TokenTimeOf == nil {
		return s.Now()
	}
	return s.TokenTimeOf(tenant)
}

// Authenticate says who sent an access token. A token seen before is answered
// from memory, without a signature check, as long as nothing in the directory,
// the policies or the keys was changed. Refused tokens are [TokenError]s.
func (s *Service) Authenticate(ctx context.Context, token string, realm *Realm) (*Caller, error) {
	s.once.Do(s.init)
	if token == "" {
		return nil, badToken("Access token is empty. Send the header Authorization: Bearer {token}. If your client has a list of allowed hosts, this server's host must be in it: otherwise the token is left out.")
	}
	generation, err := s.Store.Generation(ctx)
	if err != nil {
		return nil, err
	}
	key := sessionKey{digest(token), realm}
	if known, ok := s.sessions.get(key); ok && known.generation == generation && known.rulesAt(s.tokenTime(known.caller.Tenant)) {
		return known.caller, nil
	}
	c, err := s.verify(ctx, token, realm)
	if err != nil {
		return nil, err
	}
	caller, err := s.caller(ctx, c)
	if err != nil {
		return nil, err
	}
	remembered := session{generation: generation, caller: caller}
	if c.NotBefore != nil {
		remembered.notBefore = time.Unix(*c.NotBefore, 0)
	}
	s.sessions.put(key, remembered)
	return caller, nil
}

// caller looks the parties of a verified token up in the directory.
func (s *Service) caller(ctx context.Context, c *claims) (*Caller, error) {
	dir := &Directory{s.Store, s.Now}
	caller := &Caller{Tenant: strings.ToLower(c.Tenant), App: strings.ToLower(c.App), Expires: time.Unix(*c.Expires, 0)}
	if caller.Tenant == PersonalTenant {
		return nil, &TokenError{Personal: true, Message: "Error authenticating with resource. Online meetings are not offered to personal Microsoft accounts; sign in with a work or school account."}
	}
	app, err := dir.App(ctx, caller.App)
	switch {
	case errors.Is(err, ErrUnknown):
		return nil, badToken("Access token validation failure. The application %s is not in the directory.", caller.App)
	case err != nil:
		return nil, err
	}
	var granted []string
	if c.Scopes != nil {
		caller.User = strings.ToLower(c.Object)
		caller.Permissions, granted = strings.Fields(*c.Scopes), app.DelegatedPermissions
		user, err := dir.UserByID(ctx, caller.Tenant, caller.User)
		switch {
		case errors.Is(err, ErrUnknown):
			return nil, badToken("Access token validation failure. The user %s is not in the tenant %s.", caller.User, caller.Tenant)
		case err != nil:
			return nil, err
		case user.Disabled:
			return nil, badToken("Access token validation failure. The account of %s is disabled.", user.UPN)
		}
	} else {
		caller.Permissions, granted = c.Roles, app.ApplicationPermissions
		if app.Tenant != caller.Tenant {
			return nil, badToken("Access token validation failure. The application %s is not in the tenant %s.", caller.App, caller.Tenant)
		}
	}
	caller.Permissions = slices.DeleteFunc(slices.Clone(caller.Permissions), func(p string) bool {
		return !slices.Contains(granted, p)
	})
	return caller, nil
}

// Authorize decides whether caller may do op for subject, and says who that is.
// An empty subject is /me; otherwise it is the user segment of the path.
// Refusals are [DeniedError]s.
func (s *Service) Authorize(ctx context.Context, caller *Caller, op *Operation, subject string) (*Organizer, error) {
	s.once.Do(s.init)
	generation, err := s.Store.Generation(ctx)
	if err != nil {
		return nil, err
	}
	key := verdictKey{caller.digest(), op.Name, subject}
	if v, ok := s.verdicts.get(key); ok && v.generation == generation && v.span.has(s.time(caller.Tenant)) {
		return v.organizer, v.err
	}
	v := verdict{generation: generation}
	v.organizer, v.err = s.decide(ctx, caller, op, subject, &v.span)
	if _, isDenial := errors.AsType[*DeniedError](v.err); v.err != nil && !isDenial {
		return nil, v.err
	}
	if len(subject) <= 256 {
		s.verdicts.put(key, v)
	}
	return v.organizer, v.err
}

// Organizer looks up who organizes a meeting. Whoever is no longer in the
// directory is known by the id alone.
func (s *Service) Organizer(ctx context.Context, tenant, user string) (*Organizer, error) {
	dir := &Directory{s.Store, s.Now}
	t, err := dir.Tenant(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("tenant %s of a meeting: %w", tenant, err)
	}
	u, err := dir.UserByID(ctx, tenant, user)
	if errors.Is(err, ErrUnknown) {
		u, err = &User{ID: user}, nil
	}
	return &Organizer{u, t}, err
}

// digest names everything in c that a verdict rests on.
func (c *Caller) digest() [sha256.Size]byte {
	var room [512]byte
	b := append(room[:0], c.Tenant...)
	b = append(append(b, 0), c.App...)
	b = append(append(b, 0), c.User...)
	for _, p := range c.Permissions {
		b = append(append(b, 0), p...)
	}
	return sha256.Sum256(b)
}

func (s *Service) decide(ctx context.Context, caller *Caller, op *Operation, subject string, rules *span) (*Organizer, error) {
	needed := op.Application
	if caller.Delegated() {
		needed = op.Delegated
	} else if subject == "" && !op.ForTenant {
		return nil, meWithoutUser()
	}
	if !caller.hasOneOf(needed) {
		return nil, s.missingPermission(caller, op, needed)
	}
	dir := &Directory{s.Store, s.Now}
	tenant, err := dir.Tenant(ctx, caller.Tenant)
	if err != nil {
		return nil, fmt.Errorf("tenant %s of a verified token: %w", caller.Tenant, err)
	}
	if op.ForTenant {
		return &Organizer{nil, tenant}, nil
	}
	user, err := s.subject(ctx, dir, caller, tenant, subject)
	if err != nil {
		return nil, err
	}
	if caller.Delegated() {
		if user.ID != caller.User {
			return nil, denied(OtherUser, "The signed-in user may not do %s for another user (%s). Use /me, or an application token with an application access policy.", op.Name, user.UPN)
		}
		return &Organizer{user, tenant}, nil
	}
	if user.Disabled {
		return nil, denied(DisabledUser, "The account of %s is disabled, so nobody may act for it.", user.UPN)
	}
	if op.ByPolicy {
		if err := s.checkPolicy(ctx, dir, caller, user, rules); err != nil {
			return nil, err
		}
	}
	return &Organizer{user, tenant}, nil
}

func meWithoutUser() error {
	return denied(MeWithoutUser, "/me request is only valid with delegated authentication flow. Use /users/{id} with an application token.")
}

func (s *Service) missingPermission(caller *Caller, op *Operation, needed []string) error {
	has := "none"
	if len(caller.Permissions) > 0 {
		has = strings.Join(caller.Permissions, ", ")
	}
	if len(needed) == 0 {
		return denied(MissingPermission, "Insufficient privileges to complete the operation. %s cannot be called with this kind of token.", op.Name)
	}
	kind := "application permission (role)"
	if caller.Delegated() {
		kind = "delegated permission (scope)"
	}
	return denied(MissingPermission, "Insufficient privileges to complete the operation. %s needs the %s %s; the token of application %s has %s.",
		op.Name, kind, strings.Join(needed, " or "), caller.App, has)
}

func (s *Service) subject(ctx context.Context, dir *Directory, caller *Caller, tenant *Tenant, subject string) (*User, error) {
	if subject == "" {
		return known(caller, subject)(dir.UserByID(ctx, caller.Tenant, caller.User))
	}
	user, err := dir.UserByID(ctx, caller.Tenant, subject)
	if !errors.Is(err, ErrUnknown) || !strings.Contains(subject, "@") {
		return known(caller, subject)(user, err)
	}
	if !caller.Delegated() && !s.NamesInPaths && !tenant.Has(NamesInPaths) {
		return nil, denied(UnknownUser, "User %q was not found: an application names users by object id, not by user principal name.", subject)
	}
	return known(caller, subject)(dir.User(ctx, caller.Tenant, subject))
}

// known words the refusal of a user who is not there.
func known(caller *Caller, subject string) func(*User, error) (*User, error) {
	return func(u *User, err error) (*User, error) {
		if errors.Is(err, ErrUnknown) {
			return nil, denied(UnknownUser, "User %q was not found in tenant %s.", subject, caller.Tenant)
		}
		return u, err
	}
}

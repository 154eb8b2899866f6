package devlogin

import (
	"context"
	"crypto/rand"
	"runtime"
	"strings"
	"sync"

	"github.com/convene-meet/convene/identity"
)

// signIn finds the user who knows a password. What it refuses it refuses with
// the same work, so that time does not tell which of the two was wrong.
func (p *Provider) signIn(ctx context.Context, a authority, name, password string) (*identity.User, error) {
	user, err := p.userNamed(ctx, a, name)
	if err != nil && !absent(err) {
		return nil, outage(err)
	}
	known := err == nil
	if err := p.passwords.enter(ctx); err != nil {
		return nil, err
	}
	right := passwordOf(user).Matches(password)
	p.passwords.leave()
	switch {
	case !known:
		return nil, refuse("invalid_grant", 50034, "The user account %q does not exist %s. Check the user name: it is like an e-mail address.", shorten(name), a.place())
	case !right:
		return nil, refuse("invalid_grant", 50126, "The user name or the password is wrong.")
	}
	return user, admissible(a, user)
}

// admissible refuses users who may not sign in, or not here.
func admissible(a authority, user *identity.User) error {
	if !a.admits(user.Tenant) {
		return refuse("invalid_grant", 50020, "The user account %q is of the tenant %s and cannot sign in %s. Use another account, or the authority of that tenant.", user.UPN, user.Tenant, a.place())
	}
	if user.Disabled {
		return disabled(user)
	}
	return nil
}

func disabled(user *identity.User) error {
	return refuse("invalid_grant", 50057, "The user account %q is disabled.", user.UPN)
}

// place says for messages where a user is looked for.
func (a authority) place() string {
	switch a {
	case common:
		return "in any directory"
	case organizations:
		return "with a work or school account"
	case consumers:
		return "with a personal account"
	}
	return "in the tenant " + string(a)
}

// userNamed finds a user by principal name: in the authority's one tenant, or
// in the tenant that owns the name's domain.
func (p *Provider) userNamed(ctx context.Context, a authority, name string) (*identity.User, error) {
	if !strings.Contains(name, "@") {
		return nil, identity.ErrUnknown // an object id is no name to sign in with
	}
	if tenant, ok := a.single(); ok {
		user, err := p.Directory.User(ctx, tenant, name)
		if err == nil || !absent(err) {
			return user, err
		}
	}
	return p.Directory.UserByName(ctx, name)
}

// anyUser finds a user of any tenant by object id or principal name, first in
// the tenant given.
func (p *Provider) anyUser(ctx context.Context, tenant, idOrName string) (*identity.User, error) {
	user, err := p.Directory.User(ctx, tenant, idOrName)
	if absent(err) && strings.Contains(idOrName, "@") {
		user, err = p.Directory.UserByName(ctx, idOrName)
	} else if absent(err) {
		user, err = p.userByID(ctx, idOrName)
	}
	if absent(err) {
		return nil, refuse("invalid_grant", 50034, "The user account %q does not exist in any directory.", shorten(idOrName))
	} else if err != nil {
		return nil, outage(err)
	}
	return user, nil
}

func (p *Provider) userByID(ctx context.Context, id string) (*identity.User, error) {
	tenants, err := p.Directory.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants {
		if user, err := p.Directory.UserByID(ctx, t.ID, id); !absent(err) {
			return user, err
		}
	}
	return nil, identity.ErrUnknown
}

// nobody is a password that nobody has, as expensive to check as any other.
var nobody = sync.OnceValue(func() identity.Hash { return identity.HashPassword(rand.Text()) })

// passwordOf is what a password is compared with, for no user as well.
func passwordOf(user *identity.User) identity.Hash {
	if user == nil || user.Password.Rounds < 1 {
		return nobody()
	}
	return user.Password
}

// A gate lets few password checks through at a time: each keeps a core busy for
// some 30 ms, and the machine has more to do.
type gate struct {
	queue, slots chan struct{}
}

const maxWaiting = 64

func newGate() *gate {
	return &gate{
		queue: make(chan struct{}, maxWaiting),
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// enter waits for a turn, unless too many wait already. Who has entered leaves.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.queue <- struct{}{}:
	default:
		return refuse("temporarily_unavailable", 90055, "Too many people are signing in at the moment. Try again in a few seconds.")
	}
	defer func() { <-g.queue }()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) leave() { <-g.slots }

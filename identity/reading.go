package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// readBasic shows names and addresses of users and no more.
const readBasic = "User.ReadBasic.All"

// ReadUser decides whether caller may read a user by op, and returns what the
// caller may see of it. An empty subject is /me; otherwise it is an object id or
// a user principal name. Reading is not acting: no policy is asked for, and a
// disabled account can be read. Refusals are [DeniedError]s: somebody who may
// not read others is not told which of them exist.
func (s *Service) ReadUser(ctx context.Context, caller *Caller, op *Operation, subject string) (*User, error) {
	needed := op.Application
	if caller.Delegated() {
		needed = op.Delegated
	} else if subject == "" {
		return nil, meWithoutUser()
	}
	if !caller.hasOneOf(needed) {
		return nil, s.missingPermission(caller, op, needed)
	}
	dir := &Directory{s.Store, s.Now}
	var user *User
	var err error
	if subject == "" {
		user, err = dir.UserByID(ctx, caller.Tenant, caller.User)
	} else {
		user, err = dir.User(ctx, caller.Tenant, subject)
	}
	if err != nil && !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	if caller.Delegated() && (user == nil || user.ID != caller.User) {
		if needed = op.Others; !caller.hasOneOf(needed) {
			return nil, s.missingPermission(caller, op, needed)
		}
	}
	user, err = known(caller, subject)(user, err)
	if err != nil {
		return nil, err
	}
	return user.seenBy(caller, needed), nil
}

// A UserPage is some of the users that a caller may see, ordered by id.
type UserPage struct {
	Users []*User
	More  bool // there are users after the last one
	Total int  // of all pages
}

// A UserQuery says which users are wanted. Of ID, Mail and Name at most one is
// given; without any, all users are wanted. They are compared without regard to
// case.
type UserQuery struct {
	ID, Mail, Name *string
	After          string // the id behind which the page begins
	Limit          int    // how many users the page has at most
}

// ReadUsers decides whether caller may list the users of the own tenant by op,
// and returns a page of them. Refusals are [DeniedError]s.
func (s *Service) ReadUsers(ctx context.Context, caller *Caller, op *Operation, q UserQuery) (UserPage, error) {
	needed, err := s.MayRead(caller, op)
	if err != nil {
		return UserPage{}, err
	}
	dir := &Directory{s.Store, s.Now}
	var page UserPage
	switch {
	case q.ID != nil:
		page, err = onePage(q, func() (*User, error) { return dir.UserByID(ctx, caller.Tenant, *q.ID) })
	case q.Name != nil:
		page, err = onePage(q, func() (*User, error) {
			u, err := dir.User(ctx, caller.Tenant, *q.Name)
			if err == nil && !strings.EqualFold(u.UPN, *q.Name) {
				return nil, ErrUnknown // it is somebody's id
			}
			return u, err
		})
	case q.Mail != nil:
		page, err = dir.usersByMail(ctx, caller.Tenant, q)
	default:
		page, err = dir.users(ctx, caller.Tenant, q)
	}
	for i, u := range page.Users {
		page.Users[i] = u.seenBy(caller, needed)
	}
	return page, err
}

// MayRead decides whether caller has a permission that op needs, and returns
// those that op takes.
func (s *Service) MayRead(caller *Caller, op *Operation) (needed []string, err error) {
	needed = op.Application
	if caller.Delegated() {
		needed = op.Delegated
	}
	if !caller.hasOneOf(needed) {
		return nil, s.missingPermission(caller, op, needed)
	}
	return needed, nil
}

func (c *Caller) hasOneOf(needed []string) bool {
	return slices.ContainsFunc(needed, func(p string) bool { return slices.Contains(c.Permissions, p) })
}

// seenBy is what a caller sees of u by the permissions that an operation takes:
// without any but User.ReadBasic.All, name and address alone.
func (u *User) seenBy(caller *Caller, taken []string) *User {
	if slices.ContainsFunc(taken, func(p string) bool { return p != readBasic && slices.Contains(caller.Permissions, p) }) {
		return u
	}
	return &User{Tenant: u.Tenant, ID: u.ID, UPN: u.UPN, DisplayName: u.DisplayName, GivenName: u.GivenName, Surname: u.Surname, Mail: u.Mail}
}

// onePage is the page of a query that finds one user or none.
func onePage(q UserQuery, find func() (*User, error)) (UserPage, error) {
	u, err := find()
	if errors.Is(err, ErrUnknown) {
		return UserPage{}, nil
	}
	if err != nil {
		return UserPage{}, err
	}
	return pageOf([]*User{u}, q), nil
}

// pageOf cuts a page out of users, which are ordered by id.
func pageOf(all []*User, q UserQuery) UserPage {
	page := UserPage{Total: len(all)}
	for _, u := range all {
		if strings.ToLower(u.ID) <= q.After {
			continue
		}
		if len(page.Users) == q.Limit {
			page.More = true
			break
		}
		page.Users = append(page.Users, u)
	}
	return page
}

// users reads a page of a tenant's users, and decodes no others.
func (d *Directory) users(ctx context.Context, tenant string, q UserQuery) (UserPage, error) {
	records, err := d.Store.Records(ctx, KindUser, tenant, d.Now())
	if err != nil {
		return UserPage{}, err
	}
	page := UserPage{Total: len(records)}
	begin, _ := slices.BinarySearchFunc(records, q.After, func(r Record, after string) int {
		if r.ID <= after {
			return -1
		}
		return 1
	})
	records = records[begin:]
	if len(records) > q.Limit {
		records, page.More = records[:q.Limit], true
	}
	for _, r := range records {
		u, err := decode[User](r, nil)
		if err != nil {
			return UserPage{}, err
		}
		page.Users = append(page.Users, u)
	}
	return page, nil
}

func (d *Directory) usersByMail(ctx context.Context, tenant string, q UserQuery) (UserPage, error) {
	all, err := list[User](ctx, d, KindUser, tenant)
	if err != nil {
		return UserPage{}, err
	}
	all = slices.DeleteFunc(all, func(u *User) bool { return u.Mail == "" || !strings.EqualFold(u.Mail, *q.Mail) })
	return pageOf(all, q), nil
}

package identity

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// PersonalTenant is the tenant of personal Microsoft accounts.
const PersonalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// A Tenant is an organisation with a directory of its own.
type Tenant struct {
	ID     string
	Name   string
	Domain string
	// AudioConferencing is nil where the tenant has no dial-in.
	AudioConferencing *AudioConferencing `json:",omitempty"`
	// VideoInterop says whether meetings get a videoTeleconferenceId.
	VideoInterop bool `json:",omitempty"`
	// Extensions are what this tenant has beyond the real service.
	Extensions []Extension `json:",omitempty"`
}

// An Extension is a named switch, off where a tenant does not have it: with all
// of them off the API is as Graph documents it.
type Extension string

// The extensions.
const (
	// ListMeetings lists a user's meetings: GET {root}/onlineMeetings without a
	// search.
	ListMeetings Extension = "listMeetings"
	// CreateOrGetOptions has createOrGet apply lobby, presenter and other options
	// when it makes a meeting.
	CreateOrGetOptions Extension = "createOrGetOptions"
	// FindAsAttendee lets attendees find a meeting by its link or number.
	FindAsAttendee Extension = "findAsAttendee"
	// IgnoredMembers has answers of createOrGet name the members of the request
	// that were ignored.
	IgnoredMembers Extension = "ignoredMembers"
	// NamesInPaths lets applications name users by principal name in paths.
	NamesInPaths Extension = "namesInPaths"
)

// Extensions lists every extension.
func Extensions() []Extension {
	return []Extension{ListMeetings, CreateOrGetOptions, FindAsAttendee, IgnoredMembers, NamesInPaths}
}

// Has reports whether the tenant has an extension.
func (t *Tenant) Has(e Extension) bool { return slices.Contains(t.Extensions, e) }

// Personal reports whether t holds personal accounts.
func (t *Tenant) Personal() bool { return t.ID == PersonalTenant }

// AudioConferencing is what a tenant offers to callers by telephone.
type AudioConferencing struct {
	TollNumber      string
	TollFreeNumber  string   `json:",omitempty"`
	TollNumbers     []string `json:",omitempty"` // further ones, TollNumber left out
	TollFreeNumbers []string `json:",omitempty"`
}

// A User is a person in a tenant's directory.
type User struct {
	Tenant            string
	ID                string
	UPN               string
	DisplayName       string
	GivenName         string `json:",omitempty"`
	Surname           string `json:",omitempty"`
	Mail              string `json:",omitempty"`
	JobTitle          string `json:",omitempty"`
	OfficeLocation    string `json:",omitempty"`
	PreferredLanguage string `json:",omitempty"`
	Password          Hash   `json:",omitzero"`
	Disabled          bool   `json:",omitempty"`
}

// A Group is a set of users, for grants of policies.
type Group struct {
	Tenant  string
	ID      string
	Name    string
	Members []string // object ids of users
}

// An App is an application that may ask for tokens.
type App struct {
	ID       string
	Tenant   string
	ObjectID string // of its service principal: the oid of application tokens
	Name     string
	// Public marks an application that cannot keep a secret. It may use the
	// code grant with PKCE, the device code and the password grant.
	Public       bool     `json:",omitempty"`
	Secrets      []Hash   `json:",omitempty"`
	RedirectURIs []string `json:",omitempty"`

	ApplicationPermissions []string `json:",omitempty"`
	DelegatedPermissions   []string `json:",omitempty"`
}

// A Hash is a secret that can be compared and not read.
type Hash struct {
	Salt   []byte
	Sum    []byte
	Rounds int
}

// Rounds of PBKDF2-HMAC-SHA-256. A client secret is made by a machine and long,
// and is checked with every token request, so that one round serves; a password
// is made by a person.
const (
	passwordRounds = 120_000
	secretRounds   = 1
)

// HashPassword hashes a password of a person.
func HashPassword(password string) Hash { return newHash(password, passwordRounds) }

// HashSecret hashes a secret of an application.
func HashSecret(secret string) Hash { return newHash(secret, secretRounds) }

func newHash(secret string, rounds int) Hash {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand
	return Hash{Salt: salt, Sum: derive(secret, salt, rounds), Rounds: rounds}
}

func derive(secret string, salt []byte, rounds int) []byte {
	sum, err := pbkdf2.Key(sha256.New, secret, salt, rounds, sha256.Size)
	if err != nil {
		return nil // only in FIPS mode with weak parameters; matches nothing
	}
	return sum
}

// Matches reports whether h is the hash of secret, in a time that does not tell
// how much of it was right.
func (h Hash) Matches(secret string) bool {
	if h.Rounds < 1 || len(h.Sum) != sha256.Size {
		return false
	}
	return subtle.ConstantTimeCompare(h.Sum, derive(secret, h.Salt, h.Rounds)) == 1
}

// A Directory reads tenants, users, groups and apps. Names are compared without
// regard to case, ids too.
type Directory struct {
	Store Store
	Now   func() time.Time
}

// ErrUnknown is a tenant, user, group or app that is not in the directory.
var ErrUnknown = errors.New("not in the directory")

// Tenant finds a tenant by id or by domain name.
func (d *Directory) Tenant(ctx context.Context, idOrDomain string) (*Tenant, error) {
	return find[Tenant](ctx, d, KindTenant, "", idOrDomain)
}

// User finds a user of a tenant by object id or by user principal name.
func (d *Directory) User(ctx context.Context, tenant, idOrName string) (*User, error) {
	return find[User](ctx, d, KindUser, tenant, idOrName)
}

// UserByID finds a user of a tenant by object id only.
func (d *Directory) UserByID(ctx context.Context, tenant, id string) (*User, error) {
	if !plausible(id) {
		return nil, ErrUnknown
	}
	r, err := d.Store.Record(ctx, KindUser, tenant, strings.ToLower(id), d.Now())
	return decode[User](r, err)
}

// UserByName finds a user by principal name alone, in the tenant that owns the
// name's domain.
func (d *Directory) UserByName(ctx context.Context, upn string) (*User, error) {
	_, domain, ok := strings.Cut(upn, "@")
	if !ok {
		return nil, ErrUnknown
	}
	t, err := d.Tenant(ctx, domain)
	if err != nil {
		return nil, err
	}
	return d.User(ctx, t.ID, upn)
}

// Group finds a group of a tenant by id or by name.
func (d *Directory) Group(ctx context.Context, tenant, idOrName string) (*Group, error) {
	return find[Group](ctx, d, KindGroup, tenant, idOrName)
}

// App finds an application by id.
func (d *Directory) App(ctx context.Context, id string) (*App, error) {
	if !plausible(id) {
		return nil, ErrUnknown
	}
	r, err := d.Store.Record(ctx, KindApp, "", strings.ToLower(id), d.Now())
	return decode[App](r, err)
}

// Tenants lists every tenant, Apps every application, ordered by id.
func (d *Directory) Tenants(ctx context.Context) ([]*Tenant, error) {
	return list[Tenant](ctx, d, KindTenant, "")
}

// Apps lists every application, ordered by id.
func (d *Directory) Apps(ctx context.Context) ([]*App, error) {
	return list[App](ctx, d, KindApp, "")
}

// IsGUID reports whether s is written as directory ids are: 32 hexadecimal
// digits in five groups, in either case.
func IsGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hexDigit := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash != (c == '-') || !dash && !hexDigit {
			return false
		}
	}
	return true
}

// plausible keeps from the store what no id or name can be and no engine need
// be asked for: broken UTF-8, the character U+0000, great length.
func plausible(idOrName string) bool {
	return idOrName != "" && len(idOrName) <= 1024 && utf8.ValidString(idOrName) && !strings.Contains(idOrName, "\x00")
}

func find[T any](ctx context.Context, d *Directory, kind Kind, tenant, idOrName string) (*T, error) {
	if !plausible(idOrName) {
		return nil, ErrUnknown
	}
	key := strings.ToLower(idOrName)
	r, err := d.Store.Record(ctx, kind, tenant, key, d.Now())
	if errors.Is(err, ErrNoRecord) {
		r, err = d.Store.RecordByName(ctx, kind, tenant, key, d.Now())
	}
	return decode[T](r, err)
}

func list[T any](ctx context.Context, d *Directory, kind Kind, tenant string) ([]*T, error) {
	records, err := d.Store.Records(ctx, kind, tenant, d.Now())
	if err != nil {
		return nil, err
	}
	all := make([]*T, 0, len(records))
	for _, r := range records {
		v, err := decode[T](r, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func decode[T any](r Record, err error) (*T, error) {
	if errors.Is(err, ErrNoRecord) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(r.Doc, v); err != nil {
		return nil, fmt.Errorf("%s record %q in the store cannot be read: %w", r.Kind, r.ID, err)
	}
	return v, nil
}

// Encode makes the record of a directory object: *Tenant, *User, *Group, *App,
// *Policy or *Grant. Its revision is left to the store.
func Encode(object any) (Record, error) {
	doc, err := json.Marshal(object)
	if err != nil {
		return Record{}, err
	}
	lower := strings.ToLower
	switch o := object.(type) {
	case *Tenant:
		return Record{Kind: KindTenant, ID: lower(o.ID), Name: lower(o.Domain), Doc: doc}, nil
	case *User:
		return Record{Kind: KindUser, Tenant: o.Tenant, ID: lower(o.ID), Name: lower(o.UPN), Doc: doc}, nil
	case *Group:
		return Record{Kind: KindGroup, Tenant: o.Tenant, ID: lower(o.ID), Name: lower(o.Name), Doc: doc}, nil
	case *App:
		return Record{Kind: KindApp, ID: lower(o.ID), Doc: doc}, nil
	case *Policy:
		return Record{Kind: KindPolicy, Tenant: o.Tenant, ID: lower(o.Name), Doc: doc}, nil
	case *Grant:
		return Record{Kind: KindGrant, Tenant: o.Tenant, ID: o.ID(), Doc: doc}, nil
	}
	return Record{}, fmt.Errorf("identity: %T has no record", object)
}

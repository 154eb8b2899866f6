package identity

import (
	"context"
	"errors"
	"time"
)

// A Kind names a sort of [Record].
type Kind string

// The kinds of records. Those of the directory, of policies and of keys take
// part in [Store.Generation]; those of sign-in (codes, tokens, devices,
// sessions) do not.
const (
	KindWorld  Kind = "world"
	KindTenant Kind = "tenant" // Tenant "", ID tenant id, Name domain
	KindUser   Kind = "user"   // ID object id, Name UPN in lower case
	KindGroup  Kind = "group"  // ID object id, Name name
	KindApp    Kind = "app"    // Tenant "", ID application id
	KindPolicy Kind = "policy" // ID name in lower case
	KindGrant  Kind = "grant"  // ID "user:{oid}", "group:{id}" or "tenant"
	KindKey    Kind = "key"    // Tenant "", ID key id

	KindCode    Kind = "code"    // ID SHA-256 of the code
	KindRefresh Kind = "refresh" // ID SHA-256 of the token
	KindFamily  Kind = "family"  // ID family id
	KindDevice  Kind = "device"  // ID SHA-256 of the device code, Name user code
	KindSession Kind = "session" // ID SHA-256 of the session cookie
)

// Steers reports whether a change to records of kind k changes what a caller
// may do, and so the store's generation.
func (k Kind) Steers() bool {
	switch k {
	case KindCode, KindRefresh, KindFamily, KindDevice, KindSession:
		return false
	}
	return true
}

// A Record is one object as an engine keeps it: (Kind, Tenant, ID) is its key,
// and (Kind, Tenant, Name) is unique among records with a Name. Engines do not
// look into Doc.
type Record struct {
	Kind     Kind
	Tenant   string
	ID       string
	Name     string
	Doc      []byte
	Revision int64     // 1 when made, one more with each change
	Expires  time.Time // zero: never. An expired record exists for no method.
}

// A Change is one step of [Store.Apply].
type Change struct {
	Record Record
	// Expect is the revision the stored record must have; 0 means that it must
	// not exist, [AnyRevision] that it does not matter.
	Expect int64
	// Delete removes the record instead of writing it.
	Delete bool
}

// AnyRevision lets a [Change] take place whatever is stored.
const AnyRevision int64 = -1

// An AuditEntry says who changed what. Detail is JSON.
type AuditEntry struct {
	Seq    int64     // given by the store, growing
	At     time.Time // to the 100 ns
	Actor  string    // "management", "world", a user's or application's id
	Action string    // "policy.grant", …
	Tenant string
	Target string
	Detail []byte
}

var (
	// ErrNoRecord is a record that does not exist or has expired.
	ErrNoRecord = errors.New("no such record")
	// ErrConflict is a change that met another revision, or a name that is
	// taken; nothing of the whole [Store.Apply] was stored.
	ErrConflict = errors.New("the record was changed meanwhile or its name is taken")
)

// Store keeps the directory, policies, keys and the state of sign-ins. Every
// engine passes storetest.RunIdentity. What a method reports is durable when it
// returns. Methods are safe for concurrent use, also by other processes on the
// same database where the engine allows several.
type Store interface {
	// Record returns one record, or [ErrNoRecord].
	Record(ctx context.Context, kind Kind, tenant, id string, now time.Time) (Record, error)

	// RecordByName returns the record with this name, or [ErrNoRecord].
	RecordByName(ctx context.Context, kind Kind, tenant, name string, now time.Time) (Record, error)

	// Records returns every record of a kind in a tenant, ordered by ID.
	Records(ctx context.Context, kind Kind, tenant string, now time.Time) ([]Record, error)

	// Apply makes all the changes and writes the audit entries, or does nothing:
	// it returns [ErrConflict] when an expectation does not hold or a name is
	// taken. An expired record counts as absent for Expect and for names.
	// Records that have expired at now may be removed on the way.
	Apply(ctx context.Context, now time.Time, changes []Change, audit ...AuditEntry) error

	// Generation returns a number that differs from an earlier one when a record
	// whose kind [Kind.Steers] was changed in between. A change made through
	// this process shows at once, one made elsewhere within a second.
	Generation(ctx context.Context) (int64, error)

	// Audit returns at most limit audit entries with a Seq greater than after,
	// in their order. A tenant of "" means every tenant.
	Audit(ctx context.Context, tenant string, after int64, limit int) ([]AuditEntry, error)
}

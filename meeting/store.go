package meeting

import (
	"context"
	"time"
)

// Store keeps meetings. Every engine passes storetest.Run. Methods are safe for
// concurrent use, also by other processes on the same database where the engine
// allows several, and what they report is durable when they return: flushed to
// the disk, or committed by the database.
//
// A meeting that has expired at the given now exists for no method. Where an
// engine cannot answer it returns an error that wraps [ErrUnavailable], or
// [ErrFull] where there is no room to write.
type Store interface {
	// CreateOrGet stores m unless its owner already has a meeting with the same
	// ExternalID, and then returns that one unchanged. Of any number of
	// concurrent calls exactly one reports created, and each returns only when
	// the meeting is durable.
	//
	// The engine calls draw before every attempt to store m: draw gives m
	// numbers (thread, join meeting id, …). Where one of them is taken it draws
	// and tries again, up to [MaxDraws] times; that is never mistaken for the
	// externalId conflict and fails no other call. An expired meeting with the
	// same key is replaced in the same step. now is m.Created.
	CreateOrGet(ctx context.Context, m Meeting, draw func(*Meeting)) (stored Meeting, created bool, err error)

	// ByThread finds the meeting that (tenant, thread, message) names.
	ByThread(ctx context.Context, tenant, thread, message string, now time.Time) (Meeting, error)

	// ByJoinMeetingID finds the meeting with this join meeting id, in any tenant.
	ByJoinMeetingID(ctx context.Context, joinMeetingID string, now time.Time) (Meeting, error)

	// ByConferenceID finds the meeting with this conference id on a toll number.
	ByConferenceID(ctx context.Context, tollNumber, conferenceID string, now time.Time) (Meeting, error)

	// ByVideoTeleconferenceID finds the meeting with this id in a tenant.
	ByVideoTeleconferenceID(ctx context.Context, tenant, vtc string, now time.Time) (Meeting, error)

	// Update changes the meeting that (tenant, thread, message) names. change
	// gets it as it stands and may be called again when another change came
	// first: of concurrent updates none is lost. Keys cannot be changed: owner,
	// external id, thread, message and numbers keep their values, and Revision
	// grows by one. An error of change is returned and nothing is stored.
	Update(ctx context.Context, tenant, thread, message string, now time.Time, change func(*Meeting) error) (Meeting, error)

	// Delete removes the meeting that (tenant, thread, message) names. Its
	// ExternalID is free again afterwards.
	Delete(ctx context.Context, tenant, thread, message string, now time.Time) error

	// Gone reports whether owner had a meeting that (tenant, thread, message) named
	// and that was deleted or has expired. It is not gone where some meeting has
	// that name again. Nobody else's meetings are told of.
	Gone(ctx context.Context, owner Owner, thread, message string, now time.Time) (bool, error)

	// List returns the meetings that q asks for, in its order.
	List(ctx context.Context, q Query, now time.Time) ([]Meeting, error)
	// Count returns how many meetings q asks for, whatever its After and Limit.
	Count(ctx context.Context, q Query, now time.Time) (int, error)
	// Replace removes every meeting of a tenant and stores all instead, which
	// are complete and have that tenant, or does nothing: it returns [ErrTaken]
	// where a meeting has a key or number that another one has. What the tenant had
	// before is not [Store.Gone] afterwards: it is as if it had never been.
	Replace(ctx context.Context, tenant string, all []Meeting) error
}

// A Query asks for meetings of a tenant, or of one of its users. Their order is
// that of user, start, thread and message, each as the engine orders it.
type Query struct {
	Tenant string
	User   string // empty: of all users
	// Bounds of start and end, which belong to what is asked for; nil: none.
	StartFrom, StartTo, EndFrom, EndTo *time.Time
	Descending                         bool
	After                              *Position // nil: from the beginning
	Limit                              int       // 0: none
}

// A Position is where a list goes on: behind the meeting that has these.
type Position struct {
	User            string
	Start           time.Time
	Thread, Message string
}

// PositionOf is the position behind m.
func PositionOf(m *Meeting) *Position {
	return &Position{m.User, m.Start, m.ThreadID, m.MessageID}
}

// MaxDraws is how often an engine draws numbers for one meeting before it gives
// up with [ErrUnavailable].
const MaxDraws = 32

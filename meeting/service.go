package meeting

import (
	"context"
	"time"
)

// A Service is what callers do with meetings. It adds the rules and the clock
// to a [Store], and holds no state of its own.
type Service struct {
	Store Store
	Now   func() time.Time // the clock: time.Now but in tests
}

// CreateOrGet returns the meeting that belongs to the draft's owner and
// external id. created is true only for the one call that made it. The draft is
// checked first, so a wrong request is refused whether or not the meeting
// exists; of an existing meeting nothing is changed.
func (s *Service) CreateOrGet(ctx context.Context, d Draft) (m Meeting, created bool, err error) {
	m, err = d.Complete(s.Now())
	if err != nil {
		return Meeting{}, false, err
	}
	return s.Store.CreateOrGet(ctx, m, Numbers(d.VideoInterop))
}

// ByLink finds the meeting that a join link names. All four parts must agree;
// a link that disagrees in any part is a link to nothing.
func (s *Service) ByLink(ctx context.Context, owner Owner, thread, message string) (Meeting, error) {
	m, err := s.Store.ByThread(ctx, owner.Tenant, thread, message, s.Now())
	if err != nil {
		return Meeting{}, err
	}
	if m.Owner != owner {
		return Meeting{}, ErrNotFound
	}
	return m, nil
}

// ByJoinMeetingID finds the meeting with this join meeting id.
func (s *Service) ByJoinMeetingID(ctx context.Context, id string) (Meeting, error) {
	return s.Store.ByJoinMeetingID(ctx, id, s.Now())
}

// ByConferenceID finds the meeting that callers reach with this conference id
// on a toll number.
func (s *Service) ByConferenceID(ctx context.Context, tollNumber, id string) (Meeting, error) {
	return s.Store.ByConferenceID(ctx, tollNumber, id, s.Now())
}

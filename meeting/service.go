package meeting

import (
	"context"
	"time"
)

// A Service is what callers do with meetings. It adds the rules and the clock
// to a [Store], and holds no state of its own.
type Service struct {
	Store Store
	Now   func(tenant string) time.Time // what time it is for a tenant
	// Reports are what is left of sessions; nil: nobody ever met.
	Reports Reports
}

// CreateOrGet returns the meeting that belongs to the draft's owner and
// external id. created is true only for the one call that made it. The draft is
// checked first, so a wrong request is refused whether or not the meeting
// exists; of an existing meeting nothing is changed.
func (s *Service) CreateOrGet(ctx context.Context, d Draft) (m Meeting, created bool, err error) {
	m, err = d.Complete(s.Now(d.Owner.Tenant))
	if err != nil {
		return Meeting{}, false, err
	}
	return s.Store.CreateOrGet(ctx, m, Numbers(d.VideoInterop))
}

// Create makes a meeting, another one with each call. The draft must have no
// external id: that is what createOrGet is for.
func (s *Service) Create(ctx context.Context, d Draft) (Meeting, error) {
	if d.ExternalID != "" {
		return Meeting{}, &InvalidError{"externalId", "externalId cannot be set here. Use createOrGet to have a meeting with an id of your own."}
	}
	m, err := d.complete(s.Now(d.Owner.Tenant))
	if err != nil {
		return Meeting{}, err
	}
	m, _, err = s.Store.CreateOrGet(ctx, m, Numbers(d.VideoInterop))
	return m, err
}

// A Ref names a meeting: the parts of its id or its join link, which are
// untrusted and need not belong together.
type Ref struct {
	Owner
	Thread, Message string
}

// Get returns the meeting that ref names, and what p is to it. A ref that
// disagrees with the meeting in any part is a ref to nothing, and so is one to
// another tenant than p's.
func (s *Service) Get(ctx context.Context, ref Ref, p Person) (Meeting, Standing, error) {
	if ref.Tenant != p.Tenant {
		return Meeting{}, Outsider, ErrNotFound
	}
	m, err := s.ByLink(ctx, ref.Owner, ref.Thread, ref.Message)
	if err != nil {
		return Meeting{}, Outsider, err
	}
	return m, m.roleOf(p), nil
}

// FindByJoinMeetingID returns the meeting with this join meeting id in p's
// tenant, and what p is to it.
func (s *Service) FindByJoinMeetingID(ctx context.Context, id string, p Person) (Meeting, Standing, error) {
	m, err := s.ByJoinMeetingID(ctx, id)
	if err == nil && m.Tenant != p.Tenant {
		err = ErrNotFound
	}
	if err != nil {
		return Meeting{}, Outsider, err
	}
	return m, m.roleOf(p), nil
}

// FindByVideoTeleconferenceID returns the meeting with this id in a tenant.
func (s *Service) FindByVideoTeleconferenceID(ctx context.Context, tenant, id string) (Meeting, error) {
	return s.Store.ByVideoTeleconferenceID(ctx, tenant, id, s.Now(tenant))
}

// Update changes the meeting that ref names. Only its organizer, who is
// ref.User, may.
func (s *Service) Update(ctx context.Context, ref Ref, c Change) (Meeting, error) {
	if err := c.check(); err != nil {
		return Meeting{}, err
	}
	now := s.Now(ref.Tenant)
	return s.Store.Update(ctx, ref.Tenant, ref.Thread, ref.Message, now, func(m *Meeting) error {
		if m.Owner != ref.Owner {
			return ErrNotFound
		}
		return c.apply(m, now)
	})
}

// Delete removes the meeting that ref names. Only its organizer, who is
// ref.User, may.
func (s *Service) Delete(ctx context.Context, ref Ref) error {
	if _, err := s.ByLink(ctx, ref.Owner, ref.Thread, ref.Message); err != nil {
		return err
	}
	return s.Store.Delete(ctx, ref.Tenant, ref.Thread, ref.Message, s.Now(ref.Tenant))
}

// ByLink finds the meeting that a join link names. All four parts must agree;
// a link that disagrees in any part is a link to nothing.
func (s *Service) ByLink(ctx context.Context, owner Owner, thread, message string) (Meeting, error) {
	m, err := s.Store.ByThread(ctx, owner.Tenant, thread, message, s.Now(owner.Tenant))
	if err != nil {
		return Meeting{}, err
	}
	if m.Owner != owner {
		return Meeting{}, ErrNotFound
	}
	return m, nil
}

// Gone reports whether a join link that [Service.ByLink] does not find named a
// meeting of its owner, which was deleted or has expired. Whoever has the whole
// link knew the meeting; to everybody else it is one that never was.
func (s *Service) Gone(ctx context.Context, owner Owner, thread, message string) (bool, error) {
	return s.Store.Gone(ctx, owner, thread, message, s.Now(owner.Tenant))
}

// ByThread finds a meeting by its conversation alone.
func (s *Service) ByThread(ctx context.Context, tenant, thread, message string) (Meeting, error) {
	return s.Store.ByThread(ctx, tenant, thread, message, s.Now(tenant))
}

// always is a time at which no meeting has expired.
var always = time.Unix(0, 0).UTC()

// alive takes a meeting that was found by what says nothing of its tenant, whose
// time decides whether it has expired.
func (s *Service) alive(m Meeting, err error) (Meeting, error) {
	if err == nil && !m.Expires.After(s.Now(m.Tenant)) {
		return Meeting{}, ErrNotFound
	}
	return m, err
}

// ByJoinMeetingID finds the meeting with this join meeting id.
func (s *Service) ByJoinMeetingID(ctx context.Context, id string) (Meeting, error) {
	return s.alive(s.Store.ByJoinMeetingID(ctx, id, always))
}

// ByConferenceID finds the meeting that callers reach with this conference id
// on a toll number.
func (s *Service) ByConferenceID(ctx context.Context, tollNumber, id string) (Meeting, error) {
	return s.alive(s.Store.ByConferenceID(ctx, tollNumber, id, always))
}

// List returns the meetings that q asks for.
func (s *Service) List(ctx context.Context, q Query) ([]Meeting, error) {
	return s.Store.List(ctx, q, s.Now(q.Tenant))
}

// Count returns how many meetings q asks for, whatever its After and Limit.
func (s *Service) Count(ctx context.Context, q Query) (int, error) {
	return s.Store.Count(ctx, q, s.Now(q.Tenant))
}

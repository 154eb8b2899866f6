package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/convene-meet/convene/graph"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/world"
)

// A SeedAnswer says what a file of meetings came to.
type SeedAnswer struct {
	Created  int `json:"created"`
	Existing int `json:"existing"`
}

// Seed makes the meetings of a file that are not there yet, each known by its
// organizer and externalId; those that are there stay as they are. A mistake is
// a [RefusedError] with file, line and key of each, and then no meeting is made.
// Without a tenant, organizers are of the tenant that their name says.
func (k *Kit) Seed(ctx context.Context, t *identity.Tenant, name string, data []byte) (SeedAnswer, error) {
	list, err := world.ParseMeetings(name, data)
	if err != nil {
		return SeedAnswer{}, &RefusedError{err.Error()}
	}
	drafts := make([]meeting.Draft, len(list))
	var problems []error
	for i, m := range list {
		d, at, err := k.seedling(ctx, t, m)
		if err == nil {
			_, err = d.Complete(k.Now())
			if e, ok := errors.AsType[*meeting.InvalidError](err); ok {
				at = e.Property
			}
		}
		if errors.Is(err, meeting.ErrUnavailable) {
			return SeedAnswer{}, err
		} else if err != nil {
			problems = append(problems, fmt.Errorf("%s%w", m.At(at), err))
		}
		drafts[i] = d
	}
	if len(problems) > 0 {
		return SeedAnswer{}, &RefusedError{errors.Join(problems...).Error()}
	}
	return k.plant(ctx, drafts)
}

// seedling is a meeting as asked for; at is the member that err is about.
func (k *Kit) seedling(ctx context.Context, t *identity.Tenant, m *world.Meeting) (d meeting.Draft, at string, err error) {
	dir := k.directory()
	_, domain, named := strings.Cut(m.Organizer, "@")
	if t == nil {
		if t, err = dir.Tenant(ctx, domain); errors.Is(err, identity.ErrUnknown) {
			return d, "organizer", fmt.Errorf("there is no tenant with the domain %q", domain)
		} else if err != nil {
			return d, "organizer", err
		}
	}
	upn := m.Organizer
	if !named {
		upn += "@" + t.Domain
	}
	user, err := dir.User(ctx, t.ID, upn)
	if errors.Is(err, identity.ErrUnknown) {
		return d, "organizer", fmt.Errorf("there is no user %q in the tenant %s", upn, t.Domain)
	} else if err != nil {
		return d, "organizer", err
	}
	d, err = graph.ParseDraft(m.Body, &identity.Organizer{User: user, Tenant: t})
	if e, ok := errors.AsType[*graph.Error](err); ok {
		at = e.Target
	}
	return d, at, err
}

// plant makes meetings, many at a time, since those share a flush.
func (k *Kit) plant(ctx context.Context, drafts []meeting.Draft) (answer SeedAnswer, err error) {
	const gardeners = 32
	service := k.service()
	var all sync.WaitGroup
	var mu sync.Mutex
	room := make(chan struct{}, gardeners)
	for _, d := range drafts {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			_, created, failed := service.CreateOrGet(ctx, d)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case failed != nil:
				err = failed
			case created:
				answer.Created++
			default:
				answer.Existing++
			}
		})
	}
	all.Wait()
	return answer, err
}

func (k *Kit) service() *meeting.Service {
	return &meeting.Service{Store: k.Meetings, Now: k.Clocks.Now}
}

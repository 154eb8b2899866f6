package server

import (
	"context"
	"errors"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/world"
)

// A World is what a world file says.
type World = world.World

// MaxWorld is how many bytes a world file may have.
const MaxWorld = world.MaxSize

// ParseWorld reads a world file; name is what errors call it.
func ParseWorld(name string, data []byte) (*World, error) { return world.Parse(name, data) }

// BuiltInWorld is the built-in world as a file.
func BuiltInWorld() []byte { return world.BuiltInFile() }

// Welcome returns the first user of the world that can sign in, and the join
// link of a meeting of theirs, which is made at the first call.
func (s *Server) Welcome(ctx context.Context) (upn, link string, err error) {
	for _, t := range s.cfg.World.Tenants {
		for _, u := range t.Users {
			if u.Disabled || u.Password == "" {
				continue
			}
			directory := &identity.Directory{Store: s.store, Now: s.cfg.Now}
			tenant, err := directory.Tenant(ctx, t.ID) // of which the world may name a part only
			if err != nil {
				return "", "", err
			}
			subject := "Welcome to Convene"
			draft := meeting.Draft{Owner: meeting.Owner{Tenant: t.ID, User: u.ID}, ExternalID: "convene-welcome", Subject: &subject, VideoInterop: tenant.VideoInterop}
			if tenant.AudioConferencing != nil {
				draft.TollNumber = tenant.AudioConferencing.TollNumber
			}
			service := &meeting.Service{Store: s.store, Now: func(string) time.Time { return s.cfg.Now() }}
			m, _, err := service.CreateOrGet(ctx, draft)
			return u.UPN, s.url + string(m.AppendLink(nil)), err
		}
	}
	return "", "", errors.New("nobody in this world can sign in")
}

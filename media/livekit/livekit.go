// Package livekit is the media engine: a LiveKit server of somebody's, by URL and
// key, or one that runs in this process. It knows nothing of meetings, and browsers
// never reach more of LiveKit than its signalling, through [Engine.Signal].
//
// Start at [External] and [Embedded].
package livekit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/twitchtv/twirp"

	"github.com/convene-meet/convene/media"
)

// An Engine is a LiveKit server. It implements [media.Engine].
type Engine struct {
	gate   media.Gate
	server func(context.Context) (*endpoint, error)
	close  func(context.Context) error
}

var _ media.Engine = (*Engine)(nil)

// An endpoint is where a LiveKit server answers.
type endpoint struct {
	url         *url.URL // http or https
	key, secret string
	rooms       livekit.RoomService
	client      *http.Client
}

func newEndpoint(address, key, secret string) (*endpoint, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("LiveKit's URL: %w", err)
	}
	switch u.Scheme {
	case "ws", "wss":
		u.Scheme = "http" + strings.TrimPrefix(u.Scheme, "ws")
	case "http", "https":
	default:
		return nil, fmt.Errorf("LiveKit's URL %q: it has to begin with https://, http://, wss:// or ws://", address)
	}
	if u.Host == "" || key == "" || secret == "" {
		return nil, errors.New("LiveKit needs a URL with a host, a key and a secret")
	}
	u.Path, u.RawQuery = strings.TrimSuffix(u.Path, "/"), ""
	client := &http.Client{Timeout: callTimeout, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	return &endpoint{u, key, secret, livekit.NewRoomServiceProtobufClient(u.String(), client), client}, nil
}

var errClosed = fmt.Errorf("%w: it is closed", media.ErrUnavailable)

// callTimeout is how long a call of LiveKit's API may take.
const callTimeout = 10 * time.Second

// External returns the engine that is a LiveKit server at a URL, whose key and
// secret are its API's. gate is asked at every handshake.
func External(address, key, secret string, gate media.Gate) (*Engine, error) {
	e, err := newEndpoint(address, key, secret)
	if err != nil {
		return nil, err
	}
	var closed atomic.Bool
	return &Engine{
		gate: gate,
		server: func(context.Context) (*endpoint, error) {
			if closed.Load() {
				return nil, errClosed
			}
			return e, nil
		},
		close: func(context.Context) error {
			closed.Store(true)
			e.client.CloseIdleConnections()
			return nil
		},
	}, nil
}

// authorized returns a context in which LiveKit's API is called with the rights to
// administer a room.
func (e *endpoint) authorized(ctx context.Context, room string) (context.Context, error) {
	token, err := auth.NewAccessToken(e.key, e.secret).SetValidFor(time.Minute).
		SetVideoGrant(&auth.VideoGrant{RoomCreate: true, RoomList: true, RoomAdmin: true, Room: room}).ToJWT()
	if err != nil {
		return nil, err
	}
	return twirp.WithHTTPRequestHeaders(ctx, http.Header{"Authorization": {"Bearer " + token}})
}

// call calls LiveKit's API about a room.
func (e *Engine) call(ctx context.Context, room string, f func(context.Context, livekit.RoomService) error) error {
	server, err := e.server(ctx)
	if err != nil {
		return err
	}
	if ctx, err = server.authorized(ctx, room); err != nil {
		return err
	}
	return explain(f(ctx, server.rooms))
}

// explain says in the contract's words what LiveKit refused.
func explain(err error) error {
	refused, ok := errors.AsType[twirp.Error](err)
	switch {
	case err == nil:
		return nil
	case ok && refused.Code() == twirp.NotFound:
		return media.ErrNotThere
	}
	return fmt.Errorf("%w: %w", media.ErrUnavailable, err)
}

// Admit implements [media.Engine].
func (e *Engine) Admit(ctx context.Context, g media.Grant) (media.Ticket, error) {
	if !media.Valid(g.Room) || !media.Valid(g.Participant) {
		return media.Ticket{}, fmt.Errorf("the room %q or the participant %q has a name that is none", g.Room, g.Participant)
	}
	if err := e.call(ctx, g.Room, func(ctx context.Context, rooms livekit.RoomService) error {
		_, err := rooms.CreateRoom(ctx, &livekit.CreateRoomRequest{Name: g.Room})
		return err
	}); err != nil {
		return media.Ticket{}, err
	}
	server, err := e.server(ctx)
	if err != nil {
		return media.Ticket{}, err
	}
	grant := &auth.VideoGrant{RoomJoin: true, Room: g.Room}
	grant.SetCanSubscribe(true)
	grant.SetCanPublishData(false)
	grant.SetCanUpdateOwnMetadata(false)
	permission := permissionOf(g.Rights)
	grant.SetCanPublish(permission.CanPublish)
	grant.SetCanPublishSources(permission.CanPublishSources)
	expires := time.Now().Add(media.TicketLife)
	token, err := auth.NewAccessToken(server.key, server.secret).SetIdentity(g.Participant).SetName(g.Name).
		SetValidFor(media.TicketLife).SetVideoGrant(grant).ToJWT()
	return media.Ticket{Token: token, Expires: expires}, err
}

// permissionOf is what LiveKit is told of rights. To LiveKit no sources are all of
// them, so that without any there is nothing to publish.
func permissionOf(r media.Rights) *livekit.ParticipantPermission {
	p := &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: r != media.Rights{}}
	if r.Camera {
		p.CanPublishSources = append(p.CanPublishSources, livekit.TrackSource_CAMERA)
	}
	if r.Microphone {
		p.CanPublishSources = append(p.CanPublishSources, livekit.TrackSource_MICROPHONE)
	}
	if r.Screen {
		p.CanPublishSources = append(p.CanPublishSources, livekit.TrackSource_SCREEN_SHARE, livekit.TrackSource_SCREEN_SHARE_AUDIO)
	}
	return p
}

func rightsOf(p *livekit.ParticipantPermission) media.Rights {
	if !p.GetCanPublish() {
		return media.Rights{}
	}
	may := func(s livekit.TrackSource) bool {
		return len(p.GetCanPublishSources()) == 0 || slices.Contains(p.GetCanPublishSources(), s)
	}
	return media.Rights{Camera: may(livekit.TrackSource_CAMERA), Microphone: may(livekit.TrackSource_MICROPHONE), Screen: may(livekit.TrackSource_SCREEN_SHARE)}
}

// Participants implements [media.Engine].
func (e *Engine) Participants(ctx context.Context, room string) (all []media.Participant, err error) {
	err = e.call(ctx, room, func(ctx context.Context, rooms livekit.RoomService) error {
		answer, err := rooms.ListParticipants(ctx, &livekit.ListParticipantsRequest{Room: room})
		for _, p := range answer.GetParticipants() {
			all = append(all, participantOf(p))
		}
		return err
	})
	if errors.Is(err, media.ErrNotThere) {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b media.Participant) int {
		return cmp.Or(a.Joined.Compare(b.Joined), strings.Compare(a.ID, b.ID))
	})
	return all, err
}

func participantOf(p *livekit.ParticipantInfo) media.Participant {
	one := media.Participant{
		ID: p.GetIdentity(), Session: p.GetSid(), Name: p.GetName(), Joined: time.UnixMilli(p.GetJoinedAtMs()).UTC(), Rights: rightsOf(p.GetPermission()),
	}
	for _, t := range p.GetTracks() {
		source := media.Screen
		switch t.GetSource() {
		case livekit.TrackSource_CAMERA:
			source = media.Camera
		case livekit.TrackSource_MICROPHONE:
			source = media.Microphone
		case livekit.TrackSource_SCREEN_SHARE, livekit.TrackSource_SCREEN_SHARE_AUDIO, livekit.TrackSource_UNKNOWN:
		}
		one.Tracks = append(one.Tracks, media.Track{Source: source, Muted: t.GetMuted()})
	}
	return one
}

// SetRights implements [media.Engine].
func (e *Engine) SetRights(ctx context.Context, room, participant string, r media.Rights) error {
	return e.call(ctx, room, func(ctx context.Context, rooms livekit.RoomService) error {
		_, err := rooms.UpdateParticipant(ctx, &livekit.UpdateParticipantRequest{Room: room, Identity: participant, Permission: permissionOf(r)})
		return err
	})
}

// Mute implements [media.Engine].
func (e *Engine) Mute(ctx context.Context, room, participant string, s media.Source) error {
	return e.call(ctx, room, func(ctx context.Context, rooms livekit.RoomService) error {
		p, err := rooms.GetParticipant(ctx, &livekit.RoomParticipantIdentity{Room: room, Identity: participant})
		if err != nil {
			return err
		}
		for i, t := range participantOf(p).Tracks {
			if t.Source != s || t.Muted {
				continue
			}
			if _, err := rooms.MutePublishedTrack(ctx, &livekit.MuteRoomTrackRequest{Room: room, Identity: participant, TrackSid: p.GetTracks()[i].GetSid(), Muted: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Remove implements [media.Engine].
func (e *Engine) Remove(ctx context.Context, room, participant string) error {
	return e.call(ctx, room, func(ctx context.Context, rooms livekit.RoomService) error {
		_, err := rooms.RemoveParticipant(ctx, &livekit.RoomParticipantIdentity{Room: room, Identity: participant})
		return err
	})
}

// End implements [media.Engine].
func (e *Engine) End(ctx context.Context, room string) error {
	err := e.call(ctx, room, func(ctx context.Context, rooms livekit.RoomService) error {
		_, err := rooms.DeleteRoom(ctx, &livekit.DeleteRoomRequest{Room: room})
		return err
	})
	if errors.Is(err, media.ErrNotThere) {
		return nil
	}
	return err
}

// Close implements [media.Engine].
func (e *Engine) Close(ctx context.Context) error { return e.close(ctx) }

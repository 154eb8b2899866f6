package mediatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/convene-meet/convene/media"
)

// A Scripted is an engine in memory that passes no media on: what people publish,
// tests say with [Scripted.Publish]. People connect with [Connect].
type Scripted struct {
	gate media.Gate

	mu      sync.Mutex
	tickets map[string]ticket
	there   []*connection // in the order in which they came
	closed  bool
}

type ticket struct {
	media.Grant
	expires time.Time
	used    bool
}

// A connection is one participant in one room.
type connection struct {
	room string
	media.Participant
	end chan struct{} // closed when it is over for the engine
}

// signalPath is the only one that is served.
const signalPath = "/rtc"

// NewScripted returns an engine that asks gate at every handshake.
func NewScripted(gate media.Gate) *Scripted {
	return &Scripted{gate: gate, tickets: map[string]ticket{}}
}

var errClosed = fmt.Errorf("%w: it was closed", media.ErrUnavailable)

// Admit implements [media.Engine].
func (e *Scripted) Admit(_ context.Context, g media.Grant) (media.Ticket, error) {
	if !media.Valid(g.Room) || !media.Valid(g.Participant) {
		return media.Ticket{}, fmt.Errorf("%q in %q: that is no name", g.Participant, g.Room)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return media.Ticket{}, errClosed
	}
	t := media.Ticket{Token: rand.Text(), Expires: time.Now().Add(media.TicketLife)}
	e.tickets[t.Token] = ticket{Grant: g, expires: t.Expires}
	return t, nil
}

// Participants implements [media.Engine].
func (e *Scripted) Participants(_ context.Context, room string) (all []media.Participant, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	for _, c := range e.there {
		if c.room == room {
			p := c.Participant
			p.Tracks = slices.Clone(p.Tracks)
			all = append(all, p)
		}
	}
	return all, nil
}

// change changes who is in a room.
func (e *Scripted) change(room, participant string, change func(*connection) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errClosed
	}
	for _, c := range e.there {
		if c.room == room && c.ID == participant {
			return change(c)
		}
	}
	return media.ErrNotThere
}

// SetRights implements [media.Engine].
func (e *Scripted) SetRights(_ context.Context, room, participant string, r media.Rights) error {
	return e.change(room, participant, func(c *connection) error {
		c.Rights = r
		c.Tracks = slices.DeleteFunc(c.Tracks, func(t media.Track) bool { return !r.May(t.Source) })
		return nil
	})
}

// Mute implements [media.Engine].
func (e *Scripted) Mute(_ context.Context, room, participant string, s media.Source) error {
	return e.change(room, participant, func(c *connection) error {
		for i := range c.Tracks {
			c.Tracks[i].Muted = c.Tracks[i].Muted || c.Tracks[i].Source == s
		}
		return nil
	})
}

// Remove implements [media.Engine].
func (e *Scripted) Remove(_ context.Context, room, participant string) error {
	return e.change(room, participant, func(c *connection) error {
		e.drop(func(other *connection) bool { return other == c })
		return nil
	})
}

// End implements [media.Engine].
func (e *Scripted) End(_ context.Context, room string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(func(c *connection) bool { return c.room == room })
	return nil
}

// Close implements [media.Engine].
func (e *Scripted) Close(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.drop(func(*connection) bool { return true })
	return nil
}

// drop ends connections. The caller has the lock.
func (e *Scripted) drop(which func(*connection) bool) {
	e.there = slices.DeleteFunc(e.there, func(c *connection) bool {
		over := which(c)
		if over {
			close(c.end)
		}
		return over
	})
}

// errNoRight is a track that its participant may not publish.
var errNoRight = errors.New("the participant may not publish that")

// Publish has somebody who is in a room publish from a source, or unmute it. It
// fails where they have no right to.
func (e *Scripted) Publish(room, participant string, s media.Source) error {
	return e.change(room, participant, func(c *connection) error {
		if !c.Rights.May(s) {
			return errNoRight
		}
		c.Tracks = append(slices.DeleteFunc(c.Tracks, func(t media.Track) bool { return t.Source == s }), media.Track{Source: s})
		return nil
	})
}

// Tracks are what somebody publishes; nothing is what they publish who are not in
// the room.
func (e *Scripted) Tracks(room, participant string) (all []media.Track) {
	_ = e.change(room, participant, func(c *connection) error { // nobody is there
		all = slices.Clone(c.Tracks)
		return nil
	})
	return all
}

// Serves implements [media.Engine].
func (e *Scripted) Serves(path string) bool { return path == signalPath }

// Signal implements [media.Engine]. A handshake is a GET with the ticket's token
// as access_token, whose answer begins when the participant is in the room and
// ends when that is over. Whoever leaves the request leaves the room.
func (e *Scripted) Signal() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !e.Serves(r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		token := r.URL.Query().Get("access_token")
		g, ok := e.holder(token)
		if !ok || !e.gate(r.Context(), g.Room, g.Participant) {
			http.Error(w, "This ticket lets nobody in.", http.StatusUnauthorized)
			return
		}
		c := e.enter(token)
		if c == nil {
			http.Error(w, "The media engine is not available.", http.StatusServiceUnavailable)
			return
		}
		defer e.leave(c)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
		if http.NewResponseController(w).Flush() != nil {
			return // the browser is gone
		}
		select {
		case <-c.end:
		case <-r.Context().Done():
		}
	})
}

// holder is whom a token lets in: one that was never used only until it expires.
func (e *Scripted) holder(token string) (media.Grant, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.tickets[token]
	return t.Grant, ok && (t.used || time.Now().Before(t.expires))
}

// enter has the holder of a token be in the room, with one connection; nil: the
// engine is closed.
func (e *Scripted) enter(token string) *connection {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	t := e.tickets[token]
	t.used = true
	e.tickets[token] = t
	e.drop(func(c *connection) bool { return c.room == t.Room && c.ID == t.Participant })
	c := &connection{t.Room, media.Participant{ID: t.Participant, Session: rand.Text(), Name: t.Name, Joined: time.Now(), Rights: t.Rights}, make(chan struct{})}
	e.there = append(e.there, c)
	return c
}

func (e *Scripted) leave(c *connection) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(func(other *connection) bool { return other == c })
}

// Connect connects to a [Scripted] whose Signal is served at an origin, and
// returns once the person is in the room. Left alone, the connection lasts until
// the engine ends it, also after ctx.
func Connect(ctx context.Context, client *http.Client, origin string, t media.Ticket) (Person, error) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	fail := func(err error) (Person, error) {
		cancel()
		return nil, err
	}
	r, err := http.NewRequestWithContext(lasting, http.MethodGet, origin+signalPath+"?access_token="+url.QueryEscape(t.Token), http.NoBody)
	if err != nil {
		return fail(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return fail(err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return fail(fmt.Errorf("the handshake is answered with %s", resp.Status))
	}
	p := &person{cancel, make(chan struct{})}
	go func() {
		defer close(p.ended)
		_, _ = io.Copy(io.Discard, resp.Body) // however it ends
		_ = resp.Body.Close()
	}()
	return p, nil
}

// A person is a connection to a [Scripted].
type person struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// Ended implements [Person].
func (p *person) Ended() <-chan struct{} { return p.ended }

// Leave implements [Person].
func (p *person) Leave() {
	p.cancel()
	<-p.ended
}

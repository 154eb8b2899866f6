// Package mediatest is the contract of a media engine as a suite that every engine
// passes, and a small engine for tests of whoever uses one. The suite knows nothing
// of any engine: whoever runs it says how people connect.
//
// Start at [Run] and [Scripted].
package mediatest

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/media"
)

// A Setup is an engine under test, and how people connect to it.
type Setup struct {
	// Open returns the engine, with this gate. It is called once.
	Open func(t *testing.T, gate media.Gate) media.Engine
	// Connect connects with a ticket as a browser does, to an origin that serves
	// the engine's Signal. It returns once the person is in the room.
	Connect func(ctx context.Context, origin string, ticket media.Ticket) (Person, error)
	// Inside says that the engine is in this process, so that its rooms end with it.
	Inside bool
	// Patience is how long the engine may take to do something; 0: 20 s.
	Patience time.Duration
}

// A Person is one connection to a room.
type Person interface {
	// Ended is closed when the engine has ended the connection.
	Ended() <-chan struct{}
	// Leave ends it.
	Leave()
}

// A hall is the engine under test behind a server, with its gate.
type hall struct {
	media.Engine
	origin  string
	connect func(ctx context.Context, origin string, ticket media.Ticket) (Person, error)
	inside  bool
	most    time.Duration // Setup.Patience

	mu    sync.Mutex
	shut  map[string]bool // "room participant"
	asked map[string]int
	rooms int
}

// Run checks the whole contract.
func Run(t *testing.T, s Setup) {
	h := &hall{connect: s.Connect, inside: s.Inside, most: cmp.Or(s.Patience, 20*time.Second), shut: map[string]bool{}, asked: map[string]int{}}
	h.Engine = s.Open(t, h.gate)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.Signal().ServeHTTP(w, r) }))
	t.Cleanup(func() {
		server.CloseClientConnections() // which an engine that fails may have kept
		server.Close()
	})
	h.origin = server.URL
	for _, tt := range []struct {
		name string
		test func(t *testing.T, h *hall)
	}{
		{"who was let in is not in the room before connecting", notThereBefore},
		{"participants are those who are in the room", participants},
		{"rooms do not see each other", roomsApart},
		{"rights are those of the grant, and change", rights},
		{"nobody can change who is not there", notThere},
		{"a removed participant is out, and stays out", removed},
		{"a room that ends is over for everybody", ended},
		{"the same participant twice is there once", twice},
		{"a ticket is good for its room alone", foreignTickets},
		{"what is no ticket lets nobody in", noTickets},
		{"nothing but signalling is served", nothingElse},
		{"a name that is none is refused", badNames},
		{"many are let in at the same time", many},
		{"a closed engine lets nobody in", closed}, // the last one
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, h) })
	}
}

func (h *hall) gate(_ context.Context, room, participant string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[room+" "+participant]++
	return !h.shut[room+" "+participant]
}

// room is a name that no other test has.
func (h *hall) room() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms++
	return fmt.Sprintf("room-%d", h.rooms)
}

func (h *hall) admit(t *testing.T, room, participant string, r media.Rights) media.Ticket {
	t.Helper()
	ticket, err := h.Admit(t.Context(), media.Grant{Room: room, Participant: participant, Name: "Name of " + participant, Rights: r})
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func (h *hall) enter(t *testing.T, room, participant string, r media.Rights) Person {
	t.Helper()
	p, err := h.connect(t.Context(), h.origin, h.admit(t, room, participant, r))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Leave)
	return p
}

// within waits until something holds; an engine may take a moment to say so.
func (h *hall) within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(h.most)
	for tick := time.NewTicker(20 * time.Millisecond); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("after %v it does not hold that %s", h.most, what)
		}
	}
}

func (h *hall) ids(t *testing.T, room string) (ids []string) {
	t.Helper()
	all, err := h.Participants(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	return ids
}

func (h *hall) willBe(t *testing.T, room string, ids ...string) {
	t.Helper()
	h.within(t, fmt.Sprintf("%v are in %s", ids, room), func() bool { return slices.Equal(h.ids(t, room), ids) })
}

func (h *hall) mustEnd(t *testing.T, p Person) {
	t.Helper()
	select {
	case <-p.Ended():
	case <-time.After(h.most):
		t.Fatalf("after %v the connection has not ended", h.most)
	}
}

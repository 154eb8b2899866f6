package mediatest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/media"
)

var all = media.Rights{Camera: true, Microphone: true, Screen: true}

func notThereBefore(t *testing.T, h *hall) {
	room := h.room()
	if ids := h.ids(t, room); len(ids) > 0 {
		t.Errorf("in a room that is not there are %v", ids)
	}
	ticket := h.admit(t, room, "ann", all)
	if ids := h.ids(t, room); len(ids) > 0 {
		t.Errorf("%v are in the room", ids)
	}
	if ticket.Token == "" || time.Until(ticket.Expires) > media.TicketLife || time.Until(ticket.Expires) < media.TicketLife/2 {
		t.Errorf("the ticket is %+v", ticket)
	}
}

func participants(t *testing.T, h *hall) {
	room := h.room()
	h.enter(t, room, "ann", all)
	h.willBe(t, room, "ann")
	bob := h.enter(t, room, "bob", media.Rights{})
	h.willBe(t, room, "ann", "bob")
	people, err := h.Participants(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.Name != "Name of "+p.ID || p.Session == "" || time.Since(p.Joined).Abs() > time.Minute || len(p.Tracks) > 0 {
			t.Errorf("a participant is %+v", p)
		}
	}
	if people[0].Session == people[1].Session {
		t.Error("two have one session")
	}
	bob.Leave()
	h.willBe(t, room, "ann")
}

func roomsApart(t *testing.T, h *hall) {
	one, two := h.room(), h.room()
	h.enter(t, one, "ann", all)
	h.enter(t, two, "bob", all)
	h.willBe(t, one, "ann")
	h.willBe(t, two, "bob")
	if err := h.Remove(t.Context(), one, "bob"); !errors.Is(err, media.ErrNotThere) {
		t.Errorf("removing somebody of another room: %v", err)
	}
	h.willBe(t, two, "bob")
}

func rights(t *testing.T, h *hall) {
	room := h.room()
	for i, want := range []media.Rights{{}, {Camera: true}, {Microphone: true}, {Screen: true}, all} {
		id := fmt.Sprint("p", i)
		h.enter(t, room, id, want)
		h.have(t, room, id, want)
		for _, changed := range []media.Rights{all, {}, {Camera: true, Screen: true}, {Microphone: true}} {
			if err := h.SetRights(t.Context(), room, id, changed); err != nil {
				t.Fatal(err)
			}
			h.have(t, room, id, changed)
		}
	}
}

func (h *hall) have(t *testing.T, room, participant string, want media.Rights) {
	t.Helper()
	h.within(t, fmt.Sprintf("%s has the rights %+v", participant, want), func() bool {
		people, err := h.Participants(t.Context(), room)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(people, func(p media.Participant) bool { return p.ID == participant })
		return i >= 0 && people[i].Rights == want
	})
}

func notThere(t *testing.T, h *hall) {
	room := h.room()
	for name, call := range map[string]func(room, id string) error{
		"SetRights": func(room, id string) error { return h.SetRights(t.Context(), room, id, all) },
		"Mute":      func(room, id string) error { return h.Mute(t.Context(), room, id, media.Microphone) },
		"Remove":    func(room, id string) error { return h.Remove(t.Context(), room, id) },
	} {
		if err := call("no-such-room", "ann"); !errors.Is(err, media.ErrNotThere) {
			t.Errorf("%s in no room: %v", name, err)
		}
		h.admit(t, room, "ann", all)
		if err := call(room, "ann"); !errors.Is(err, media.ErrNotThere) {
			t.Errorf("%s of who has not come: %v", name, err)
		}
	}
	if err := h.End(t.Context(), "no-such-room"); err != nil {
		t.Errorf("End of no room: %v", err)
	}
	h.enter(t, room, "bob", all)
	if err := h.Mute(t.Context(), room, "bob", media.Microphone); err != nil {
		t.Errorf("Mute of who is silent: %v", err)
	}
}

func removed(t *testing.T, h *hall) {
	room := h.room()
	ticket := h.admit(t, room, "ann", all)
	ann, err := h.connect(t.Context(), h.origin, ticket)
	if err != nil {
		t.Fatal(err)
	}
	bob := h.enter(t, room, "bob", all)
	h.mu.Lock()
	h.shut[room+" ann"] = true
	h.mu.Unlock()
	if err := h.Remove(t.Context(), room, "ann"); err != nil {
		t.Fatal(err)
	}
	h.mustEnd(t, ann)
	h.willBe(t, room, "bob")
	if again, err := h.connect(t.Context(), h.origin, ticket); err == nil {
		again.Leave()
		t.Error("the ticket of who was removed lets in again")
	}
	h.mu.Lock()
	delete(h.shut, room+" ann")
	h.mu.Unlock()
	h.enter(t, room, "ann", all)
	h.willBe(t, room, "bob", "ann")
	select {
	case <-bob.Ended():
		t.Error("the other one's connection has ended")
	default:
	}
}

func ended(t *testing.T, h *hall) {
	room, other := h.room(), h.room()
	ann, bob := h.enter(t, room, "ann", all), h.enter(t, room, "bob", all)
	carl := h.enter(t, other, "carl", all)
	if err := h.End(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	h.mustEnd(t, ann)
	h.mustEnd(t, bob)
	h.willBe(t, room)
	h.willBe(t, other, "carl")
	select {
	case <-carl.Ended():
		t.Error("another room has ended, too")
	default:
	}
	h.enter(t, room, "ann", all) // a room of the same name begins anew
	h.willBe(t, room, "ann")
}

func twice(t *testing.T, h *hall) {
	room := h.room()
	first := h.enter(t, room, "ann", all)
	h.willBe(t, room, "ann")
	h.enter(t, room, "ann", all)
	h.mustEnd(t, first)
	h.willBe(t, room, "ann")
}

func foreignTickets(t *testing.T, h *hall) {
	one, two := h.room(), h.room()
	h.admit(t, two, "bob", all)
	h.mu.Lock()
	h.shut[one+" ann"] = true
	h.mu.Unlock()
	if p, err := h.connect(t.Context(), h.origin, h.admit(t, one, "ann", all)); err == nil {
		p.Leave()
		t.Error("the gate is shut, and the ticket lets in")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked[one+" ann"] == 0 || h.asked[two+" ann"] > 0 {
		t.Errorf("the gate was asked %v", h.asked)
	}
}

func noTickets(t *testing.T, h *hall) {
	room := h.room()
	ticket := h.admit(t, room, "ann", all)
	for name, token := range map[string]string{"none": "", "one that is cut": ticket.Token[:len(ticket.Token)-4], "no token": "x"} {
		if p, err := h.connect(t.Context(), h.origin, media.Ticket{Token: token}); err == nil {
			p.Leave()
			t.Errorf("%s lets in", name)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.asked[room+" ann"]; n > 0 {
		t.Errorf("the gate was asked %d times about who proved nothing", n)
	}
}

func nothingElse(t *testing.T, h *hall) {
	ticket := h.admit(t, h.room(), "ann", all)
	for _, path := range []string{"/", "/twirp/livekit.RoomService/ListRooms", "/rtc/../twirp/livekit.RoomService/ListRooms", "/rtc/other", "/agent", "/debug/rooms", "/metrics"} {
		if h.Serves(path) {
			t.Errorf("%s is served", path)
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/", http.NoBody)
			r.URL.Path = path
			r.Header.Set("Authorization", "Bearer "+ticket.Token)
			w := httptest.NewRecorder()
			h.Signal().ServeHTTP(w, r)
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s is answered with %d", method, path, w.Code)
			}
		}
	}
}

func badNames(t *testing.T, h *hall) {
	for _, name := range []string{"", "a b", "a/b", "é", "a\x00", string(make([]byte, 200))} {
		if _, err := h.Admit(t.Context(), media.Grant{Room: name, Participant: "ann"}); err == nil {
			t.Errorf("the room %q is taken", name)
		}
		if _, err := h.Admit(t.Context(), media.Grant{Room: h.room(), Participant: name}); err == nil {
			t.Errorf("the participant %q is taken", name)
		}
	}
}

func many(t *testing.T, h *hall) {
	room := h.room()
	var coming sync.WaitGroup
	var want []string
	for i := range 8 {
		id := fmt.Sprint("p", i)
		want = append(want, id)
		coming.Go(func() { h.enter(t, room, id, all) })
	}
	coming.Wait()
	h.within(t, "all are there", func() bool {
		ids := h.ids(t, room)
		slices.Sort(ids)
		return slices.Equal(ids, want)
	})
}

func closed(t *testing.T, h *hall) {
	room := h.room()
	ann := h.enter(t, room, "ann", all)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if h.inside {
		h.mustEnd(t, ann)
	}
	if _, err := h.Admit(t.Context(), media.Grant{Room: room, Participant: "bob"}); !errors.Is(err, media.ErrUnavailable) {
		t.Errorf("Admit after Close: %v", err)
	}
}

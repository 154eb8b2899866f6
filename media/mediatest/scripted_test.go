package mediatest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/media/mediatest"
)

// The name of the fault that TestScripted gives its engine when another test runs
// it in a process of its own.
const faultVariable = "CONVENE_MEDIATEST_FAULT"

func connect(ctx context.Context, origin string, ticket media.Ticket) (mediatest.Person, error) {
	return mediatest.Connect(ctx, http.DefaultClient, origin, ticket)
}

func TestScripted(t *testing.T) {
	setup := mediatest.Setup{Connect: connect, Inside: true}
	fault := os.Getenv(faultVariable)
	if fault != "" {
		setup.Patience = time.Second
	}
	setup.Open = func(_ *testing.T, gate media.Gate) media.Engine {
		if fault == "" {
			return mediatest.NewScripted(gate)
		}
		if fault == "the gate is not asked" {
			gate = func(context.Context, string, string) bool { return true }
		}
		return broken{mediatest.NewScripted(gate), fault}
	}
	mediatest.Run(t, setup)
}

// A broken is an engine that keeps every promise but one.
type broken struct {
	*mediatest.Scripted
	fault string
}

func (e broken) Admit(ctx context.Context, g media.Grant) (media.Ticket, error) {
	switch e.fault {
	case "any name is taken":
		if !media.Valid(g.Room) {
			g.Room = "room"
		}
		if !media.Valid(g.Participant) {
			g.Participant = "participant"
		}
	case "rights are not those of the grant":
		g.Rights = media.Rights{Camera: true}
	case "one may come twice":
		if g.Participant == "ann" { // in another room, so that nobody is in the way
			g.Room += "-" + time.Now().Format("150405.000000000")
		}
	case "all are in one room":
		g.Room = "room"
	}
	ticket, err := e.Scripted.Admit(ctx, g)
	if e.fault == "tickets last for ever" {
		ticket.Expires = ticket.Expires.Add(time.Hour)
	}
	return ticket, err
}

func (e broken) Participants(ctx context.Context, room string) ([]media.Participant, error) {
	if e.fault == "all are in one room" {
		room = "room"
	}
	all, err := e.Scripted.Participants(ctx, room)
	if e.fault == "the last one comes first" {
		slices.Reverse(all)
	}
	return all, err
}

func (e broken) SetRights(ctx context.Context, room, participant string, r media.Rights) error {
	if e.fault == "rights are ignored" {
		r = media.Rights{Camera: true, Microphone: true, Screen: true}
	}
	return e.Scripted.SetRights(ctx, room, participant, r)
}

func (e broken) Mute(ctx context.Context, room, participant string, s media.Source) error {
	err := e.Scripted.Mute(ctx, room, participant, s)
	if e.fault == "nobody is missed" && errors.Is(err, media.ErrNotThere) {
		err = nil
	}
	return err
}

func (e broken) Remove(ctx context.Context, room, participant string) error {
	if e.fault == "Remove does nothing" {
		return e.Scripted.Mute(ctx, room, participant, media.Microphone)
	}
	return e.Scripted.Remove(ctx, room, participant)
}

func (e broken) End(ctx context.Context, room string) error {
	if e.fault == "End does nothing" {
		return nil
	}
	return e.Scripted.End(ctx, room)
}

func (e broken) Close(ctx context.Context) error {
	if e.fault == "Close does nothing" {
		return nil
	}
	return e.Scripted.Close(ctx)
}

func (e broken) Serves(path string) bool {
	return e.fault == "more is served" || e.Scripted.Serves(path)
}

// TestBroken runs the suite against engines that are broken in one place. It fails
// where the suite does not fail in the test that has the broken promise.
func TestBroken(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ fault, test string }{
		{"tickets last for ever", "who was let in is not in the room before connecting"},
		{"the last one comes first", "participants are those who are in the room"},
		{"all are in one room", "rooms do not see each other"},
		{"rights are not those of the grant", "rights are those of the grant, and change"},
		{"rights are ignored", "rights are those of the grant, and change"},
		{"nobody is missed", "nobody can change who is not there"},
		{"Remove does nothing", "a removed participant is out, and stays out"},
		{"the gate is not asked", "a removed participant is out, and stays out"},
		{"End does nothing", "a room that ends is over for everybody"},
		{"one may come twice", "the same participant twice is there once"},
		{"the gate is not asked", "a ticket is good for its room alone"},
		{"more is served", "nothing but signalling is served"},
		{"any name is taken", "a name that is none is refused"},
		{"Close does nothing", "a closed engine lets nobody in"},
	} {
		t.Run(tt.fault+"/"+tt.test, func(t *testing.T) {
			t.Parallel()
			run := "TestScripted/" + strings.ReplaceAll(tt.test, " ", "_")
			c := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^"+strings.ReplaceAll(run, "/", "$/^")+"$")
			c.Env = append(os.Environ(), faultVariable+"="+tt.fault)
			out, err := c.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+run+" ") {
				t.Errorf("the suite passes it (error %v):\n%s", err, out)
			}
		})
	}
}

// What people publish is theirs to say as far as their rights go, and ends with
// the right or with the connection.
func TestScriptedTracks(t *testing.T) {
	t.Parallel()
	e := mediatest.NewScripted(func(context.Context, string, string) bool { return true })
	server := httptest.NewServer(e.Signal())
	t.Cleanup(server.Close)
	enter := func(id string, r media.Rights) mediatest.Person {
		t.Helper()
		ticket, err := e.Admit(t.Context(), media.Grant{Room: "room", Participant: id, Rights: r})
		if err != nil {
			t.Fatal(err)
		}
		p, err := connect(t.Context(), server.URL, ticket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Leave)
		return p
	}
	have := func(what, id string, want ...media.Track) {
		t.Helper()
		if got := e.Tracks("room", id); !slices.Equal(got, want) {
			t.Errorf("%s: %s publishes %v, want %v", what, id, got, want)
		}
	}
	camera, microphone, silent := media.Track{Source: media.Camera}, media.Track{Source: media.Microphone}, media.Track{Source: media.Microphone, Muted: true}

	if err := e.Publish("room", "ann", media.Camera); !errors.Is(err, media.ErrNotThere) {
		t.Errorf("Publish of nobody: %v", err)
	}
	first := enter("ann", media.Rights{Camera: true, Microphone: true})
	enter("bob", media.Rights{Microphone: true})
	for _, s := range []media.Source{media.Camera, media.Microphone} {
		if err := e.Publish("room", "ann", s); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Publish("room", "ann", media.Screen); err == nil {
		t.Error("a screen is published without the right to")
	}
	if err := e.Publish("room", "bob", media.Microphone); err != nil {
		t.Fatal(err)
	}
	have("published", "ann", camera, microphone)
	if err := e.Mute(t.Context(), "room", "ann", media.Microphone); err != nil {
		t.Fatal(err)
	}
	have("muted", "ann", camera, silent)
	have("muted", "bob", microphone)
	if err := e.SetRights(t.Context(), "room", "ann", media.Rights{Microphone: true}); err != nil {
		t.Fatal(err)
	}
	have("without the right to its camera", "ann", silent)
	if err := e.Publish("room", "ann", media.Microphone); err != nil {
		t.Fatal(err)
	}
	have("unmuted", "ann", microphone)

	enter("ann", media.Rights{Microphone: true})
	<-first.Ended()
	have("connected again", "ann")
	if err := e.Remove(t.Context(), "room", "bob"); err != nil {
		t.Fatal(err)
	}
	have("removed", "bob")
}

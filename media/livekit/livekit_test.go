package livekit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/media/mediatest"
)

// A caller is a person who signals and sends no media.
type caller struct {
	socket *websocket.Conn
	ended  chan struct{}
}

func (c *caller) Ended() <-chan struct{} { return c.ended }

func (c *caller) Leave() {
	leave, err := proto.Marshal(&livekit.SignalRequest{Message: &livekit.SignalRequest_Leave{Leave: &livekit.LeaveRequest{}}})
	if err == nil {
		_ = c.socket.WriteMessage(websocket.BinaryMessage, leave)
	}
	_ = c.socket.Close()
}

// connect connects as LiveKit's own clients do, and returns when the server has
// said that it is so.
func connect(ctx context.Context, origin string, ticket media.Ticket) (mediatest.Person, error) {
	query := url.Values{"access_token": {ticket.Token}, "protocol": {"16"}, "sdk": {"go"}, "auto_subscribe": {"1"}}
	socket, answer, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(origin, "http")+"/rtc?"+query.Encode(), http.Header{})
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, raw, err := socket.ReadMessage()
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	var first livekit.SignalResponse
	if err := proto.Unmarshal(raw, &first); err != nil || first.GetJoin() == nil {
		_ = socket.Close()
		return nil, fmt.Errorf("the first message is %v, error %v", &first, err)
	}
	_ = socket.SetReadDeadline(time.Time{})
	c := &caller{socket, make(chan struct{})}
	go func() {
		defer close(c.ended)
		for {
			_, raw, err := socket.ReadMessage()
			if err != nil {
				return
			}
			var message livekit.SignalResponse
			if proto.Unmarshal(raw, &message) == nil && message.GetLeave() != nil {
				return
			}
		}
	}()
	return c, nil
}

// There can be one server in a process: it is tried as somebody else's first, by
// its URL and key, and then as this process's own.
func TestEngine(t *testing.T) {
	inside := &embedded{options: Options{NodeIP: "127.0.0.1"}}
	t.Run("external", func(t *testing.T) {
		mediatest.Run(t, mediatest.Setup{Connect: connect, Open: func(t *testing.T, gate media.Gate) media.Engine {
			e, err := inside.start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			outside, err := External(e.url.String(), e.key, e.secret, gate)
			if err != nil {
				t.Fatal(err)
			}
			return outside
		}})
	})
	t.Run("embedded", func(t *testing.T) {
		mediatest.Run(t, mediatest.Setup{Connect: connect, Inside: true, Open: func(_ *testing.T, gate media.Gate) media.Engine {
			return &Engine{gate: gate, server: inside.start, close: inside.stop}
		}})
	})
}

package join

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
)

const (
	// beat is how often a quiet stream says that it is there.
	beat = 10 * time.Second
	// closedFor is how long tabs that lost their connection hear that the meeting was
	// ended meanwhile.
	closedFor = 10 * time.Minute
	// page is how many messages a stream reads at once.
	pageOfMessages = 200
)

// events serves POST /room/events: a stream of what the tab may show, as long as
// it is there.
func (h *Handler) events(w http.ResponseWriter, c *call) error {
	ctx := c.Context()
	r, err := h.Rooms.Store.Room(ctx, c.key.Room())
	if err != nil && !errors.Is(err, ErrNoRoom) {
		return err
	}
	tab := r.Tabs[c.Tab]
	if tab == nil && h.Now().Sub(r.Closed) < closedFor {
		return errEnded
	} else if tab == nil || tab.Person != c.visitor.Key {
		return errNotThere
	}
	organizer, err := h.organizer(ctx, &c.meeting)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	header := w.Header()
	header.Set("Content-Type", "application/x-ndjson")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	st := &stream{tab: c.Tab, visitor: c.visitor, views: make(chan *scene, 1)}
	hub := h.Rooms.attach(c.key, st)
	defer func() { hub.detach(st, h.Now()) }()
	_ = control.SetReadDeadline(time.Time{}) // the body was read; what ends the stream is its context
	send := func(line any) bool {
		text, err := json.Marshal(line)
		if err == nil {
			err = control.SetWriteDeadline(time.Now().Add(2 * beat))
		}
		if err == nil {
			_, err = w.Write(append(text, '\n'))
		}
		return err == nil && control.Flush() == nil
	}
	begun, last, after := h.Now(), []byte(nil), max(c.After, 0)
	timer := time.NewTicker(beat)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.Rooms.stopping:
			return nil
		case <-timer.C:
			if !send(struct{}{}) {
				return nil
			}
		case sc := <-st.views:
			v := viewOf(sc, c.Tab, organizer, begun, h.Now())
			text, err := json.Marshal(v)
			if err != nil {
				h.Log.ErrorContext(ctx, "view cannot be written", "error", err)
				return nil
			}
			if !slices.Equal(text, last) {
				if last = text; !send(map[string]json.RawMessage{"view": text}) {
					return nil
				}
			}
			if v.State != string(Admitted) && v.State != string(Waiting) {
				return nil // an end
			}
			if v.inside != nil && v.May.Chat.Allowed {
				if after, err = h.sendMessages(c, sc, after, send); err != nil {
					return nil
				}
			}
		}
	}
}

type messageView struct {
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Name string    `json:"name"`
	Me   bool      `json:"me"`
	Text string    `json:"text"`
}

var errSent = errors.New("the stream has ended")

// sendMessages sends what was said after a message, as far as the tab may know.
func (h *Handler) sendMessages(c *call, sc *scene, after int64, send func(any) bool) (int64, error) {
	from := since(sc.meeting, sc.room.People[c.visitor.Key])
	for {
		all, err := h.Rooms.Store.Messages(c.Context(), c.key, after, pageOfMessages)
		if err != nil {
			return after, err
		}
		lines := []messageView{}
		for _, m := range all {
			after = m.Seq
			if !m.Time.Before(from) {
				lines = append(lines, messageView{m.Seq, m.Time.UTC(), m.Name, m.Author == c.visitor.Key, m.Text})
			}
		}
		if len(lines) > 0 && !send(map[string]any{"messages": lines}) {
			return after, errSent
		}
		if len(all) < pageOfMessages {
			return after, nil
		}
	}
}

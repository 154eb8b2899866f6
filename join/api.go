package join

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/media"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/web"
)

// A request is a call of the page: docs/room-api.md.
type request struct {
	Link   string `json:"link"`
	Tab    string `json:"tab"`
	Name   string `json:"name"`
	After  int64  `json:"after"`
	Do     string `json:"do"`
	Target string `json:"target"`
	Role   Role   `json:"role"`
	Up     bool   `json:"up"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
}

// maxRequest is the size of a call, in bytes.
const maxRequest = 32 << 10

// maxText is how many characters a message has.
const maxText = 4000

// A call is a request whose sender and meeting are known.
type call struct {
	*http.Request
	request
	visitor *Visitor
	meeting meeting.Meeting
	key     Key
}

// A refusal is an error that the page is told. Where a person may read its
// message, that is the key of a text.
type refusal struct {
	status  int
	code    string
	message string
	retry   time.Duration
}

func (e *refusal) Error() string { return e.message }

func badRequest(message string) error {
	return &refusal{http.StatusBadRequest, "badRequest", message, 0}
}

// serveAPI answers a call of the page.
func (h *Handler) serveAPI(w http.ResponseWriter, r *http.Request) {
	var answer any
	c, err := h.call(w, r)
	if err == nil {
		switch r.URL.Path {
		case "/room/knock":
			answer, err = h.knock(c)
		case "/room/events":
			if err = h.events(w, c); err == nil {
				return
			}
		case "/room/act":
			answer, err = h.act(c)
		default:
			err = &refusal{http.StatusNotFound, "notFound", "There is no such call.", 0}
		}
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	h.writeJSON(w, http.StatusOK, answer)
}

func (h *Handler) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		h.Log.Error("answer cannot be written", "error", err)
		status, body = http.StatusServiceUnavailable, []byte(`{"error":{"code":"unavailable","message":"Try again in a moment."}}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone, and nobody is left to tell
}

// refuse tells the page of an error: what it may learn of it.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := h.explain(r.Context(), err)
	type problem struct {
		Code       string `json:"code"`
		Message    string `json:"message"`
		RetryAfter int    `json:"retryAfter,omitzero"`
	}
	p := problem{Code: e.code, Message: e.message}
	if text, ok := web.Texts(language(r))[e.message]; ok {
		p.Message = text
	}
	if e.retry > 0 {
		p.RetryAfter = int((e.retry + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	h.writeJSON(w, e.status, struct {
		Error problem `json:"error"`
	}{p})
}

func (h *Handler) explain(ctx context.Context, err error) *refusal {
	if e, ok := errors.AsType[*refusal](err); ok {
		return e
	}
	if e, ok := errors.AsType[*barredError](err); ok {
		message := "refused.barred"
		if e.refused == Removed {
			message = "refused.barredRemoved"
		}
		return &refusal{http.StatusForbidden, "barred", message, e.left}
	}
	switch {
	case errors.Is(err, errGone):
		return &refusal{http.StatusGone, "gone", "refused.gone", 0}
	case errors.Is(err, meeting.ErrNotFound), errors.Is(err, ErrNoRoom):
		return &refusal{http.StatusNotFound, "notFound", "refused.missing", 0}
	case errors.Is(err, errNotThere):
		return &refusal{http.StatusConflict, "notInMeeting", "refused.notThere", 0}
	case errors.Is(err, errRemoved):
		return &refusal{http.StatusConflict, "removed", "refused.barredRemoved", 0}
	case errors.Is(err, errEnded):
		return &refusal{http.StatusConflict, "ended", "refused.ended", 0}
	case errors.Is(err, errForbidden):
		return &refusal{http.StatusForbidden, "forbidden", "refused.forbidden", 0}
	case errors.Is(err, errTabs):
		return &refusal{http.StatusForbidden, "forbidden", "refused.tabs", 0}
	case errors.Is(err, errFull):
		return &refusal{http.StatusForbidden, "forbidden", "refused.full", 0}
	case errors.Is(err, errDisabled):
		return &refusal{http.StatusForbidden, "forbidden", "refused.disabled", 0}
	case errors.Is(err, errNoCookie):
		return &refusal{http.StatusForbidden, "forbidden", "refused.cookies", 0}
	case !errors.Is(err, context.Canceled):
		h.Log.ErrorContext(ctx, "call of a page failed", "error", err)
	}
	return &refusal{http.StatusServiceUnavailable, "unavailable", "refused.unavailable", 5 * time.Second}
}

// call reads a request and finds out whose it is and about which meeting.
func (h *Handler) call(w http.ResponseWriter, r *http.Request) (*call, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &refusal{http.StatusMethodNotAllowed, "badRequest", "Calls are made with POST.", 0}
	}
	if origin := r.Header.Get("Origin"); origin != h.Origin(r) {
		return nil, &refusal{http.StatusForbidden, "badOrigin", "This call came from another site.", 0}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "badRequest", "Send application/json.", 0}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "badRequest", "The call is too large or did not arrive whole.", 0}
	}
	c := &call{Request: r}
	if !utf8.Valid(body) || json.Unmarshal(body, &c.request) != nil {
		return nil, badRequest("The call is not the JSON that docs/room-api.md describes.")
	}
	for _, s := range []string{c.Tab, c.Target} {
		if s != "" && !media.Valid(s) {
			return nil, badRequest("tab and target are ids that a knock gave.")
		}
	}
	if c.visitor, err = h.visitor(r); err != nil {
		return nil, err
	}
	if c.meeting, err = h.linked(r.Context(), c.Link); err != nil {
		return nil, err
	}
	c.key = KeyOf(&c.meeting)
	return c, nil
}

// linked is the meeting that a join link's path and query name.
func (h *Handler) linked(ctx context.Context, link string) (meeting.Meeting, error) {
	u, err := url.Parse(link)
	if err != nil {
		return meeting.Meeting{}, meeting.ErrNotFound
	}
	owner, thread, message, err := meeting.ParseLink(u.EscapedPath(), u.RawQuery)
	if err != nil {
		return meeting.Meeting{}, err
	}
	return h.byLink(ctx, owner, thread, message)
}

// ticketAnswer is what a browser joins the media engine with.
type ticketAnswer struct {
	Token string `json:"token"`
	URL   string `json:"url"`
}

func (h *Handler) ticket(c *call, r *Room, id string) (*ticketAnswer, error) {
	t, err := h.Rooms.Ticket(c.Context(), &c.meeting, r, id)
	if err != nil {
		return nil, err
	}
	return &ticketAnswer{t.Token, "wss" + strings.TrimPrefix(h.Origin(c.Request), "https")}, nil
}

// source is where a request came from.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func tooMany(l *limiter) error {
	return &refusal{http.StatusTooManyRequests, "tooMany", "refused.often", l.span}
}

// knock serves POST /room/knock.
func (h *Handler) knock(c *call) (any, error) {
	now := h.Now()
	if !h.knocks.take(c.visitor.Key, now) {
		return nil, tooMany(&h.knocks)
	}
	if !h.sources.take(source(c.Request), now) || !h.doors.take(source(c.Request)+" "+c.key.Room(), now) {
		return nil, tooMany(&h.sources)
	}
	name := c.visitor.Name
	if c.visitor.Guest() {
		if name = displayName(c.Name); name == "" {
			return nil, badRequest("refused.name")
		}
	}
	var tab *Tab
	id := ""
	r, err := h.Rooms.Store.UpdateRoom(c.Context(), c.key, func(r *Room) (err error) {
		tab, id, err = r.knock(&c.meeting, c.visitor, c.Tab, name, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer := struct {
		Tab    string        `json:"tab"`
		State  State         `json:"state"`
		Ticket *ticketAnswer `json:"ticket,omitzero"`
	}{Tab: id, State: tab.State}
	if tab.State == Admitted {
		if answer.Ticket, err = h.ticket(c, &r, id); err != nil {
			// It is admitted all the same, and asks for a ticket again.
			h.Log.WarnContext(c.Context(), "no ticket", "error", err)
		}
	}
	return answer, nil
}

// organizer is the display name of a meeting's organizer.
func (h *Handler) organizer(ctx context.Context, m *meeting.Meeting) (string, error) {
	u, err := h.Directory.UserByID(ctx, m.Tenant, m.User)
	if errors.Is(err, identity.ErrUnknown) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return u.DisplayName, nil
}

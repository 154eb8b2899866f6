// Package join is the way into a meeting: the pages behind the links that an
// onlineMeeting carries, the lobby, and what people do in the room. It knows
// nothing of Graph's wire, tokens or SQL, and of media no more than its contract.
//
// Start at [Handler]; what holds in a room is in [Room] and lobby.go, who may what
// in rules.go, what connects them to browsers and to the media engine in [Rooms].
// Links are taken apart by package meeting; docs/room-api.md is what pages and
// server say to each other.
package join

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/web"
)

// A Handler serves the pages, and the calls that they make. Who has a meeting's
// link may see its subject, time and organizer, as in Teams.
type Handler struct {
	Rooms     *Rooms
	Meetings  *meeting.Service
	Directory *identity.Directory
	Accounts  identity.Store // of sessions, and of the audit log
	SignIn    SignIn         // nil: everybody is a guest
	Log       *slog.Logger
	Origin    func(*http.Request) string // "https://host:port" under which a request came
	Now       func() time.Time
	// Frames are the origins whose pages may show ours in a frame.
	Frames []string

	crossSite *http.CrossOriginProtection

	guesses  limiter // wrong meeting ids and passcodes, by source
	cracking limiter // wrong passcodes, by meeting
	knocks   limiter // by visitor
	sources  limiter // knocks, by source
	doors    limiter // knocks, by source and meeting
	acts     limiter // by tab
	says     limiter // by visitor
}

// NewHandler returns a handler whose exported fields are still to be filled in.
func NewHandler() *Handler {
	return &Handler{
		crossSite: http.NewCrossOriginProtection(),
		// With 12 digits or more a guess at a meeting's number hits one of a million
		// about once in a million; at this rate that takes a source a year.
		guesses:  limiter{most: 10, span: 10 * time.Minute},
		cracking: limiter{most: 100, span: 10 * time.Minute},
		knocks:   limiter{most: 30, span: time.Minute},
		// A school or an office is one source.
		sources: limiter{most: 3000, span: time.Minute},
		doors:   limiter{most: 300, span: time.Minute},
		acts:    limiter{most: 100, span: 10 * time.Second},
		says:    limiter{most: 30, span: 10 * time.Second},
	}
}

// Serves reports whether ServeHTTP answers a path.
func (h *Handler) Serves(path string) bool {
	switch path {
	case "/", "/meet", "/meetingOptions", "/sign-in", signedInPath, "/sign-out", "/favicon.ico", "/robots.txt", meeting.AppointmentPath:
		return true
	}
	for _, prefix := range []string{"/l/", "/meet/", "/meetingOptions/", "/dialin/", "/room/"} {
		if path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// ServeHTTP answers with a page, whatever happens, or a call of one.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/room/") {
		h.serveAPI(w, r)
		return
	}
	posted := r.Method == http.MethodPost
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !posted || posted && !takesForms(r.URL.Path) {
		w.Header().Set("Allow", "GET, HEAD")
		h.problem(w, r, http.StatusMethodNotAllowed, "problem.method")
		return
	}
	if posted && h.crossSite.Check(r) != nil {
		h.problem(w, r, http.StatusForbidden, "problem.origin")
		return
	}
	if err := h.serve(w, r); err != nil {
		h.fail(w, r, err)
	}
}

// takesForms reports whether forms are posted to a path.
func takesForms(path string) bool {
	return path == "/meet" || path == "/sign-out" || strings.HasPrefix(path, "/meetingOptions") || strings.HasPrefix(path, meeting.LinkPath)
}

// Misdirected answers a request whose Host header names no origin of this server.
func (h *Handler) Misdirected(w http.ResponseWriter, r *http.Request) {
	h.problem(w, r, http.StatusMisdirectedRequest, "problem.misdirected")
}

var (
	errManyGuesses = errors.New("too many guesses")
	errForm        = errors.New("the form is malformed or too large")
	// errGone is a meeting that there was.
	errGone = errors.New("the meeting was deleted or has expired")
)

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errGone):
		h.problem(w, r, http.StatusGone, "problem.gone")
	case errors.Is(err, meeting.ErrNotFound), errors.Is(err, identity.ErrUnknown):
		h.problem(w, r, http.StatusNotFound, "problem.missing")
	case errors.Is(err, errForm):
		h.problem(w, r, http.StatusBadRequest, "problem.form")
	case errors.Is(err, errManyGuesses):
		w.Header().Set("Retry-After", "600")
		h.problem(w, r, http.StatusTooManyRequests, "problem.guesses")
	case errors.Is(err, errDisabled):
		h.dropCookie(w, accountCookie)
		h.problem(w, r, http.StatusForbidden, "problem.disabled")
	case errors.Is(err, errSignIn):
		h.Log.InfoContext(r.Context(), "sign-in to the pages failed", "error", err)
		h.problem(w, r, http.StatusForbidden, "problem.signIn")
	case errors.Is(err, errNoSignIn):
		h.problem(w, r, http.StatusNotFound, "problem.noSignIn")
	default:
		h.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "5")
		h.problem(w, r, http.StatusServiceUnavailable, "problem.unavailable")
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	switch path := r.URL.Path; {
	case path == "/favicon.ico":
		http.Redirect(w, r, web.Path("favicon.svg"), http.StatusFound)
		return nil
	case path == "/robots.txt":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := w.Write([]byte("User-agent: *\nDisallow: /\n"))
		return err
	case path == "/":
		h.page(w, r, http.StatusOK, "home.html", enterPage{})
		return nil
	case path == "/meet":
		return h.enter(w, r)
	case strings.HasPrefix(path, "/meet/"):
		return h.short(w, r)
	case path == "/sign-in":
		return h.startSignIn(w, r)
	case path == signedInPath:
		return h.finishSignIn(w, r)
	case path == "/sign-out" && r.Method == http.MethodPost:
		return h.signOut(w, r)
	case strings.HasPrefix(path, "/meetingOptions"):
		return h.options(w, r)
	case strings.HasPrefix(path, "/dialin/"):
		return h.dialin(w, r)
	case path == meeting.AppointmentPath:
		return h.appointment(w, r)
	}
	path, query := r.URL.EscapedPath(), r.URL.RawQuery
	for suffix, serve := range map[string]func(http.ResponseWriter, *http.Request, *meeting.Meeting) error{
		"/invite.ics": h.invitation, "/attendance.csv": h.attendance,
	} {
		if link, ok := strings.CutSuffix(path, suffix); ok {
			owner, thread, message, err := meeting.ParseLink(link, query)
			if err != nil {
				return err
			}
			m, err := h.byLink(r.Context(), owner, thread, message)
			if err != nil {
				return err
			}
			return serve(w, r, &m)
		}
	}
	owner, thread, message, err := meeting.ParseLink(path, query)
	if err != nil {
		return err
	}
	m, err := h.byLink(r.Context(), owner, thread, message)
	if err != nil {
		return err
	}
	return h.meeting(w, r, &m)
}

// byLink finds the meeting of a link, and says of one that there was that it is
// gone.
func (h *Handler) byLink(ctx context.Context, owner meeting.Owner, thread, message string) (meeting.Meeting, error) {
	m, err := h.Meetings.ByLink(ctx, owner, thread, message)
	if !errors.Is(err, meeting.ErrNotFound) {
		return m, err
	}
	gone, unknown := h.Meetings.Gone(ctx, owner, thread, message)
	if unknown != nil {
		return m, unknown
	} else if gone {
		return m, errGone
	}
	return m, err
}

// appointment sends who opened a virtual appointment link to the meeting.
func (h *Handler) appointment(w http.ResponseWriter, r *http.Request) error {
	tenant, thread, message, err := meeting.ParseAppointmentLink(r.URL.Query())
	if err != nil {
		return err
	}
	m, err := h.Meetings.ByThread(r.Context(), tenant, thread, message)
	if err != nil {
		return err
	}
	http.Redirect(w, r, string(m.AppendLink(nil)), http.StatusSeeOther)
	return nil
}

// digitsOf leaves the digits of a meeting id, which people type with blanks.
func digitsOf(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, c := range s {
		if (c < '0' || c > '9') && c != ' ' && c != '-' {
			return ""
		}
	}
	return strings.NewReplacer(" ", "", "-", "").Replace(s)
}

func title(m meeting.Meeting) string {
	if m.Subject == nil || strings.TrimSpace(*m.Subject) == "" {
		return "Meeting"
	}
	return *m.Subject
}

// spanText says a span of time in UTC, which is right for everybody.
func spanText(start, end time.Time) string {
	const day, clock = "2 January 2006", "15:04"
	start, end = start.UTC(), end.UTC()
	switch {
	case start.Equal(end):
		return start.Format(day+", "+clock) + " UTC"
	case start.Format(day) == end.Format(day):
		return start.Format(day+", "+clock) + "–" + end.Format(clock) + " UTC"
	}
	return start.Format(day+", "+clock) + " – " + end.Format(day+", "+clock) + " UTC"
}

// telephone writes a number as a tel: address does (RFC 3966); commas wait.
func telephone(number string) template.URL {
	return template.URL("tel:" + strings.Map(func(c rune) rune {
		if c == '+' || c == ',' || c == '#' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, number))
}

// A number is a row of the dial-in page.
type number struct {
	Kind, Number string       // Kind is the key of a text
	Link         template.URL // of digits alone
}

// dialin lists the numbers of a tenant, and the conference id of the meeting
// whose link it is.
func (h *Handler) dialin(w http.ResponseWriter, r *http.Request) error {
	name, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/dialin/"))
	if err != nil {
		return meeting.ErrNotFound
	}
	tenant, err := h.Directory.Tenant(r.Context(), strings.TrimSuffix(name, "/"))
	if err != nil {
		return err
	}
	a := tenant.AudioConferencing
	if a == nil {
		h.problem(w, r, http.StatusNotFound, "problem.numbers")
		return nil
	}
	conference := digitsOf(r.URL.Query().Get("id"))
	if len(conference) != 9 {
		conference = ""
	}
	suffix := ""
	if conference != "" {
		suffix = ",," + conference + "#"
	}
	var numbers []number
	add := func(kind, first string, others []string) {
		for _, n := range append([]string{first}, others...) {
			if n != "" {
				numbers = append(numbers, number{kind, n, telephone(n + suffix)})
			}
		}
	}
	add("dialin.toll", a.TollNumber, a.TollNumbers)
	add("dialin.tollFree", a.TollFreeNumber, a.TollFreeNumbers)
	h.page(w, r, http.StatusOK, "dialin.html", struct {
		Domain, ConferenceID string
		Numbers              []number
	}{tenant.Domain, meeting.Grouped(conference), numbers})
	return nil
}

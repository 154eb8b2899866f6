// Package join is the way into a meeting: the pages behind the links that an
// onlineMeeting carries. It knows nothing of Graph's wire, tokens or SQL.
//
// Start at [Handler]. Links are taken apart by package meeting; the pages are
// templates in pages, written as web/README.md describes.
package join

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/web"
)

// A Handler serves the pages. Who has a meeting's link may see its subject,
// time and organizer, as in Teams.
type Handler struct {
	Meetings  *meeting.Service
	Directory *identity.Directory
	Log       *slog.Logger
	Origin    func(*http.Request) string // "https://host:port" under which a request came
	Now       func() time.Time

	guesses limiter
}

//go:embed pages/*.html
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"asset": web.Path}).ParseFS(files, "pages/*.html"))

// policy is what the pages live with: see web/README.md.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// Serves reports whether ServeHTTP answers a path.
func (h *Handler) Serves(path string) bool {
	switch path {
	case "/", "/meet", "/meetingOptions", "/favicon.ico", "/robots.txt", meeting.AppointmentPath:
		return true
	}
	for _, prefix := range []string{"/l/", "/meet/", "/meetingOptions/", "/dialin/"} {
		if path == strings.TrimSuffix(prefix, "/") {
			return true
		}
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// ServeHTTP answers with a page, whatever happens.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.write(w, http.StatusMethodNotAllowed, "problem.html", problem{"This page can only be read", "Open it in a browser, without sending anything to it."})
		return
	}
	if err := h.serve(w, r); err != nil {
		h.fail(w, r, err)
	}
}

// Misdirected answers a request whose Host header names no origin of this server.
func (h *Handler) Misdirected(w http.ResponseWriter) {
	h.write(w, http.StatusMisdirectedRequest, "problem.html", problem{"This is not the address of this server", "Use the address that it printed when it started. Who runs it can give it this one with --public-url."})
}

// A problem is what a page without its content says.
type problem struct{ Title, Text string }

var errManyGuesses = errors.New("too many guesses")

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, meeting.ErrNotFound), errors.Is(err, identity.ErrUnknown):
		h.write(w, http.StatusNotFound, "problem.html", problem{"There is no such meeting", "The link may be incomplete, or the meeting was deleted or has expired. Ask the organizer for the link."})
	case errors.Is(err, errManyGuesses):
		w.Header().Set("Retry-After", "60")
		h.write(w, http.StatusTooManyRequests, "problem.html", problem{"Too many wrong meeting IDs", "Wait a minute and try again, or use the link of the invitation."})
	default:
		h.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "5")
		h.write(w, http.StatusServiceUnavailable, "problem.html", problem{"The meeting cannot be shown right now", "Try again in a moment."})
	}
}

func (h *Handler) write(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		h.Log.Error("page cannot be written", "page", name, "error", err)
		http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the client is gone, and nobody is left to tell
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
		h.write(w, http.StatusOK, "home.html", nil)
		return nil
	case path == "/meet":
		return h.enter(w, r)
	case strings.HasPrefix(path, "/meet/"):
		return h.short(w, r)
	case strings.HasPrefix(path, "/meetingOptions"):
		return h.options(w, r)
	case strings.HasPrefix(path, "/dialin/"):
		return h.dialin(w, r)
	case path == meeting.AppointmentPath:
		return h.appointment(w, r)
	}
	owner, thread, message, err := meeting.ParseLink(r.URL.EscapedPath(), r.URL.RawQuery)
	if err != nil {
		return err
	}
	m, err := h.Meetings.ByLink(r.Context(), owner, thread, message)
	if err != nil {
		return err
	}
	return h.meeting(w, r, m)
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

// enter sends whoever typed a meeting id to the meeting's short link.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request) error {
	id := digitsOf(r.URL.Query().Get("id"))
	if id == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, "/meet/"+id, http.StatusSeeOther)
	return nil
}

// short serves /meet/{digits}. The digits can be guessed, so a source that
// guesses wrong too often has to wait.
func (h *Handler) short(w http.ResponseWriter, r *http.Request) error {
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !h.guesses.allowed(source, h.Now()) {
		return errManyGuesses
	}
	id := digitsOf(strings.TrimPrefix(r.URL.Path, "/meet/"))
	if len(id) < 10 || len(id) > 15 {
		return meeting.ErrNotFound
	}
	m, err := h.Meetings.ByJoinMeetingID(r.Context(), id)
	if errors.Is(err, meeting.ErrNotFound) {
		h.guesses.wrong(source, h.Now())
	}
	if err != nil {
		return err
	}
	return h.meeting(w, r, m)
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

// meetingPage is what the page of a meeting shows.
type meetingPage struct {
	Title, Organizer, Domain, When, Start, End string
	MeetingID, VideoID, Link                   string
	Toll, ConferenceID, Dialin                 string
	TollLink                                   template.URL // of digits alone
}

func (h *Handler) meeting(w http.ResponseWriter, r *http.Request, m meeting.Meeting) error {
	tenant, err := h.Directory.Tenant(r.Context(), m.Tenant)
	if err != nil {
		return err
	}
	origin := h.Origin(r)
	p := meetingPage{
		Title: title(m), Organizer: "Somebody who has left", Domain: tenant.Domain,
		When: spanText(m.Start, m.End), Start: m.Start.Format(time.RFC3339), End: m.End.Format(time.RFC3339),
		MeetingID: meeting.Grouped(m.JoinMeetingID), VideoID: m.VideoTeleconferenceID,
		Link: origin + string(m.AppendLink(nil)),
	}
	if u, err := h.Directory.UserByID(r.Context(), m.Tenant, m.User); err == nil {
		p.Organizer = u.DisplayName
	} else if !errors.Is(err, identity.ErrUnknown) {
		return err
	}
	if m.ConferenceID != "" {
		p.Toll, p.ConferenceID, p.TollLink = m.TollNumber, meeting.Grouped(m.ConferenceID), telephone(m.TollNumber+",,"+m.ConferenceID+"#")
		p.Dialin = string(m.AppendDialinLink(nil))
	}
	h.write(w, http.StatusOK, "meeting.html", p)
	return nil
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

// A setting is a row of the options page.
type setting struct{ Name, Value string }

// options shows what the organizer decided. It changes nothing: that is done
// through the API.
func (h *Handler) options(w http.ResponseWriter, r *http.Request) error {
	owner, thread, message, err := meeting.ParseOptionsLink(r.URL.Query())
	if err != nil {
		return err
	}
	m, err := h.Meetings.ByLink(r.Context(), owner, thread, message)
	if err != nil {
		return err
	}
	h.write(w, http.StatusOK, "options.html", struct {
		Title, Link string
		Settings    []setting
	}{title(m), string(m.AppendLink(nil)), settings(m.Options)})
	return nil
}

func settings(o meeting.Options) []setting {
	yes := func(v bool) string {
		if v {
			return "Yes"
		}
		return "No"
	}
	return []setting{
		{"Who can bypass the lobby", map[meeting.LobbyScope]string{
			meeting.LobbyOrganizer: "Only the organizer", meeting.LobbyOrganization: "People in the organization",
			meeting.LobbyOrganizationAndFederated: "People in the organization and in trusted ones", meeting.LobbyEveryone: "Everyone",
			meeting.LobbyInvited: "People who were invited", meeting.LobbyOrganizationExcludingGuests: "People in the organization, without guests",
		}[o.LobbyBypassScope]},
		{"Callers by telephone bypass the lobby", yes(o.IsDialInBypassEnabled)},
		{"Who can present", map[meeting.Presenters]string{
			meeting.PresentersEveryone: "Everyone", meeting.PresentersOrganization: "People in the organization",
			meeting.PresentersByRole: "The presenters who are named", meeting.PresentersOrganizer: "Only the organizer",
		}[o.AllowedPresenters]},
		{"Announce when people join and leave", yes(o.IsEntryExitAnnounced)},
		{"Attendees may switch their microphone on", yes(o.AllowAttendeeToEnableMic)},
		{"Attendees may switch their camera on", yes(o.AllowAttendeeToEnableCamera)},
		{"Record automatically", yes(o.RecordAutomatically)},
		{"Meeting chat", map[meeting.ChatMode]string{meeting.ChatEnabled: "On", meeting.ChatDisabled: "Off", meeting.ChatLimited: "Only during the meeting"}[o.AllowMeetingChat]},
		{"Reactions", yes(o.AllowTeamworkReactions)},
	}
}

// A number is a row of the dial-in page.
type number struct {
	Kind, Number string
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
		h.write(w, http.StatusNotFound, "problem.html", problem{"There are no numbers", "This organization offers no dial-in by telephone."})
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
	add("Toll", a.TollNumber, a.TollNumbers)
	add("Toll-free", a.TollFreeNumber, a.TollFreeNumbers)
	h.write(w, http.StatusOK, "dialin.html", struct {
		Domain, ConferenceID string
		Numbers              []number
	}{tenant.Domain, meeting.Grouped(conference), numbers})
	return nil
}

package join

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// meetingPage is what the page of a meeting shows before joining.
type meetingPage struct {
	Title, Organizer, Domain, When, Start, End string
	Link, Address, SignIn, SignOut, Account    string
	Options                                    string // address of the options page, for those who organize
	Invitation                                 string
	Calendars                                  []calendar
	Toll, ConferenceID, Dialin                 string
	TollLink                                   template.URL // of digits alone
	MeetingID, VideoID                         string
	NoMedia, Posted                            bool
}

// A calendar is one of the public ones that an appointment can be added to.
type calendar struct {
	Name string
	Link string
}

// meeting serves a meeting's join link: the page before joining, whose script
// does the rest.
func (h *Handler) meeting(w http.ResponseWriter, r *http.Request, m *meeting.Meeting) error {
	tenant, err := h.Directory.Tenant(r.Context(), m.Tenant)
	if err != nil {
		return err
	}
	visitor, err := h.visitor(r)
	if err != nil && !errors.Is(err, errNoCookie) {
		return err
	}
	link := string(m.AppendLink(nil))
	p := meetingPage{
		Title: title(*m), Domain: tenant.Domain,
		When: spanText(m.Start, m.End), Start: m.Start.Format(time.RFC3339), End: m.End.Format(time.RFC3339),
		MeetingID: meeting.Grouped(m.JoinMeetingID), VideoID: m.VideoTeleconferenceID,
		Link: link, Address: h.Origin(r) + link, SignIn: "/sign-in?return=" + url.QueryEscape(link), SignOut: "/sign-out?return=" + url.QueryEscape(link),
		Invitation: withSuffix(link, "/invite.ics"), NoMedia: h.Rooms.Engine == nil, Posted: r.Method == http.MethodPost,
	}
	if p.Organizer, err = h.organizer(r.Context(), m); err != nil {
		return err
	}
	if visitor != nil && !visitor.Guest() {
		p.Account = visitor.Name
		if baseRole(m, visitor.person()).rank() >= Coorganizer.rank() {
			p.Options = string(m.AppendOptionsLink(nil))
		}
	}
	p.Calendars = calendars(m, p.Address)
	if m.ConferenceID != "" {
		p.Toll, p.ConferenceID, p.TollLink = m.TollNumber, meeting.Grouped(m.ConferenceID), telephone(m.TollNumber+",,"+m.ConferenceID+"#")
		p.Dialin = string(m.AppendDialinLink(nil))
	}
	h.remember(w, r)
	h.page(w, r, http.StatusOK, "meeting.html", p)
	return nil
}

// withSuffix puts something behind the path of a link, before its query.
func withSuffix(link, suffix string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	return u.EscapedPath() + suffix + "?" + u.RawQuery
}

// calendars are the links that add a meeting to calendars of others. Nothing is
// sent to them unless somebody follows one.
func calendars(m *meeting.Meeting, address string) []calendar {
	const compact = "20060102T150405Z"
	start, end := m.Start.UTC(), m.End.UTC()
	google := url.Values{"action": {"TEMPLATE"}, "text": {title(*m)}, "dates": {start.Format(compact) + "/" + end.Format(compact)}, "details": {address}, "location": {address}}
	outlook := url.Values{
		"path": {"/calendar/action/compose"}, "rru": {"addevent"}, "subject": {title(*m)}, "startdt": {start.Format(time.RFC3339)},
		"enddt": {end.Format(time.RFC3339)}, "body": {address}, "location": {address},
	}
	return []calendar{
		{"Google", "https://calendar.google.com/calendar/render?" + google.Encode()},
		{"Outlook", "https://outlook.office.com/calendar/0/deeplink/compose?" + outlook.Encode()},
	}
}

// invitation serves …/invite.ics (RFC 5545).
func (h *Handler) invitation(w http.ResponseWriter, r *http.Request, m *meeting.Meeting) error {
	organizer, err := h.Directory.UserByID(r.Context(), m.Tenant, m.User)
	if err != nil && !errors.Is(err, identity.ErrUnknown) {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/calendar; charset=utf-8; method=PUBLISH")
	header.Set("Content-Disposition", `attachment; filename="invite.ics"`)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(calendarFile(m, organizer, h.Origin(r)+string(m.AppendLink(nil)), h.Now())) // the client is gone
	return nil
}

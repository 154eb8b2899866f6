package join

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/convene-meet/convene/meeting"
)

// A choice is an option of a meeting with a value for each of several texts; the
// keys of its texts are "options.NAME" and "options.NAME.VALUE".
type choice struct {
	Name   string
	Values []string
	get    func(*meeting.Options) string
	set    func(*meeting.Options, string)
}

// choiceOf makes a choice of a member of the options.
func choiceOf[T ~string](name string, member func(*meeting.Options) *T, values ...T) choice {
	c := choice{
		Name: name,
		get:  func(o *meeting.Options) string { return string(*member(o)) },
		set:  func(o *meeting.Options, v string) { *member(o) = T(v) },
	}
	for _, v := range values {
		c.Values = append(c.Values, string(v))
	}
	return c
}

var choices = []choice{
	choiceOf("lobbyBypassScope", func(o *meeting.Options) *meeting.LobbyScope { return &o.LobbyBypassScope },
		meeting.LobbyEveryone, meeting.LobbyOrganizationAndFederated, meeting.LobbyOrganization, meeting.LobbyOrganizationExcludingGuests, meeting.LobbyInvited, meeting.LobbyOrganizer),
	choiceOf("allowedLobbyAdmitters", func(o *meeting.Options) *meeting.LobbyAdmitters { return &o.AllowedLobbyAdmitters },
		meeting.AdmittersOrganizersAndPresenters, meeting.AdmittersOrganizers),
	choiceOf("allowedPresenters", func(o *meeting.Options) *meeting.Presenters { return &o.AllowedPresenters },
		meeting.PresentersEveryone, meeting.PresentersOrganization, meeting.PresentersByRole, meeting.PresentersOrganizer),
	choiceOf("allowMeetingChat", func(o *meeting.Options) *meeting.ChatMode { return &o.AllowMeetingChat },
		meeting.ChatEnabled, meeting.ChatLimited, meeting.ChatDisabled),
	choiceOf("shareMeetingChatHistoryDefault", func(o *meeting.Options) *meeting.ChatHistory { return &o.ShareMeetingChatHistoryDefault },
		meeting.ChatHistoryNone, meeting.ChatHistoryAll),
}

// A flag is an option of a meeting that is on or off.
type flag struct {
	Name   string
	member func(*meeting.Options) *bool
}

var flags = []flag{
	{"allowAttendeeToEnableMic", func(o *meeting.Options) *bool { return &o.AllowAttendeeToEnableMic }},
	{"allowAttendeeToEnableCamera", func(o *meeting.Options) *bool { return &o.AllowAttendeeToEnableCamera }},
	{"allowTeamworkReactions", func(o *meeting.Options) *bool { return &o.AllowTeamworkReactions }},
	{"allowParticipantsToChangeName", func(o *meeting.Options) *bool { return &o.AllowParticipantsToChangeName }},
	{"allowCopyingAndSharingMeetingContent", func(o *meeting.Options) *bool { return &o.AllowCopyingAndSharingMeetingContent }},
	{"isEntryExitAnnounced", func(o *meeting.Options) *bool { return &o.IsEntryExitAnnounced }},
	{"recordAutomatically", func(o *meeting.Options) *bool { return &o.RecordAutomatically }},
	{"isEnabledForContentSharing", func(o *meeting.Options) *bool { return &o.WatermarkSharedContent }},
	{"isEnabledForVideo", func(o *meeting.Options) *bool { return &o.WatermarkVideo }},
}

// optionsPage is the form with a meeting's options.
type optionsPage struct {
	Title, Link, Action string
	Choices             []choiceRow
	Flags               []flagRow
	Saved               bool
	Problem             string // what the domain says is wrong
	Reports             []reportRow
}

type choiceRow struct {
	Name, Label string
	Values      []valueRow
}

type valueRow struct {
	Value, Label string
	Chosen       bool
}

type flagRow struct {
	Name, Label string
	On          bool
}

// A reportRow is a session whose attendance can be had.
type reportRow struct {
	Start, End, When, Link string
	People                 int
}

// organizes reports whether a visitor organizes a meeting, and otherwise answers:
// with the way to sign in, or with a refusal.
func (h *Handler) organizes(w http.ResponseWriter, r *http.Request, m *meeting.Meeting) (bool, error) {
	visitor, err := h.visitor(r)
	if errors.Is(err, errNoCookie) || err == nil && visitor.Guest() {
		if h.SignIn == nil {
			return false, errNoSignIn
		}
		http.Redirect(w, r, "/sign-in?return="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return false, nil
	} else if err != nil {
		return false, err
	}
	if baseRole(m, visitor.person()).rank() < Coorganizer.rank() {
		h.problem(w, r, http.StatusForbidden, "problem.organizers")
		return false, nil
	}
	return true, nil
}

// options serves the page on which organizers decide about a meeting, by the same
// rules as the API (onlineMeeting: update).
func (h *Handler) options(w http.ResponseWriter, r *http.Request) error {
	owner, thread, message, err := meeting.ParseOptionsLink(r.URL.Query())
	if err != nil {
		return err
	}
	m, err := h.byLink(r.Context(), owner, thread, message)
	if err != nil {
		return err
	}
	if ok, err := h.organizes(w, r, &m); !ok {
		return err
	}
	status, saved, problem := http.StatusOK, r.URL.Query().Has("saved"), ""
	if r.Method == http.MethodPost {
		if err := parseForm(w, r); err != nil {
			return err
		}
		m2, err := h.Meetings.Update(r.Context(), meeting.Ref{Owner: m.Owner, Thread: m.ThreadID, Message: m.MessageID}, meeting.Change{Settings: settingsOf(r.PostForm)})
		invalid, wrong := errors.AsType[*meeting.InvalidError](err)
		switch {
		case wrong:
			status, problem = http.StatusBadRequest, invalid.Message
		case err != nil:
			return err
		default:
			h.Rooms.Changed(KeyOf(&m2))
			http.Redirect(w, r, string(m.AppendOptionsLink(nil))+"&saved", http.StatusSeeOther)
			return nil
		}
	}
	reports, err := h.Rooms.Store.Reports(r.Context(), m.Tenant, m.ThreadID, m.MessageID)
	if err != nil {
		return err
	}
	link := string(m.AppendLink(nil))
	p := optionsPage{Title: title(m), Link: link, Action: string(m.AppendOptionsLink(nil)), Saved: saved, Problem: problem}
	for _, c := range choices {
		row := choiceRow{Name: c.Name, Label: "options." + c.Name}
		for _, v := range c.Values {
			row.Values = append(row.Values, valueRow{v, "options." + c.Name + "." + v, c.get(&m.Options) == v})
		}
		p.Choices = append(p.Choices, row)
	}
	for _, f := range flags {
		p.Flags = append(p.Flags, flagRow{f.Name, "options." + f.Name, *f.member(&m.Options)})
	}
	for _, report := range reports {
		p.Reports = append(p.Reports, reportRow{
			report.Start.UTC().Format(rfc3339), report.End.UTC().Format(rfc3339), spanText(report.Start, report.End),
			withSuffix(link, "/attendance.csv") + "&report=" + report.ID, len(report.Records),
		})
	}
	h.page(w, r, status, "options.html", p)
	return nil
}

const rfc3339 = "2006-01-02T15:04:05Z07:00"

// settingsOf are the settings that the form asks for. A box that is not ticked is
// not in the form, so that what the form has is told by hidden fields.
func settingsOf(form url.Values) (all []meeting.Setting) {
	for _, c := range choices {
		if !form.Has(c.Name) {
			continue
		}
		v := form.Get(c.Name)
		all = append(all, func(o *meeting.Options) error {
			for _, known := range c.Values {
				if v == known {
					c.set(o, v)
					return nil
				}
			}
			return &meeting.InvalidError{Property: c.Name, Message: c.Name + " has no value " + url.QueryEscape(v) + "."}
		})
	}
	for _, f := range flags {
		if form.Has("has-" + f.Name) {
			on := form.Get(f.Name) == "on"
			all = append(all, func(o *meeting.Options) error { *f.member(o) = on; return nil })
		}
	}
	return all
}

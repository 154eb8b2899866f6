package join

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// enterPage is the form for a meeting id and a passcode.
type enterPage struct {
	MeetingID string
	Wrong     bool
}

// enter serves /meet: whoever types a meeting's id and passcode is sent to its
// join link. The passcode is in the form's body, never in an address.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		h.page(w, r, http.StatusOK, "home.html", enterPage{MeetingID: meeting.Grouped(digitsOf(r.URL.Query().Get("id")))})
		return nil
	}
	if err := parseForm(w, r); err != nil {
		return err
	}
	typed := r.PostForm.Get("id")
	m, err := h.guess(r, digitsOf(typed), strings.TrimSpace(r.PostForm.Get("passcode")))
	if errors.Is(err, meeting.ErrNotFound) {
		h.page(w, r, http.StatusForbidden, "home.html", enterPage{MeetingID: typed, Wrong: true})
		return nil
	} else if err != nil {
		return err
	}
	http.Redirect(w, r, string(m.AppendLink(nil)), http.StatusSeeOther)
	return nil
}

// short serves /meet/{digits}: the form where the meeting has a passcode, the
// meeting where it has none.
func (h *Handler) short(w http.ResponseWriter, r *http.Request) error {
	id := digitsOf(strings.TrimPrefix(r.URL.Path, "/meet/"))
	m, err := h.numbered(r, id)
	if err != nil {
		return err
	}
	if m.Passcode != "" {
		h.page(w, r, http.StatusOK, "home.html", enterPage{MeetingID: meeting.Grouped(id)})
		return nil
	}
	http.Redirect(w, r, string(m.AppendLink(nil)), http.StatusSeeOther)
	return nil
}

// numbered finds the meeting with a join meeting id. Ids can be guessed, so a
// source that guesses wrong too often has to wait.
func (h *Handler) numbered(r *http.Request, id string) (meeting.Meeting, error) {
	from, now := source(r), h.Now()
	if !h.guesses.allowed(from, now) {
		return meeting.Meeting{}, errManyGuesses
	}
	if len(id) < 10 || len(id) > 15 {
		return meeting.Meeting{}, meeting.ErrNotFound
	}
	m, err := h.Meetings.ByJoinMeetingID(r.Context(), id)
	if errors.Is(err, meeting.ErrNotFound) {
		h.wrong(r.Context(), from, "", "")
	}
	return m, err
}

// guess finds the meeting of an id and a passcode. A wrong passcode is answered
// like a wrong id, and counts for the source and for the meeting.
func (h *Handler) guess(r *http.Request, id, passcode string) (meeting.Meeting, error) {
	m, err := h.numbered(r, id)
	if err != nil {
		return meeting.Meeting{}, err
	}
	key := KeyOf(&m).Room()
	if m.Passcode != "" && !h.cracking.allowed(key, h.Now()) {
		return meeting.Meeting{}, errManyGuesses
	}
	if m.Passcode != "" && subtle.ConstantTimeCompare([]byte(m.Passcode), []byte(passcode)) != 1 {
		h.wrong(r.Context(), source(r), m.Tenant, m.ThreadID)
		if h.cracking.count(key, h.Now()) {
			h.audit(r.Context(), "join.guesses", m.Tenant, m.ThreadID, map[string]string{"limit": "meeting"})
		}
		return meeting.Meeting{}, meeting.ErrNotFound
	}
	return m, nil
}

// wrong counts a wrong guess, and has it in the audit log when it was the last one
// that a source had.
func (h *Handler) wrong(ctx context.Context, from, tenant, target string) {
	if h.guesses.count(from, h.Now()) {
		h.audit(ctx, "join.guesses", tenant, target, map[string]string{"limit": "source", "source": from})
	}
}

func (h *Handler) audit(ctx context.Context, action, tenant, target string, detail map[string]string) {
	text, err := json.Marshal(detail)
	if err == nil {
		err = h.Accounts.Apply(ctx, h.Now(), nil, identity.AuditEntry{At: h.Now(), Actor: "pages", Action: action, Tenant: tenant, Target: target, Detail: text})
	}
	if err != nil {
		h.Log.WarnContext(ctx, "audit entry was not written", "action", action, "error", err)
	}
}

// parseForm reads a form, and nothing else.
func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		return errForm
	}
	return nil
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/convene-meet/convene/meeting"
	"pgregory.net/rapid"
)

// clean texts are those that the domain lets through.
var clean = rapid.String().Filter(func(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") })

// instants are times in whole ticks of the years that can be written.
var instants = rapid.Custom(func(t *rapid.T) time.Time {
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	seconds := rapid.Int64Range(first.Unix(), last.Unix()).Draw(t, "second")
	return time.Unix(seconds, rapid.Int64Range(0, 9_999_999).Draw(t, "tick")*int64(meeting.Tick)).UTC()
})

func optionalText(t *rapid.T, name string) *string {
	return rapid.Ptr(clean, true).Draw(t, name)
}

var participants = rapid.Custom(func(t *rapid.T) meeting.Participant {
	return meeting.Participant{
		UPN:  optionalText(t, "upn"),
		Role: rapid.SampledFrom(append(meeting.Roles(), "")).Draw(t, "role"),
		Identities: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) meeting.Identity {
			return meeting.Identity{
				Kind:             rapid.SampledFrom([]string{"user", "guest", "phone"}).Draw(t, "kind"),
				ID:               optionalText(t, "id"),
				DisplayName:      optionalText(t, "display name"),
				TenantID:         optionalText(t, "tenant"),
				IdentityProvider: optionalText(t, "provider"),
				Email:            optionalText(t, "email"),
				ApplicationType:  optionalText(t, "application type"),
				ResourceID:       optionalText(t, "resource"),
				Hidden:           rapid.Ptr(rapid.Bool(), true).Draw(t, "hidden"),
			}
		}), 0, 3).Draw(t, "identities"),
	}
})

// fill draws what a meeting may say beside its keys and its life.
func fill(t *rapid.T, m *meeting.Meeting) {
	m.Subject = optionalText(t, "subject")
	m.Start, m.End = instants.Draw(t, "start"), instants.Draw(t, "end")
	m.Passcode = rapid.SampledFrom([]string{"", "0", "007", "s3cret"}).Draw(t, "passcode")
	m.Attendees = rapid.SliceOfN(participants, 0, 4).Draw(t, "attendees")
	m.Options = meeting.DefaultOptions()
	if rapid.Bool().Draw(t, "options") {
		m.Options.AllowRecording = rapid.Bool().Draw(t, "recording")
		m.Options.WatermarkVideo = rapid.Bool().Draw(t, "watermark")
		m.Options.AnonymizeAttendees = rapid.Bool().Draw(t, "anonymous")
		m.Options.ChatRestrictions = meeting.Chat{Given: rapid.Bool().Draw(t, "restrictions"), AllowTextOnly: rapid.Bool().Draw(t, "text only")}
		m.Options.MeetingSpokenLanguageTag = clean.Draw(t, "language")
		m.Options.SensitivityLabelID = clean.Draw(t, "label")
		m.Options.MeetingTemplateID = clean.Draw(t, "template")
		if rapid.Bool().Draw(t, "broadcast") {
			m.Options.IsBroadcast = true
			m.Options.BroadcastSettings = &meeting.Broadcast{
				AllowedAudience: meeting.AudienceOrganization, HasCaptions: rapid.Bool().Draw(t, "captions"),
				SpokenLanguage: clean.Draw(t, "caption"), TranslationLanguages: rapid.SliceOfN(clean, 0, 3).Draw(t, "translations"),
			}
		}
		m.Options.AllowMeetingChat = rapid.SampledFrom([]meeting.ChatMode{meeting.ChatEnabled, meeting.ChatDisabled, meeting.ChatLimited}).Draw(t, "chat")
	}
}

// comesBack: whatever a meeting says, every way to it says the same.
func comesBack(t *testing.T, s meeting.Store) {
	rapid.Check(t, func(r *rapid.T) {
		owner := newOwner()
		if rapid.Bool().Draw(r, "odd ids") {
			owner = meeting.Owner{Tenant: "t" + clean.Draw(r, "tenant") + owner.Tenant, User: "u" + clean.Draw(r, "user")}
		}
		m := newMeeting(owner, "x"+clean.Draw(r, "external id"))
		fill(r, &m)
		m.Created = instants.Filter(func(i time.Time) bool { return i.Year() < 9000 }).Draw(r, "created")
		m.Expires = m.Created.Add(time.Duration(rapid.Int64Range(1, 1e12).Draw(r, "life")) * meeting.Tick)
		n := drawn()
		if rapid.Bool().Draw(r, "channel") {
			n.thread, n.message = "19:"+meeting.NewGUID()+"@thread.tacv2", "1772625600000"
		}
		want := m
		n.give(&want)
		same(r, "CreateOrGet", mustCreateWith(r, s, m, n), want)
		for _, l := range lookups {
			got, err := l.by(s, &want, m.Created)
			if err != nil {
				r.Fatalf("%s: %v", l.name, err)
			}
			same(r, l.name, got, want)
		}
		same(r, "CreateOrGet", mustGet(r, s, m), want)
	})
}

// likeModel does random things to a store and to a model of it, in which every
// rule is a line, and compares what they say.
func likeModel(t *testing.T, s meeting.Store) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{t: t, store: s, now: noon, prefix: drawn().join[:8], rows: map[string]meeting.Meeting{}}
		for range 2 {
			m.owners = append(m.owners, newOwner())
		}
		m.owners = append(m.owners, meeting.Owner{Tenant: m.owners[0].Tenant, User: m.owners[1].User})
		r.Repeat(map[string]func(*rapid.T){
			"create": m.create,
			"update": m.update,
			"delete": m.remove,
			"look":   m.look,
			"wait":   m.wait,
			"crash": func(r *rapid.T) {
				if rapid.IntRange(0, 15).Draw(r, "crash") == 11 { // seldom: it takes long
					m.store = crash(t, m.store)
				}
			},
		})
		s = m.store
	})
}

type model struct {
	t      *testing.T
	store  meeting.Store
	now    time.Time
	prefix string // of all numbers of this run, so that runs do not meet
	owners []meeting.Owner
	rows   map[string]meeting.Meeting // by owner and external id
	ever   []meeting.Meeting          // that were made
}

func rowKey(m *meeting.Meeting) string { return m.Tenant + "/" + m.User + "/" + m.ExternalID }

// small draws from so few numbers that they often meet.
func (md *model) small(r *rapid.T) numbers {
	d := func(what string) int { return rapid.IntRange(0, 5).Draw(r, what) }
	return numbers{
		thread:     fmt.Sprintf("19:%s-%d@thread.v2", md.prefix, d("thread")),
		message:    "0",
		join:       fmt.Sprintf("%s%04d", md.prefix, d("join")),
		vtc:        fmt.Sprintf("%s%02d", md.prefix, d("vtc")),
		conference: fmt.Sprintf("%s%d", md.prefix, d("conference")),
	}
}

// free says whether no living meeting has one of the numbers.
func (md *model) free(m meeting.Meeting, n numbers) bool {
	for _, o := range md.rows {
		if o.Expired(md.now) {
			continue
		}
		if o.Tenant == m.Tenant && o.ThreadID == n.thread || o.JoinMeetingID == n.join ||
			o.VideoTeleconferenceID == n.vtc || o.ConferenceID == n.conference {
			return false
		}
	}
	return true
}

func (md *model) pick(r *rapid.T) meeting.Meeting {
	return newMeeting(rapid.SampledFrom(md.owners).Draw(r, "owner"), rapid.SampledFrom([]string{"a", "A", "b"}).Draw(r, "external id"))
}

func (md *model) create(r *rapid.T) {
	m := md.pick(r)
	fill(r, &m)
	m.Created = md.now
	m.Expires = md.now.Add(time.Duration(rapid.IntRange(1, 5).Draw(r, "life")) * time.Hour)
	sets := []numbers{md.small(r), md.small(r), drawn()}
	calls := 0
	got, created, err := md.store.CreateOrGet(context.Background(), m, draws(&calls, sets...))
	if err != nil {
		r.Fatalf("CreateOrGet: %v", err)
	}
	if old, ok := md.rows[rowKey(&m)]; ok && !old.Expired(md.now) {
		if created {
			r.Fatalf("CreateOrGet created %q, which is there", m.ExternalID)
		}
		same(r, "the existing meeting", got, old)
		return
	}
	want, draws := m, 0
	for draws < len(sets) {
		draws++
		if md.free(m, sets[draws-1]) {
			break
		}
	}
	sets[draws-1].give(&want)
	if !created || calls != draws {
		r.Fatalf("CreateOrGet: created %v after %d draws, want true after %d", created, calls, draws)
	}
	same(r, "the new meeting", got, want)
	md.rows[rowKey(&m)] = want
	md.ever = append(md.ever, want)
}

// target draws the conversation of a meeting, dead or alive, and says which
// living meeting has it now.
func (md *model) target(r *rapid.T) (m meeting.Meeting, alive bool) {
	m = md.pick(r)
	drawn().give(&m)
	if row, ok := md.rows[rowKey(&m)]; ok {
		m = row
	}
	for _, row := range md.rows {
		if row.Tenant == m.Tenant && row.ThreadID == m.ThreadID && !row.Expired(md.now) {
			return row, true
		}
	}
	return m, false
}

func (md *model) update(r *rapid.T) {
	m, alive := md.target(r)
	want := m
	fill(r, &want)
	want.Expires = md.now.Add(time.Duration(rapid.IntRange(1, 5).Draw(r, "life")) * time.Hour)
	want.Revision++
	got, err := update(md.store, m, md.now, func(m *meeting.Meeting) error {
		m.Subject, m.Start, m.End, m.Passcode, m.Attendees, m.Options = want.Subject, want.Start, want.End, want.Passcode, want.Attendees, want.Options
		m.Expires = want.Expires
		return nil
	})
	if !alive {
		if !errors.Is(err, meeting.ErrNotFound) {
			r.Fatalf("Update of no meeting: error %v", err)
		}
		return
	}
	if err != nil {
		r.Fatalf("Update: %v", err)
	}
	same(r, "the updated meeting", got, want)
	md.rows[rowKey(&m)] = want
}

func (md *model) remove(r *rapid.T) {
	m, alive := md.target(r)
	err := md.store.Delete(context.Background(), m.Tenant, m.ThreadID, m.MessageID, md.now)
	if alive && err != nil || !alive && !errors.Is(err, meeting.ErrNotFound) {
		r.Fatalf("Delete: error %v, of a meeting that exists: %v", err, alive)
	}
	if alive {
		delete(md.rows, rowKey(&m))
	}
}

func (md *model) look(r *rapid.T) {
	for _, m := range md.ever {
		there := false
		for _, o := range md.rows {
			there = there || o.Tenant == m.Tenant && o.ThreadID == m.ThreadID && !o.Expired(md.now)
		}
		mustBeGone(r, md.store, m, md.now, !there)
	}
	for _, want := range md.rows {
		for _, l := range lookups {
			got, err := l.by(md.store, &want, md.now)
			if want.Expired(md.now) {
				// Another may have its numbers by now.
				if !errors.Is(err, meeting.ErrNotFound) && rowKey(&got) == rowKey(&want) && got.Created.Equal(want.Created) {
					r.Fatalf("%s found a meeting that has expired", l.name)
				}
				continue
			}
			if err != nil {
				r.Fatalf("%s: %v", l.name, err)
			}
			same(r, l.name, got, want)
		}
	}
}

func (md *model) wait(r *rapid.T) {
	md.now = md.now.Add(time.Duration(rapid.IntRange(1, 180).Draw(r, "minutes")) * time.Minute)
}

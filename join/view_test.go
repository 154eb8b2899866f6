package join

import (
	"testing"
	"time"

	"github.com/convene-meet/convene/meeting"
)

// What the meeting says is in the view of everybody in the room.
func TestViewsSayWhatHolds(t *testing.T) {
	t.Parallel()
	m := reviewed(func(o *meeting.Options) { o.LobbyBypassScope = meeting.LobbyEveryone })
	r := &Room{}
	id, _ := asks(t, r, m, guest("vera"), "Vera", at(0))
	r.come(m, id, at(1))
	see := func() view { return viewOf(&scene{m, *r}, id, "Dora", at(0), at(2)) }
	for _, tt := range []struct {
		name   string
		change func(*meeting.Options)
		shows  func(view) bool
	}{
		{"allowTeamworkReactions", func(o *meeting.Options) { o.AllowTeamworkReactions = false }, func(v view) bool { return !v.May.React.Allowed && v.May.React.Reason == "reason.react" }},
		{"allowParticipantsToChangeName", func(o *meeting.Options) { o.AllowParticipantsToChangeName = true }, func(v view) bool { return v.May.Rename.Allowed }},
		{"allowCopyingAndSharingMeetingContent", func(o *meeting.Options) { o.AllowCopyingAndSharingMeetingContent = false }, func(v view) bool { return !v.May.Copy.Allowed }},
		{"allowMeetingChat", func(o *meeting.Options) { o.AllowMeetingChat = meeting.ChatDisabled }, func(v view) bool { return !v.May.Chat.Allowed }},
		{"isEntryExitAnnounced", func(o *meeting.Options) { o.IsEntryExitAnnounced = false }, func(v view) bool { return !v.Announce }},
		{"recordAutomatically", func(o *meeting.Options) { o.RecordAutomatically = true }, func(v view) bool { return v.RecordAutomatically }},
		{"watermark on content", func(o *meeting.Options) { o.WatermarkSharedContent = true }, func(v view) bool { return v.Watermark == watermarkView{Screen: true} }},
		{"watermark on video", func(o *meeting.Options) { o.WatermarkVideo = true }, func(v view) bool { return v.Watermark == watermarkView{Video: true} }},
	} {
		m.Options = meeting.DefaultOptions()
		if tt.shows(see()) {
			t.Errorf("%s: shown without being set", tt.name)
		}
		tt.change(&m.Options)
		if !tt.shows(see()) {
			t.Errorf("%s: not shown: %+v", tt.name, see())
		}
	}
}

// shareMeetingChatHistoryDefault: who was not invited reads what was said since
// they first came in, unless the meeting shares all of it.
func TestChatHistory(t *testing.T) {
	t.Parallel()
	m := reviewed(nil)
	for kind, p := range kinds {
		person := &Person{Tenant: p.Tenant, User: p.User, UPN: p.UPN, Since: noon}
		invited := map[string]bool{"organizer": true, "co-organizer": true, "presenter": true, "attendee": true, "invited from elsewhere": true}[kind]
		m.Options.ShareMeetingChatHistoryDefault = meeting.ChatHistoryNone
		if got := since(m, person); got.Equal(time.Time{}) != invited {
			t.Errorf("%s reads from %v on", kind, got)
		}
		m.Options.ShareMeetingChatHistoryDefault = meeting.ChatHistoryAll
		if got := since(m, person); !got.IsZero() {
			t.Errorf("%s, all shared: reads from %v on", kind, got)
		}
	}
}

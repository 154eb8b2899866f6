package graph

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/convene-meet/convene/meeting"
)

// A settable reads the value of one property that organizers may set, and
// returns what sets it. A null sets the default.
type settable func(r *reader, what string) (meeting.Setting, error)

// settables are the properties of onlineMeeting that are settings of a meeting
// (the tables of the pages "Create onlineMeeting" and "Update onlineMeeting").
// createOnly are those that cannot be changed later.
var (
	settables = map[string]settable{
		"allowAttendeeToEnableCamera":          flag(func(o *meeting.Options) *bool { return &o.AllowAttendeeToEnableCamera }),
		"allowAttendeeToEnableMic":             flag(func(o *meeting.Options) *bool { return &o.AllowAttendeeToEnableMic }),
		"allowBreakoutRooms":                   flag(func(o *meeting.Options) *bool { return &o.AllowBreakoutRooms }),
		"allowCopyingAndSharingMeetingContent": flag(func(o *meeting.Options) *bool { return &o.AllowCopyingAndSharingMeetingContent }),
		"allowParticipantsToChangeName":        flag(func(o *meeting.Options) *bool { return &o.AllowParticipantsToChangeName }),
		"allowPowerPointSharing":               flag(func(o *meeting.Options) *bool { return &o.AllowPowerPointSharing }),
		"allowRecording":                       flag(func(o *meeting.Options) *bool { return &o.AllowRecording }),
		"allowTeamworkReactions":               flag(func(o *meeting.Options) *bool { return &o.AllowTeamworkReactions }),
		"allowTranscription":                   flag(func(o *meeting.Options) *bool { return &o.AllowTranscription }),
		"allowWhiteboard":                      flag(func(o *meeting.Options) *bool { return &o.AllowWhiteboard }),
		"isEndToEndEncryptionEnabled":          flag(func(o *meeting.Options) *bool { return &o.IsEndToEndEncryptionEnabled }),
		"isEntryExitAnnounced":                 flag(func(o *meeting.Options) *bool { return &o.IsEntryExitAnnounced }),
		"recordAutomatically":                  flag(func(o *meeting.Options) *bool { return &o.RecordAutomatically }),

		"allowedLobbyAdmitters":          word("allowedLobbyAdmitterRoles", lobbyAdmitters, func(o *meeting.Options) *meeting.LobbyAdmitters { return &o.AllowedLobbyAdmitters }),
		"allowedPresenters":              word("onlineMeetingPresenters", presenters, func(o *meeting.Options) *meeting.Presenters { return &o.AllowedPresenters }),
		"allowLiveShare":                 word("meetingLiveShareOptions", liveShares, func(o *meeting.Options) *meeting.LiveShare { return &o.AllowLiveShare }),
		"allowMeetingChat":               word("meetingChatMode", chatModes, func(o *meeting.Options) *meeting.ChatMode { return &o.AllowMeetingChat }),
		"shareMeetingChatHistoryDefault": word("meetingChatHistoryDefaultMode", chatHistories, func(o *meeting.Options) *meeting.ChatHistory { return &o.ShareMeetingChatHistoryDefault }),

		"lobbyBypassSettings": group(map[string]settable{
			"scope":                 word("lobbyBypassScope", lobbyScopes, func(o *meeting.Options) *meeting.LobbyScope { return &o.LobbyBypassScope }),
			"isDialInBypassEnabled": flag(func(o *meeting.Options) *bool { return &o.IsDialInBypassEnabled }),
		}, func(o, d *meeting.Options) {
			o.LobbyBypassScope, o.IsDialInBypassEnabled = d.LobbyBypassScope, d.IsDialInBypassEnabled
		}),
		"watermarkProtection": group(map[string]settable{
			"isEnabledForContentSharing": flag(func(o *meeting.Options) *bool { return &o.WatermarkSharedContent }),
			"isEnabledForVideo":          flag(func(o *meeting.Options) *bool { return &o.WatermarkVideo }),
		}, func(o, d *meeting.Options) {
			o.WatermarkSharedContent, o.WatermarkVideo = d.WatermarkSharedContent, d.WatermarkVideo
		}),
		"chatRestrictions": chatRestrictions,
		"sensitivityLabelAssignment": group(map[string]settable{
			"sensitivityLabelId": textOf(128, func(o *meeting.Options) *string { return &o.SensitivityLabelID }),
		}, func(o, d *meeting.Options) { o.SensitivityLabelID = d.SensitivityLabelID }),
		"meetingSpokenLanguageTag":  spokenLanguage,
		"anonymizeIdentityForRoles": anonymizeRoles,
		"broadcastSettings":         broadcastSettings,
	}
	createOnly = map[string]settable{
		"isBroadcast":       flag(func(o *meeting.Options) *bool { return &o.IsBroadcast }),
		"meetingTemplateId": textOf(512, func(o *meeting.Options) *string { return &o.MeetingTemplateID }),
	}
)

// The enumerations, in the order of the metadata.
var (
	lobbyAdmitters = []meeting.LobbyAdmitters{meeting.AdmittersOrganizersAndPresenters, meeting.AdmittersOrganizers}
	presenters     = []meeting.Presenters{meeting.PresentersEveryone, meeting.PresentersOrganization, meeting.PresentersByRole, meeting.PresentersOrganizer}
	liveShares     = []meeting.LiveShare{meeting.LiveShareEnabled, meeting.LiveShareDisabled}
	chatModes      = []meeting.ChatMode{meeting.ChatEnabled, meeting.ChatDisabled, meeting.ChatLimited}
	chatHistories  = []meeting.ChatHistory{meeting.ChatHistoryNone, meeting.ChatHistoryAll}
	audiences      = []meeting.Audience{meeting.AudienceRoleIsAttendee, meeting.AudienceOrganization, meeting.AudienceEveryone}
	lobbyScopes    = []meeting.LobbyScope{meeting.LobbyOrganizer, meeting.LobbyOrganization, meeting.LobbyOrganizationAndFederated,
		meeting.LobbyEveryone, meeting.LobbyInvited, meeting.LobbyOrganizationExcludingGuests}
)

func flag(field func(*meeting.Options) *bool) settable {
	return func(r *reader, what string) (meeting.Setting, error) {
		v, err := r.boolean(what)
		return func(o *meeting.Options) error {
			if v == nil {
				d := meeting.DefaultOptions()
				v = field(&d)
			}
			*field(o) = *v
			return nil
		}, err
	}
}

func word[T ~string](kind string, members []T, field func(*meeting.Options) *T) settable {
	return func(r *reader, what string) (meeting.Setting, error) {
		v, err := enum(r, what, kind, members)
		return func(o *meeting.Options) error {
			if v == "" {
				d := meeting.DefaultOptions()
				v = *field(&d)
			}
			*field(o) = v
			return nil
		}, err
	}
}

// textOf is a text of at most so many bytes; null is the empty one.
func textOf(most int, field func(*meeting.Options) *string) settable {
	return func(r *reader, what string) (meeting.Setting, error) {
		s, err := r.shortText(what, most)
		return func(o *meeting.Options) error {
			*field(o) = s
			return nil
		}, err
	}
}

// group is a complex property. Members that are not sent keep their values; null
// resets them all.
func group(members map[string]settable, reset func(o, defaults *meeting.Options)) settable {
	return func(r *reader, what string) (meeting.Setting, error) {
		if r.null() {
			return func(o *meeting.Options) error {
				d := meeting.DefaultOptions()
				reset(o, &d)
				return nil
			}, nil
		}
		var all []meeting.Setting
		err := r.object(what, func(name string) error {
			read, ok := members[name]
			if !ok {
				return r.skip()
			}
			set, err := read(r, what+"/"+name)
			all = append(all, set)
			return err
		})
		return together(all), err
	}
}

func together(all []meeting.Setting) meeting.Setting {
	return func(o *meeting.Options) error {
		for _, set := range all {
			if err := set(o); err != nil {
				return err
			}
		}
		return nil
	}
}

func chatRestrictions(r *reader, what string) (meeting.Setting, error) {
	var c meeting.Chat
	set := func(o *meeting.Options) error {
		o.ChatRestrictions = c
		return nil
	}
	if r.null() {
		return set, nil
	}
	c.Given = true
	return set, r.object(what, func(name string) error {
		if name != "allowTextOnly" {
			return r.skip()
		}
		v, err := r.boolean(what + "/allowTextOnly")
		c.AllowTextOnly = v != nil && *v
		return err
	})
}

// spokenLanguage reads a language tag (BCP 47).
func spokenLanguage(r *reader, what string) (meeting.Setting, error) {
	s, err := r.shortText(what, 64)
	if err == nil && s != "" {
		if _, bad := language.Parse(s); bad != nil {
			err = invalid(what, "%s must be a language tag such as en-US, or null, not '%s'.", what, quotable(s))
		}
	}
	return func(o *meeting.Options) error {
		o.MeetingSpokenLanguageTag = s
		return nil
	}, err
}

// anonymizeRoles reads anonymizeIdentityForRoles: attendee is the only role that
// may be in it, and it cannot be taken out again.
func anonymizeRoles(r *reader, what string) (meeting.Setting, error) {
	attendee := false
	if !r.null() {
		err := r.array(what, func(int) error {
			role, err := enum(r, what, "onlineMeetingRole", meeting.Roles())
			if err == nil && role != meeting.RoleAttendee {
				err = invalid(what, "%s may have the role attendee only.", what)
			}
			attendee = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return func(o *meeting.Options) error {
		if o.AnonymizeAttendees && !attendee {
			return &meeting.InvalidError{Property: what, Message: what + " has attendee, which cannot be taken away again."}
		}
		o.AnonymizeAttendees = attendee
		return nil
	}, nil
}

func broadcastSettings(r *reader, what string) (meeting.Setting, error) {
	var b *meeting.Broadcast
	set := func(o *meeting.Options) error {
		o.BroadcastSettings = b
		return nil
	}
	if r.null() {
		return set, nil
	}
	b = &meeting.Broadcast{AllowedAudience: meeting.AudienceEveryone}
	flags := map[string]*bool{
		"isAttendeeReportEnabled": &b.IsAttendeeReportEnabled, "isQuestionAndAnswerEnabled": &b.IsQuestionAndAnswerEnabled,
		"isRecordingEnabled": &b.IsRecordingEnabled, "isVideoOnDemandEnabled": &b.IsVideoOnDemandEnabled,
	}
	return set, r.object(what, func(name string) error {
		at := what + "/" + name
		switch into, isFlag := flags[name]; {
		case isFlag:
			return r.flagInto(into, at)
		case name == "allowedAudience":
			audience, err := enum(r, at, "broadcastMeetingAudience", audiences)
			if audience != "" {
				b.AllowedAudience = audience
			}
			return err
		case name == "captions":
			return readCaptions(b, r, at)
		}
		return r.skip()
	})
}

func readCaptions(b *meeting.Broadcast, r *reader, what string) error {
	if r.null() {
		return nil
	}
	b.HasCaptions = true
	return r.object(what, func(name string) (err error) {
		at := what + "/" + name
		switch name {
		case "isCaptionEnabled":
			err = r.flagInto(&b.IsCaptionEnabled, at)
		case "spokenLanguage":
			b.SpokenLanguage, err = r.shortText(at, 64)
		case "translationLanguages":
			if r.null() {
				return nil
			}
			return r.array(at, func(i int) error {
				if i >= 64 {
					return invalid(at, "%s has more than 64 entries.", at)
				}
				s, err := r.shortText(at, 64)
				b.TranslationLanguages = append(b.TranslationLanguages, s)
				return err
			})
		default:
			err = r.skip()
		}
		return err
	})
}

// enum reads a member of an enumeration, in any case, or null, which is "".
// unknownFutureValue is no value that could be meant.
func enum[T ~string](r *reader, what, kind string, members []T) (T, error) {
	s, err := r.text(what)
	if s == nil || err != nil {
		return "", err
	}
	names := make([]string, len(members))
	for i, m := range members {
		if strings.EqualFold(string(m), *s) {
			return m, nil
		}
		names[i] = string(m)
	}
	return "", invalid(what, "Cannot convert the literal '%s' to the expected type 'microsoft.graph.%s'. %s must be one of %s, or null.", quotable(*s), kind, what, strings.Join(names, ", "))
}

package graph

import (
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/meeting"
)

// An answer is everything that the JSON of one meeting depends on.
type answer struct {
	site      *Site
	version   Version
	level     metadata
	unknown   bool // the client asked for enum members after unknownFutureValue
	language  int
	organizer *identity.Organizer
	meeting   *meeting.Meeting
	member    bool             // of a collection, which has the context
	pick      *selection       // what of it is wanted; nil: everything
	expand    []string         // what can be reached from it and is wanted with it
	reports   []meeting.Report // where they are
}

// append appends the onlineMeeting: every member that the version has, null
// where there is no value.
func (a *answer) append(b []byte) []byte {
	m := a.meeting
	begin := len(b)
	o := object{b: append(b, '{')}
	if a.level != metadataNone && !a.member {
		o.b = a.appendEntityURL(append(o.b, `"@odata.context":"`...), "/$metadata#users('", "')/onlineMeetings")
		o.b = append(append(o.b, selected(a.pick)...), `/$entity",`...)
	}
	if a.level == metadataFull {
		o.b = append(o.b, `"@odata.type":"#microsoft.graph.onlineMeeting",`...)
		for _, name := range []string{`"@odata.id":"`, `"@odata.editLink":"`} {
			o.b = a.appendEntityURL(append(o.b, name...), "/users('", "')/onlineMeetings('")
			o.b = append(m.AppendID(o.b), `')",`...)
		}
		for _, name := range navigations {
			o.b = append(append(append(o.b, '"'), name...), `@odata.navigationLink":"`...)
			o.b = a.appendEntityURL(o.b, "/users('", "')/onlineMeetings('")
			o.b = append(append(append(m.AppendID(o.b), `')/`...), name...), `",`...)
		}
	}
	o.b = append(m.AppendID(append(o.b, `"id":"`...)), `",`...)
	o.b = append(appendTime(append(o.b, `"creationDateTime":"`...), m.Created), `",`...)
	o.b = append(appendTime(append(o.b, `"startDateTime":"`...), m.Start), `",`...)
	o.b = append(appendTime(append(o.b, `"endDateTime":"`...), m.End), `",`...)
	for _, name := range []string{`"joinUrl":"`, `"joinWebUrl":"`} {
		o.b = append(m.AppendLink(append(append(o.b, name...), a.site.Origin...)), `",`...)
	}
	o.text("subject", m.Subject)
	o.flag("isBroadcast", m.Options.IsBroadcast)
	o.word("autoAdmittedUsers", autoAdmitted[m.Options.LobbyBypassScope])
	o.flag("isEntryExitAnnounced", m.Options.IsEntryExitAnnounced)
	o.word("allowedPresenters", string(m.Options.AllowedPresenters))
	o.word("allowMeetingChat", string(m.Options.AllowMeetingChat))
	o.flag("allowTeamworkReactions", m.Options.AllowTeamworkReactions)
	o.flag("allowAttendeeToEnableCamera", m.Options.AllowAttendeeToEnableCamera)
	o.flag("allowAttendeeToEnableMic", m.Options.AllowAttendeeToEnableMic)
	o.flag("recordAutomatically", m.Options.RecordAutomatically)
	o.wordOrNull("videoTeleconferenceId", m.VideoTeleconferenceID)
	if m.ExternalID == "" {
		o.raw("externalId", "null")
	} else {
		o.text("externalId", &m.ExternalID)
	}
	o.b = append(appendTime(append(o.b, `"expiryDateTime":"`...), m.Expires), `",`...)
	a.participants(&o)
	a.nested(&o)
	a.settings(&o)
	if a.version == Beta {
		o.raw("capabilities", "[]")
	}
	o.close()
	if a.level == metadataFull {
		if full, err := typed(o.b[:begin], o.b[begin:], typeMeeting); err == nil { // as it always is: of JSON of ours
			return full
		}
	}
	return o.b
}

func (a *answer) appendEntityURL(b []byte, before, after string) []byte {
	b = append(append(append(append(b, a.site.Origin...), '/'), a.version...), before...)
	return append(append(b, a.meeting.User...), after...)
}

func (a *answer) participants(o *object) {
	o.b = append(o.b, `"participants":{"organizer":{"upn":`...)
	o.b = appendString(o.b, a.organizer.User.UPN)
	o.b = append(o.b, `,"role":"presenter","identity":{"application":null,"device":null,"user":{"id":"`...)
	o.b = append(o.b, a.meeting.User...)
	o.b = append(o.b, `","displayName":`...)
	o.b = appendString(o.b, a.organizer.User.DisplayName)
	o.b = append(o.b, `,"tenantId":"`...)
	o.b = append(o.b, a.meeting.Tenant...)
	o.b = append(o.b, `","identityProvider":"AAD"}}},"attendees":[`...)
	for i := range a.meeting.Attendees {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		a.attendee(o, &a.meeting.Attendees[i])
	}
	o.b = append(o.b, `],"producers":[],"contributors":[]},`...)
}

func (a *answer) attendee(o *object, p *meeting.Participant) {
	o.b = append(o.b, '{')
	o.text("upn", p.UPN)
	o.wordOrNull("role", string(a.role(p.Role)))
	if len(p.Identities) == 0 {
		o.raw("identity", "null")
	} else {
		o.b = append(o.b, `"identity":{`...)
		for _, kind := range []string{"application", "device", "user"} {
			if !hasIdentity(p, kind) {
				o.raw(kind, "null")
			}
		}
		for i := range p.Identities {
			id := &p.Identities[i]
			o.b = append(append(appendString(o.b, id.Kind), ':'), '{')
			o.text("id", id.ID)
			o.text("displayName", id.DisplayName)
			for _, member := range []struct {
				name  string
				value *string
			}{
				{"tenantId", id.TenantID}, {"identityProvider", id.IdentityProvider}, {"email", id.Email}, {"applicationType", id.ApplicationType},
				{"azureCommunicationServicesResourceId", id.ResourceID},
			} {
				if member.value != nil {
					o.text(member.name, member.value)
				}
			}
			if id.Hidden != nil {
				o.flag("hidden", *id.Hidden)
			}
			o.end()
		}
		o.end()
	}
	o.close()
}

func hasIdentity(p *meeting.Participant, kind string) bool {
	for i := range p.Identities {
		if p.Identities[i].Kind == kind {
			return true
		}
	}
	return false
}

// role hides the members that come after unknownFutureValue: in v1.0 producer
// and coorganizer, in beta coorganizer.
func (a *answer) role(r meeting.Role) meeting.Role {
	if !a.unknown && (r == meeting.RoleCoorganizer || r == meeting.RoleProducer && a.version == V1) {
		return unknownFuture
	}
	return r
}

func (a *answer) lobbyScope(s meeting.LobbyScope) meeting.LobbyScope {
	if !a.unknown && (s == meeting.LobbyInvited || s == meeting.LobbyOrganizationExcludingGuests) {
		return unknownFuture
	}
	return s
}

// autoAdmitted says the lobby scope in the words of the older property.
var autoAdmitted = map[meeting.LobbyScope]string{
	meeting.LobbyEveryone:                    "Everyone",
	meeting.LobbyOrganization:                "EveryoneInCompany",
	meeting.LobbyOrganizationAndFederated:    "EveryoneInSameAndFederatedCompany",
	meeting.LobbyOrganizationExcludingGuests: "EveryoneInCompanyExcludingGuests",
	meeting.LobbyInvited:                     "InvitedUsers",
	meeting.LobbyOrganizer:                   "OrganizerOnly",
}

// nested appends the complex members of the documentation's samples.
func (a *answer) nested(o *object) {
	m := a.meeting
	o.open("lobbyBypassSettings")
	o.word("scope", string(a.lobbyScope(m.Options.LobbyBypassScope)))
	o.flag("isDialInBypassEnabled", m.Options.IsDialInBypassEnabled)
	o.end()
	o.open("joinMeetingIdSettings")
	o.flag("isPasscodeRequired", m.Passcode != "")
	o.word("joinMeetingId", m.JoinMeetingID)
	o.wordOrNull("passcode", m.Passcode)
	o.end()
	a.audioConferencing(o)
	o.open("chatInfo")
	o.word("threadId", m.ThreadID)
	o.word("messageId", m.MessageID)
	o.raw("replyChainMessageId", "null")
	o.end()
	broadcast(o, m.Options.BroadcastSettings)
	o.b = append(o.b, `"joinInformation":{"content":"`...)
	o.b = a.appendInvitation(o.b)
	o.b = append(o.b, `","contentType":"html"},`...)
}

func (a *answer) audioConferencing(o *object) {
	m := a.meeting
	if m.ConferenceID == "" {
		o.raw("audioConferencing", "null")
		return
	}
	numbers := a.organizer.Tenant.AudioConferencing
	if numbers == nil { // the tenant gave dial-in up; the meeting keeps its number
		numbers = &identity.AudioConferencing{}
	}
	o.open("audioConferencing")
	o.word("conferenceId", m.ConferenceID)
	o.text("tollNumber", &m.TollNumber)
	if numbers.TollFreeNumber == "" {
		o.raw("tollFreeNumber", "null")
	} else {
		o.text("tollFreeNumber", &numbers.TollFreeNumber)
	}
	o.texts("tollNumbers", m.TollNumber, numbers.TollNumbers)
	o.texts("tollFreeNumbers", numbers.TollFreeNumber, numbers.TollFreeNumbers)
	o.b = append(m.AppendDialinLink(append(append(o.b, `"dialinUrl":"`...), a.site.Origin...)), `",`...)
	o.end()
}

// settings appends the other members, in the order of the alphabet.
func (a *answer) settings(o *object) {
	m, s := a.meeting, &a.meeting.Options
	o.flag("allowBreakoutRooms", s.AllowBreakoutRooms)
	o.flag("allowCopyingAndSharingMeetingContent", s.AllowCopyingAndSharingMeetingContent)
	o.word("allowedLobbyAdmitters", string(s.AllowedLobbyAdmitters))
	o.word("allowLiveShare", string(s.AllowLiveShare))
	o.flag("allowParticipantsToChangeName", s.AllowParticipantsToChangeName)
	o.flag("allowPowerPointSharing", s.AllowPowerPointSharing)
	o.flag("allowRecording", s.AllowRecording)
	o.flag("allowTranscription", s.AllowTranscription)
	o.flag("allowWhiteboard", s.AllowWhiteboard)
	if s.AnonymizeAttendees {
		o.raw("anonymizeIdentityForRoles", `["attendee"]`)
	} else {
		o.raw("anonymizeIdentityForRoles", "[]")
	}
	if s.ChatRestrictions.Given {
		o.open("chatRestrictions")
		o.flag("allowTextOnly", s.ChatRestrictions.AllowTextOnly)
		o.end()
	} else {
		o.raw("chatRestrictions", "null")
	}
	if m.VideoTeleconferenceID == "" {
		o.raw("cloudVideoInteropInfo", "null")
	} else {
		o.open("cloudVideoInteropInfo")
		o.b = append(m.AppendShortLink(append(append(o.b, `"moreInfoWebUrl":"`...), a.site.Origin...)), `",`...)
		o.text("tenantKey", &a.organizer.Tenant.Domain)
		o.word("videoTeleconferenceId", m.VideoTeleconferenceID)
		o.end()
	}
	o.flag("isEndToEndEncryptionEnabled", s.IsEndToEndEncryptionEnabled)
	o.b = append(m.AppendOptionsLink(append(append(o.b, `"meetingOptionsWebUrl":"`...), a.site.Origin...)), `",`...)
	o.textOrNull("meetingSpokenLanguageTag", s.MeetingSpokenLanguageTag)
	o.textOrNull("meetingTemplateId", s.MeetingTemplateID)
	o.raw("meetingType", "null")
	if s.SensitivityLabelID == "" {
		o.raw("sensitivityLabelAssignment", "null")
	} else {
		o.open("sensitivityLabelAssignment")
		o.text("sensitivityLabelId", &s.SensitivityLabelID)
		o.end()
	}
	o.word("shareMeetingChatHistoryDefault", string(s.ShareMeetingChatHistoryDefault))
	o.open("watermarkProtection")
	o.flag("isEnabledForContentSharing", s.WatermarkSharedContent)
	o.flag("isEnabledForVideo", s.WatermarkVideo)
	o.end()
}

func broadcast(o *object, b *meeting.Broadcast) {
	if b == nil {
		o.raw("broadcastSettings", "null")
		return
	}
	o.open("broadcastSettings")
	o.word("allowedAudience", string(b.AllowedAudience))
	if b.HasCaptions {
		o.open("captions")
		o.flag("isCaptionEnabled", b.IsCaptionEnabled)
		o.textOrNull("spokenLanguage", b.SpokenLanguage)
		o.texts("translationLanguages", "", b.TranslationLanguages)
		o.end()
	} else {
		o.raw("captions", "null")
	}
	o.flag("isAttendeeReportEnabled", b.IsAttendeeReportEnabled)
	o.flag("isQuestionAndAnswerEnabled", b.IsQuestionAndAnswerEnabled)
	o.flag("isRecordingEnabled", b.IsRecordingEnabled)
	o.flag("isVideoOnDemandEnabled", b.IsVideoOnDemandEnabled)
	o.end()
}

// An object appends members of JSON objects, each with a comma behind it.
// Names are constants of ours and need no escapes.
type object struct{ b []byte }

func (o *object) name(name string) {
	o.b = append(append(append(o.b, '"'), name...), `":`...)
}

func (o *object) raw(name, value string) {
	o.name(name)
	o.b = append(append(o.b, value...), ',')
}

func (o *object) flag(name string, v bool) {
	if v {
		o.raw(name, "true")
	} else {
		o.raw(name, "false")
	}
}

// word appends a string that needs no escapes.
func (o *object) word(name, v string) {
	o.name(name)
	o.b = append(append(append(o.b, '"'), v...), `",`...)
}

func (o *object) wordOrNull(name, v string) {
	if v == "" {
		o.raw(name, "null")
	} else {
		o.word(name, v)
	}
}

// textOrNull appends any string, or null for the empty one.
func (o *object) textOrNull(name, v string) {
	if v == "" {
		o.raw(name, "null")
	} else {
		o.text(name, &v)
	}
}

// text appends any string, or null.
func (o *object) text(name string, v *string) {
	if v == nil {
		o.raw(name, "null")
		return
	}
	o.name(name)
	o.b = append(appendString(o.b, *v), ',')
}

// texts appends an array of first, unless it is empty, and the others.
func (o *object) texts(name, first string, others []string) {
	o.name(name)
	o.b = append(o.b, '[')
	n := len(o.b)
	if first != "" {
		o.b = append(appendString(o.b, first), ',')
	}
	for _, s := range others {
		o.b = append(appendString(o.b, s), ',')
	}
	if len(o.b) > n {
		o.b = o.b[:len(o.b)-1]
	}
	o.b = append(o.b, `],`...)
}

func (o *object) open(name string) {
	o.name(name)
	o.b = append(o.b, '{')
}

// close ends an object, end does so inside another one.
func (o *object) close() { o.b[len(o.b)-1] = '}' }

func (o *object) end() {
	o.close()
	o.b = append(o.b, ',')
}

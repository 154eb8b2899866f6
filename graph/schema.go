package graph

import "strings"

// A property is a member of an entity or complex type, as far as paths of
// $select need it.
type property struct {
	name string
	kind string // the complex type of its value; empty for a primitive
	beta bool   // in beta only
}

// The types of entities.
const (
	typeMeeting    = "onlineMeeting"
	typeReport     = "meetingAttendanceReport"
	typeRecord     = "attendanceRecord"
	typeTranscript = "callTranscript"
	typeRecording  = "callRecording"
)

// schema has the members of onlineMeeting and of the complex types below it, in
// the order in which answers have them (metadata of v1.0 and beta; joinUrl,
// autoAdmittedUsers, producers and contributors are emitted although v1.0's
// metadata does not have them).
var schema = map[string][]property{
	typeMeeting: {
		{name: "id"}, {name: "creationDateTime"}, {name: "startDateTime"}, {name: "endDateTime"},
		{name: "joinUrl"}, {name: "joinWebUrl"}, {name: "subject"}, {name: "isBroadcast"},
		{name: "autoAdmittedUsers"}, {name: "isEntryExitAnnounced"}, {name: "allowedPresenters"},
		{name: "allowMeetingChat"}, {name: "allowTeamworkReactions"}, {name: "allowAttendeeToEnableCamera"},
		{name: "allowAttendeeToEnableMic"}, {name: "recordAutomatically"}, {name: "videoTeleconferenceId"},
		{name: "externalId"}, {name: "expiryDateTime"},
		{name: "participants", kind: "meetingParticipants"},
		{name: "lobbyBypassSettings", kind: "lobbyBypassSettings"},
		{name: "joinMeetingIdSettings", kind: "joinMeetingIdSettings"},
		{name: "audioConferencing", kind: "audioConferencing"},
		{name: "chatInfo", kind: "chatInfo"},
		{name: "broadcastSettings", kind: "broadcastMeetingSettings"},
		{name: "joinInformation", kind: "itemBody"},
		{name: "allowBreakoutRooms"}, {name: "allowCopyingAndSharingMeetingContent"},
		{name: "allowedLobbyAdmitters"}, {name: "allowLiveShare"}, {name: "allowParticipantsToChangeName"},
		{name: "allowPowerPointSharing"}, {name: "allowRecording"}, {name: "allowTranscription"},
		{name: "allowWhiteboard"}, {name: "anonymizeIdentityForRoles"},
		{name: "chatRestrictions", kind: "chatRestrictions"},
		{name: "cloudVideoInteropInfo", kind: "cloudVideoInteropInfo"},
		{name: "isEndToEndEncryptionEnabled"}, {name: "meetingOptionsWebUrl"}, {name: "meetingSpokenLanguageTag"},
		{name: "meetingTemplateId"}, {name: "meetingType"},
		{name: "sensitivityLabelAssignment", kind: "onlineMeetingSensitivityLabelAssignment"},
		{name: "shareMeetingChatHistoryDefault"},
		{name: "watermarkProtection", kind: "watermarkProtectionValues"},
		{name: "capabilities", beta: true},
	},
	typeReport: {
		{name: "id"}, {name: "totalParticipantCount"}, {name: "meetingStartDateTime"}, {name: "meetingEndDateTime"},
		{name: "externalEventInformation"}, {name: "attendanceRecords"},
	},
	typeRecord: {
		{name: "id"}, {name: "emailAddress"}, {name: "identity", kind: "identity"}, {name: "role"},
		{name: "totalAttendanceInSeconds"}, {name: "attendanceIntervals"}, {name: "registrationId"},
		{name: "externalRegistrationInformation"}, {name: "registrantId", beta: true}, {name: "engagements", beta: true},
	},
	typeTranscript: {
		{name: "id"}, {name: "meetingId"}, {name: "callId"}, {name: "contentCorrelationId"}, {name: "createdDateTime"},
		{name: "endDateTime"}, {name: "meetingOrganizer", kind: "identitySet"}, {name: "transcriptContentUrl"},
	},
	typeRecording: {
		{name: "id"}, {name: "meetingId"}, {name: "callId"}, {name: "contentCorrelationId"}, {name: "createdDateTime"},
		{name: "endDateTime"}, {name: "meetingOrganizer", kind: "identitySet"}, {name: "recordingContentUrl"},
	},
	typeUser: { // the default set of the page "user resource type"
		{name: "businessPhones"}, {name: "displayName"}, {name: "givenName"}, {name: "jobTitle"}, {name: "mail"}, {name: "mobilePhone"},
		{name: "officeLocation"}, {name: "preferredLanguage"}, {name: "surname"}, {name: "userPrincipalName"}, {name: "id"},
	},
	"meetingParticipants": {
		{name: "organizer", kind: "meetingParticipantInfo"}, {name: "attendees", kind: "meetingParticipantInfo"},
		{name: "producers", kind: "meetingParticipantInfo"}, {name: "contributors", kind: "meetingParticipantInfo"},
	},
	"meetingParticipantInfo": {{name: "upn"}, {name: "role"}, {name: "identity", kind: "identitySet"}},
	"identitySet":            {{name: "application", kind: "identity"}, {name: "device", kind: "identity"}, {name: "user", kind: "identity"}},
	"identity":               {{name: "id"}, {name: "displayName"}, {name: "tenantId"}, {name: "identityProvider"}},
	"lobbyBypassSettings":    {{name: "scope"}, {name: "isDialInBypassEnabled"}},
	"joinMeetingIdSettings":  {{name: "isPasscodeRequired"}, {name: "joinMeetingId"}, {name: "passcode"}},
	"audioConferencing": {
		{name: "conferenceId"}, {name: "tollNumber"}, {name: "tollFreeNumber"}, {name: "tollNumbers"},
		{name: "tollFreeNumbers"}, {name: "dialinUrl"},
	},
	"chatInfo":                  {{name: "threadId"}, {name: "messageId"}, {name: "replyChainMessageId"}},
	"itemBody":                  {{name: "content"}, {name: "contentType"}},
	"cloudVideoInteropInfo":     {{name: "moreInfoWebUrl"}, {name: "tenantKey"}, {name: "videoTeleconferenceId"}},
	"watermarkProtectionValues": {{name: "isEnabledForContentSharing"}, {name: "isEnabledForVideo"}},
	"chatRestrictions":          {{name: "allowTextOnly"}},
	"onlineMeetingSensitivityLabelAssignment": {{name: "sensitivityLabelId"}},
	"broadcastMeetingSettings": {
		{name: "allowedAudience"}, {name: "captions", kind: "broadcastMeetingCaptionSettings"},
		{name: "isAttendeeReportEnabled"}, {name: "isQuestionAndAnswerEnabled"}, {name: "isRecordingEnabled"},
		{name: "isVideoOnDemandEnabled"},
	},
	"broadcastMeetingCaptionSettings": {{name: "isCaptionEnabled"}, {name: "spokenLanguage"}, {name: "translationLanguages"}},
}

// findProperty finds a member of a type by name, without regard to case.
func findProperty(kind, name string, v Version) (property, bool) {
	for _, p := range schema[kind] {
		if strings.EqualFold(p.name, name) && (v == Beta || !p.beta) {
			return p, true
		}
	}
	return property{}, false
}

package graph

import (
	"slices"
	"strings"
)

// A property is a member of an entity or complex type.
type property struct {
	name string
	// typ is the type of its value: one of the primitive types below, an enum or
	// another type of the schema; empty for a text.
	typ  string
	kind string // the complex type of its value; empty for a primitive
	// derived is the type that values really have, where it is one that is derived
	// from kind (see baseTypes); empty: kind.
	derived string
	many    bool // a collection
	nav     bool // a navigation property
	beta    bool // in beta only
	// own is set for members that onlineMeeting does not have from
	// onlineMeetingBase, open for those that are in no metadata and that the
	// service emits all the same, in v1.0 or in both versions.
	own, open, openV1 bool
}

// The primitive types (OData CSDL, section 4.4).
const (
	edmText  = "Edm.String"
	edmFlag  = "Edm.Boolean"
	edmTime  = "Edm.DateTimeOffset"
	edmCount = "Edm.Int32"
)

// The types of entities.
const (
	typeMeeting    = "onlineMeeting"
	typeReport     = "meetingAttendanceReport"
	typeRecord     = "attendanceRecord"
	typeTranscript = "callTranscript"
	typeRecording  = "callRecording"
)

// typeCommunicationsUser is who somebody of an attendance record is.
const typeCommunicationsUser = "communicationsUserIdentity"

// entities are the types that have ids, in the order of $metadata.
var entities = []string{typeMeeting, typeReport, typeRecord, typeTranscript, typeRecording, typeUser}

// schema has the members of entities and of the complex types below them, in
// the order in which answers have them (metadata of v1.0 and beta).
var schema = map[string][]property{
	typeMeeting: {
		{name: "id"}, {name: "creationDateTime", typ: edmTime, own: true}, {name: "startDateTime", typ: edmTime, own: true},
		{name: "endDateTime", typ: edmTime, own: true},
		{name: "joinUrl", own: true, openV1: true}, {name: "joinWebUrl"}, {name: "subject"}, {name: "isBroadcast", typ: edmFlag, own: true},
		{name: "autoAdmittedUsers", open: true}, {name: "isEntryExitAnnounced", typ: edmFlag},
		{name: "allowedPresenters", typ: "onlineMeetingPresenters"}, {name: "allowMeetingChat", typ: "meetingChatMode"},
		{name: "allowTeamworkReactions", typ: edmFlag}, {name: "allowAttendeeToEnableCamera", typ: edmFlag},
		{name: "allowAttendeeToEnableMic", typ: edmFlag}, {name: "recordAutomatically", typ: edmFlag}, {name: "videoTeleconferenceId"},
		{name: "externalId", own: true}, {name: "expiryDateTime", typ: edmTime},
		{name: "participants", kind: "meetingParticipants", own: true},
		{name: "lobbyBypassSettings", kind: "lobbyBypassSettings"},
		{name: "joinMeetingIdSettings", kind: "joinMeetingIdSettings"},
		{name: "audioConferencing", kind: "audioConferencing"},
		{name: "chatInfo", kind: "chatInfo"},
		{name: "broadcastSettings", kind: "broadcastMeetingSettings", own: true},
		{name: "joinInformation", kind: "itemBody"},
		{name: "allowBreakoutRooms", typ: edmFlag}, {name: "allowCopyingAndSharingMeetingContent", typ: edmFlag},
		{name: "allowedLobbyAdmitters", typ: "allowedLobbyAdmitterRoles"}, {name: "allowLiveShare", typ: "meetingLiveShareOptions"},
		{name: "allowParticipantsToChangeName", typ: edmFlag}, {name: "allowPowerPointSharing", typ: edmFlag},
		{name: "allowRecording", typ: edmFlag}, {name: "allowTranscription", typ: edmFlag},
		{name: "allowWhiteboard", typ: edmFlag}, {name: "anonymizeIdentityForRoles", typ: "onlineMeetingRole", many: true, open: true},
		{name: "chatRestrictions", kind: "chatRestrictions"},
		{name: "cloudVideoInteropInfo", kind: "cloudVideoInteropInfo"},
		{name: "isEndToEndEncryptionEnabled", typ: edmFlag}, {name: "meetingOptionsWebUrl"}, {name: "meetingSpokenLanguageTag"},
		{name: "meetingTemplateId", own: true}, {name: "meetingType", typ: "onlineMeetingType"},
		{name: "sensitivityLabelAssignment", kind: "onlineMeetingSensitivityLabelAssignment"},
		{name: "shareMeetingChatHistoryDefault", typ: "meetingChatHistoryDefaultMode"},
		{name: "watermarkProtection", kind: "watermarkProtectionValues"},
		{name: "capabilities", typ: "meetingCapabilities", many: true, beta: true, own: true},
	},
	typeReport: {
		{name: "id"}, {name: "totalParticipantCount", typ: edmCount}, {name: "meetingStartDateTime", typ: edmTime}, {name: "meetingEndDateTime", typ: edmTime},
		{name: "externalEventInformation", kind: "virtualEventExternalInformation", many: true},
		{name: "attendanceRecords", kind: typeRecord, many: true, nav: true},
	},
	typeRecord: {
		{name: "id"}, {name: "emailAddress"}, {name: "identity", kind: "identity", derived: typeCommunicationsUser}, {name: "role"},
		{name: "totalAttendanceInSeconds", typ: edmCount}, {name: "attendanceIntervals", kind: "attendanceInterval", many: true}, {name: "registrationId"},
		{name: "externalRegistrationInformation", kind: "virtualEventExternalRegistrationInformation"}, {name: "registrantId", beta: true},
		{name: "engagements", kind: "meetingEngagement", many: true, beta: true},
	},
	typeTranscript: {
		{name: "id"}, {name: "meetingId"}, {name: "callId"}, {name: "contentCorrelationId"}, {name: "createdDateTime", typ: edmTime},
		{name: "endDateTime", typ: edmTime}, {name: "meetingOrganizer", kind: "identitySet"}, {name: "transcriptContentUrl"},
	},
	typeRecording: {
		{name: "id"}, {name: "meetingId"}, {name: "callId"}, {name: "contentCorrelationId"}, {name: "createdDateTime", typ: edmTime},
		{name: "endDateTime", typ: edmTime}, {name: "meetingOrganizer", kind: "identitySet"}, {name: "recordingContentUrl"},
	},
	typeUser: { // the default set of the page "user resource type"
		{name: "businessPhones", many: true}, {name: "displayName"}, {name: "givenName"}, {name: "jobTitle"}, {name: "mail"}, {name: "mobilePhone"},
		{name: "officeLocation"}, {name: "preferredLanguage"}, {name: "surname"}, {name: "userPrincipalName"}, {name: "id"},
	},
	"meetingParticipants": {
		{name: "organizer", kind: "meetingParticipantInfo"}, {name: "attendees", kind: "meetingParticipantInfo", many: true},
		{name: "producers", kind: "meetingParticipantInfo", many: true, openV1: true}, {name: "contributors", kind: "meetingParticipantInfo", many: true, openV1: true},
	},
	"meetingParticipantInfo": {{name: "upn"}, {name: "role", typ: "onlineMeetingRole"}, {name: "identity", kind: "identitySet"}},
	"identitySet":            {{name: "application", kind: "identity"}, {name: "device", kind: "identity"}, {name: "user", kind: "identity"}},
	"identity":               {{name: "id"}, {name: "displayName"}, {name: "tenantId", open: true}, {name: "identityProvider", open: true}, {name: "email", open: true}, {name: "applicationType", open: true}, {name: "azureCommunicationServicesResourceId", open: true}, {name: "hidden", typ: edmFlag, open: true}},
	typeCommunicationsUser:   {{name: "id"}, {name: "displayName"}, {name: "tenantId"}},
	"lobbyBypassSettings":    {{name: "scope", typ: "lobbyBypassScope"}, {name: "isDialInBypassEnabled", typ: edmFlag}},
	"joinMeetingIdSettings":  {{name: "isPasscodeRequired", typ: edmFlag}, {name: "joinMeetingId"}, {name: "passcode"}},
	"audioConferencing": {
		{name: "conferenceId"}, {name: "tollNumber"}, {name: "tollFreeNumber"}, {name: "tollNumbers", many: true},
		{name: "tollFreeNumbers", many: true}, {name: "dialinUrl"},
	},
	"chatInfo":                  {{name: "threadId"}, {name: "messageId"}, {name: "replyChainMessageId"}},
	"itemBody":                  {{name: "content"}, {name: "contentType", typ: "bodyType"}},
	"cloudVideoInteropInfo":     {{name: "moreInfoWebUrl"}, {name: "tenantKey"}, {name: "videoTeleconferenceId"}},
	"watermarkProtectionValues": {{name: "isEnabledForContentSharing", typ: edmFlag}, {name: "isEnabledForVideo", typ: edmFlag}},
	"chatRestrictions":          {{name: "allowTextOnly", typ: edmFlag}},
	"onlineMeetingSensitivityLabelAssignment": {{name: "sensitivityLabelId"}},
	"broadcastMeetingSettings": {
		{name: "allowedAudience", typ: "broadcastMeetingAudience"}, {name: "captions", kind: "broadcastMeetingCaptionSettings"},
		{name: "isAttendeeReportEnabled", typ: edmFlag}, {name: "isQuestionAndAnswerEnabled", typ: edmFlag}, {name: "isRecordingEnabled", typ: edmFlag},
		{name: "isVideoOnDemandEnabled", typ: edmFlag},
	},
	"broadcastMeetingCaptionSettings":             {{name: "isCaptionEnabled", typ: edmFlag}, {name: "spokenLanguage"}, {name: "translationLanguages", many: true}},
	"attendanceInterval":                          {{name: "joinDateTime", typ: edmTime}, {name: "leaveDateTime", typ: edmTime}, {name: "durationInSeconds", typ: edmCount}},
	"virtualEventExternalInformation":             {{name: "applicationId"}, {name: "externalEventId"}},
	"virtualEventExternalRegistrationInformation": {{name: "referrer"}, {name: "registrationId"}},
	"meetingEngagement":                           {{name: "dateTime", typ: edmTime}, {name: "engagementSubType"}, {name: "engagementType", typ: "meetingEngagementType"}},
	"attendeeNotificationInfo":                    {{name: "phoneNumber"}, {name: "timeZone"}},
}

// baseTypes are the complex types from which others are derived.
var baseTypes = map[string]string{typeCommunicationsUser: "identity"}

// betaTypes are those that v1.0 does not have.
var betaTypes = []string{"meetingEngagement", "meetingEngagementType"}

// openTypes are the complex types to which clients may add members.
var openTypes = []string{"identity", "identitySet", typeCommunicationsUser}

// unknownFuture stands for an enum member that a plain client does not know; it
// is a member of every enumeration that may grow.
const unknownFuture = "unknownFutureValue"

// enums has the members of enumerations in the order of the metadata: those
// after unknownFutureValue are hidden from plain clients.
var enums = map[string][]string{
	"allowedLobbyAdmitterRoles":     {"organizerAndCoOrganizersAndPresenters", "organizerAndCoOrganizers", unknownFuture},
	"bodyType":                      {"text", "html"},
	"broadcastMeetingAudience":      {"roleIsAttendee", "organization", "everyone", unknownFuture},
	"lobbyBypassScope":              {"organizer", "organization", "organizationAndFederated", "everyone", unknownFuture, "invited", "organizationExcludingGuests"},
	"meetingCapabilities":           {"questionAndAnswer", unknownFuture},
	"meetingChatHistoryDefaultMode": {"none", "all", unknownFuture},
	"meetingChatMode":               {"enabled", "disabled", "limited", unknownFuture},
	"meetingEngagementType":         {"reaction", "hand", "camera", "microphone", unknownFuture},
	"meetingLiveShareOptions":       {"enabled", "disabled", unknownFuture},
	"onlineMeetingPresenters":       {"everyone", "organization", "roleIsPresenter", "organizer", unknownFuture},
	"onlineMeetingRole":             {"attendee", "presenter", unknownFuture, "producer", "coorganizer"},
	"onlineMeetingType":             {"adhoc", "scheduled", "recurring", "broadcast", "meetnow", unknownFuture},
	"remindBeforeTimeInMinutesType": {"mins15", unknownFuture},
	"virtualAppointmentMessageType": {"confirmation", "reschedule", "cancellation", unknownFuture},
}

// betaEnums are those that differ in beta.
var betaEnums = map[string][]string{
	"onlineMeetingRole": {"attendee", "presenter", "producer", unknownFuture, "coorganizer"},
}

// members are those of an enumeration in a version.
func members(enum string, v Version) []string {
	if m, ok := betaEnums[enum]; ok && v == Beta {
		return m
	}
	return enums[enum]
}

// inVersion reports whether a version has the type.
func inVersion(kind string, v Version) bool { return v == Beta || !slices.Contains(betaTypes, kind) }

// inMetadata reports whether the metadata of a version has the property.
func (p *property) inMetadata(v Version) bool {
	return !p.open && !(v == V1 && (p.beta || p.openV1))
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

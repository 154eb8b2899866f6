package meeting

// Options are the settings of a meeting that its organizer may change. The
// names are those of the onlineMeeting resource; start from [DefaultOptions],
// not from zero.
type Options struct {
	AllowAttendeeToEnableCamera          bool
	AllowAttendeeToEnableMic             bool
	AllowBreakoutRooms                   bool
	AllowCopyingAndSharingMeetingContent bool
	AllowParticipantsToChangeName        bool
	AllowPowerPointSharing               bool
	AllowRecording                       bool
	AllowTeamworkReactions               bool
	AllowTranscription                   bool
	AllowWhiteboard                      bool
	IsEndToEndEncryptionEnabled          bool
	IsEntryExitAnnounced                 bool
	RecordAutomatically                  bool

	AllowedLobbyAdmitters          LobbyAdmitters
	AllowedPresenters              Presenters
	AllowLiveShare                 LiveShare
	AllowMeetingChat               ChatMode
	ShareMeetingChatHistoryDefault ChatHistory

	LobbyBypassScope       LobbyScope
	IsDialInBypassEnabled  bool
	WatermarkSharedContent bool
	WatermarkVideo         bool

	// AnonymizeAttendees is anonymizeIdentityForRoles: attendee is the only role
	// that may be in it, and once it is, it stays (onlineMeeting: update).
	AnonymizeAttendees bool `json:",omitzero"`
	ChatRestrictions   Chat `json:",omitzero"`
	// MeetingSpokenLanguageTag and SensitivityLabelID are empty where none was
	// given.
	MeetingSpokenLanguageTag string `json:",omitzero"`
	SensitivityLabelID       string `json:",omitzero"`

	// Settings of live events, which are no more: they are kept and returned.
	IsBroadcast       bool       `json:",omitzero"`
	BroadcastSettings *Broadcast `json:",omitzero"` // never changed, only replaced
	MeetingTemplateID string     `json:",omitzero"`
}

// Chat is chatRestrictions of the metadata; where it was not given, Given is
// false.
type Chat struct{ Given, AllowTextOnly bool }

// Broadcast is broadcastMeetingSettings of the metadata.
type Broadcast struct {
	AllowedAudience            Audience
	IsAttendeeReportEnabled    bool
	IsQuestionAndAnswerEnabled bool
	IsRecordingEnabled         bool
	IsVideoOnDemandEnabled     bool
	HasCaptions                bool // captions is not null
	IsCaptionEnabled           bool
	SpokenLanguage             string // empty where none was given
	TranslationLanguages       []string
}

// Audience is broadcastMeetingAudience of the metadata.
type Audience string

// The audiences, in the order of the metadata.
const (
	AudienceRoleIsAttendee Audience = "roleIsAttendee"
	AudienceOrganization   Audience = "organization"
	AudienceEveryone       Audience = "everyone"
)

// DefaultOptions are the settings of a meeting for which nothing else was
// asked: the documented defaults of the resource page, and the values of its
// samples where the page names none.
func DefaultOptions() Options {
	return Options{
		AllowAttendeeToEnableCamera:          true,
		AllowAttendeeToEnableMic:             true,
		AllowBreakoutRooms:                   true,
		AllowCopyingAndSharingMeetingContent: true,
		AllowPowerPointSharing:               true,
		AllowRecording:                       true,
		AllowTeamworkReactions:               true,
		AllowTranscription:                   true,
		AllowWhiteboard:                      true,
		IsEntryExitAnnounced:                 true,
		AllowedLobbyAdmitters:                AdmittersOrganizersAndPresenters,
		AllowedPresenters:                    PresentersEveryone,
		AllowLiveShare:                       LiveShareEnabled,
		AllowMeetingChat:                     ChatEnabled,
		ShareMeetingChatHistoryDefault:       ChatHistoryNone,
		LobbyBypassScope:                     LobbyOrganization,
	}
}

// LobbyScope says who passes the lobby: lobbyBypassScope of the metadata.
type LobbyScope string

// The lobby scopes, in the order of the metadata.
const (
	LobbyOrganizer                   LobbyScope = "organizer"
	LobbyOrganization                LobbyScope = "organization"
	LobbyOrganizationAndFederated    LobbyScope = "organizationAndFederated"
	LobbyEveryone                    LobbyScope = "everyone"
	LobbyInvited                     LobbyScope = "invited"
	LobbyOrganizationExcludingGuests LobbyScope = "organizationExcludingGuests"
)

// Presenters says who may present: onlineMeetingPresenters of the metadata.
type Presenters string

// The presenters settings, in the order of the metadata.
const (
	PresentersEveryone     Presenters = "everyone"
	PresentersOrganization Presenters = "organization"
	PresentersByRole       Presenters = "roleIsPresenter"
	PresentersOrganizer    Presenters = "organizer"
)

// LobbyAdmitters says who may admit people from the lobby:
// allowedLobbyAdmitterRoles of the metadata.
type LobbyAdmitters string

// The lobby admitter settings, in the order of the metadata.
const (
	AdmittersOrganizersAndPresenters LobbyAdmitters = "organizerAndCoOrganizersAndPresenters"
	AdmittersOrganizers              LobbyAdmitters = "organizerAndCoOrganizers"
)

// ChatMode is meetingChatMode of the metadata.
type ChatMode string

// The chat modes, in the order of the metadata.
const (
	ChatEnabled  ChatMode = "enabled"
	ChatDisabled ChatMode = "disabled"
	ChatLimited  ChatMode = "limited"
)

// ChatHistory is meetingChatHistoryDefaultMode of the metadata.
type ChatHistory string

// The chat history modes, in the order of the metadata.
const (
	ChatHistoryNone ChatHistory = "none"
	ChatHistoryAll  ChatHistory = "all"
)

// LiveShare is meetingLiveShareOptions of the metadata.
type LiveShare string

// The live share options, in the order of the metadata.
const (
	LiveShareEnabled  LiveShare = "enabled"
	LiveShareDisabled LiveShare = "disabled"
)

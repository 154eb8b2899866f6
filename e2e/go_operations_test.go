package e2e

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// The Go SDK drives every operation on a meeting, from its making to its end.
func TestGoOperations(t *testing.T) {
	t.Parallel()
	client, statuses := graphClient(t, clientSecret(t, booking, bookingSecret), graphDefault)
	meetings := client.ByUserId(ann).OnlineMeetings()
	start := time.Date(2031, 2, 6, 9, 0, 0, 0, time.UTC)

	made, err := meetings.Post(t.Context(), drafted("Operations", start), nil)
	if err != nil {
		t.Fatal(err)
	}
	if scope := made.GetLobbyBypassSettings().GetScope(); scope == nil || *scope != models.ORGANIZER_LOBBYBYPASSSCOPE {
		t.Errorf("lobby scope %v; want organizer", scope)
	}
	if code := value(made.GetJoinMeetingIdSettings().GetPasscode()); code == "" {
		t.Error("no passcode; want one, since it was asked for")
	}
	if attendees := made.GetParticipants().GetAttendees(); len(attendees) != 1 || value(attendees[0].GetUpn()) != "bob@contoso.example" {
		t.Errorf("attendees %+v; want Bob", attendees)
	}
	one := meetings.ByOnlineMeetingId(value(made.GetId()))

	read, err := one.Get(t.Context(), nil)
	if err != nil || value(read.GetSubject()) != "Operations" || !read.GetStartDateTime().Equal(start) {
		t.Errorf("read %+v, error %v; want what was made", read, err)
	}
	for _, filter := range []string{
		"JoinWebUrl eq '" + value(made.GetJoinWebUrl()) + "'",
		"joinMeetingIdSettings/joinMeetingId eq '" + value(made.GetJoinMeetingIdSettings().GetJoinMeetingId()) + "'",
	} {
		found, err := meetings.Get(t.Context(), &users.ItemOnlineMeetingsRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemOnlineMeetingsRequestBuilderGetQueryParameters{Filter: &filter},
		})
		if err != nil || len(found.GetValue()) != 1 || value(found.GetValue()[0].GetId()) != value(made.GetId()) {
			t.Errorf("found by %s: %+v, error %v; want the meeting alone", filter, found, err)
		}
	}

	change, subject := models.NewOnlineMeeting(), "Changed"
	change.SetSubject(&subject)
	changed, err := one.Patch(t.Context(), change, nil)
	if err != nil || value(changed.GetSubject()) != subject || !changed.GetStartDateTime().Equal(start) {
		t.Errorf("changed %+v, error %v; want another subject and nothing else", changed, err)
	}
	link, err := one.GetVirtualAppointmentJoinWebUrl().GetAsGetVirtualAppointmentJoinWebUrlGetResponse(t.Context(), nil)
	if err != nil || !strings.HasPrefix(value(link.GetValue()), server.url+"/") {
		t.Errorf("link %+v, error %v; want one at %s", link, err, server.url)
	}
	if err := one.Delete(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if want := []int{201, 200, 200, 200, 200, 200, 204}; !slices.Equal(statuses.seen(), want) {
		t.Errorf("statuses %v; want %v", statuses.seen(), want)
	}
	_, err = one.Get(t.Context(), nil)
	wantODataError(t, err, http.StatusNotFound, "NotFound")
}

// Nobody has met yet: what meetings leave behind are lists, empty and readable.
func TestGoArtifacts(t *testing.T) {
	t.Parallel()
	client, statuses := graphClient(t, clientSecret(t, booking, bookingSecret), graphDefault)
	meetings := client.ByUserId(ann).OnlineMeetings()
	made, err := meetings.Post(t.Context(), drafted("Artifacts", time.Now()), nil)
	if err != nil {
		t.Fatal(err)
	}
	one := meetings.ByOnlineMeetingId(value(made.GetId()))

	reports, err := one.AttendanceReports().Get(t.Context(), nil)
	wantEmpty(t, "attendance reports", reports, err, models.MeetingAttendanceReportCollectionResponseable.GetValue)
	transcripts, err := one.Transcripts().Get(t.Context(), nil)
	wantEmpty(t, "transcripts", transcripts, err, models.CallTranscriptCollectionResponseable.GetValue)
	recordings, err := one.Recordings().Get(t.Context(), nil)
	wantEmpty(t, "recordings", recordings, err, models.CallRecordingCollectionResponseable.GetValue)

	delta, err := one.Transcripts().Delta().GetAsDeltaGetResponse(t.Context(), nil)
	wantEmpty(t, "changes of transcripts", delta, err, users.ItemOnlineMeetingsItemTranscriptsDeltaGetResponseable.GetValue)
	if err == nil {
		later, err := one.Transcripts().Delta().WithUrl(value(delta.GetOdataDeltaLink())).GetAsDeltaGetResponse(t.Context(), nil)
		wantEmpty(t, "later changes of transcripts", later, err, users.ItemOnlineMeetingsItemTranscriptsDeltaGetResponseable.GetValue)
	}

	// The SDK writes the arguments as aliases. It could have their values in the
	// query, but panics before it sends them (kiota-abstractions-go 1.9.3 and times).
	allTranscripts, err := meetings.GetAllTranscriptsmeetingOrganizerUserIdMeetingOrganizerUserIdWithStartDateTimeWithEndDateTime().
		GetAsGetAllTranscriptsmeetingOrganizerUserIdMeetingOrganizerUserIdWithStartDateTimeWithEndDateTimeGetResponse(t.Context(), nil)
	wantEmpty(t, "all transcripts", allTranscripts, err,
		users.ItemOnlineMeetingsGetAllTranscriptsmeetingOrganizerUserIdMeetingOrganizerUserIdWithStartDateTimeWithEndDateTimeGetResponseable.GetValue)
	allRecordings, err := meetings.GetAllRecordingsmeetingOrganizerUserIdMeetingOrganizerUserIdWithStartDateTimeWithEndDateTime().
		GetAsGetAllRecordingsmeetingOrganizerUserIdMeetingOrganizerUserIdWithStartDateTimeWithEndDateTimeGetResponse(t.Context(), nil)
	wantEmpty(t, "all recordings", allRecordings, err,
		users.ItemOnlineMeetingsGetAllRecordingsmeetingOrganizerUserIdMeetingOrganizerUserIdWithStartDateTimeWithEndDateTimeGetResponseable.GetValue)

	if got := statuses.seen(); slices.ContainsFunc(got[1:], func(status int) bool { return status != http.StatusOK }) {
		t.Errorf("statuses %v; want 200 after the first", got)
	}
	_, err = one.Transcripts().ByCallTranscriptId("none").Get(t.Context(), nil)
	wantODataError(t, err, http.StatusNotFound, "NotFound")
}

// Each refusal reaches the program as the SDK's own kind of error.
func TestGoRefusals(t *testing.T) {
	t.Parallel()
	client, _ := graphClient(t, clientSecret(t, booking, bookingSecret), graphDefault)
	meetings := client.ByUserId(ann).OnlineMeetings()

	_, err := meetings.Get(t.Context(), nil)
	wantODataError(t, err, http.StatusBadRequest, "BadRequest")
	filter := "subject eq 'x'"
	_, err = meetings.Get(t.Context(), &users.ItemOnlineMeetingsRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemOnlineMeetingsRequestBuilderGetQueryParameters{Filter: &filter},
	})
	wantODataError(t, err, http.StatusBadRequest, "BadRequest")
	_, err = meetings.ByOnlineMeetingId("none").Get(t.Context(), nil)
	wantODataError(t, err, http.StatusBadRequest, "BadRequest")
	_, err = client.ByUserId(dora).OnlineMeetings().Post(t.Context(), drafted("No", time.Now()), nil)
	wantODataError(t, err, http.StatusForbidden, "Forbidden")

	made, err := meetings.Post(t.Context(), drafted("Refusals", time.Now()), nil)
	if err != nil {
		t.Fatal(err)
	}
	one := meetings.ByOnlineMeetingId(value(made.GetId()))
	change, end := models.NewOnlineMeeting(), time.Now()
	change.SetEndDateTime(&end)
	_, err = one.Patch(t.Context(), change, nil)
	wantODataError(t, err, http.StatusBadRequest, "BadRequest")

	sms, kind, number := users.NewItemOnlineMeetingsItemSendVirtualAppointmentSmsPostRequestBody(), models.CONFIRMATION_VIRTUALAPPOINTMENTMESSAGETYPE, "+13129224122"
	attendee := models.NewAttendeeNotificationInfo()
	attendee.SetPhoneNumber(&number)
	sms.SetMessageType(&kind)
	sms.SetAttendees([]models.AttendeeNotificationInfoable{attendee})
	wantODataError(t, one.SendVirtualAppointmentSms().Post(t.Context(), sms, nil), http.StatusForbidden, "Forbidden")
}

// drafted is a meeting of half an hour with Bob, a lobby and a passcode.
func drafted(subject string, start time.Time) *models.OnlineMeeting {
	m, end, upn := models.NewOnlineMeeting(), start.Add(30*time.Minute), "bob@contoso.example"
	m.SetSubject(&subject)
	m.SetStartDateTime(&start)
	m.SetEndDateTime(&end)
	bob, people := models.NewMeetingParticipantInfo(), models.NewMeetingParticipants()
	bob.SetUpn(&upn)
	people.SetAttendees([]models.MeetingParticipantInfoable{bob})
	m.SetParticipants(people)
	lobby, scope := models.NewLobbyBypassSettings(), models.ORGANIZER_LOBBYBYPASSSCOPE
	lobby.SetScope(&scope)
	m.SetLobbyBypassSettings(lobby)
	join, wanted := models.NewJoinMeetingIdSettings(), true
	join.SetIsPasscodeRequired(&wanted)
	m.SetJoinMeetingIdSettings(join)
	return m
}

func wantEmpty[L, V any](t *testing.T, name string, list L, err error, values func(L) []V) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	} else if got := values(list); got == nil || len(got) > 0 {
		t.Errorf("%s: %+v; want an empty list", name, got)
	}
}

func wantODataError(t *testing.T, err error, status int, code string) {
	t.Helper()
	var odata *odataerrors.ODataError
	if !errors.As(err, &odata) {
		t.Errorf("error %T %v; want an ODataError", err, err)
		return
	}
	main := odata.GetErrorEscaped()
	if odata.GetStatusCode() != status || value(main.GetCode()) != code || value(main.GetMessage()) == "" {
		t.Errorf("error %d %q %q; want %d %q and a message", odata.GetStatusCode(), value(main.GetCode()), value(main.GetMessage()), status, code)
	}
}

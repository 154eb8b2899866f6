package graph

import (
	"net/url"
	"strings"
)

// String is the canonical path of r.
func (r route) String() string {
	path := "/" + string(r.version)
	switch r.scope {
	case scopeMe:
		path += "/me"
	case scopeUser:
		path += "/users/" + escapeSegment(r.user)
	case scopeCommunications:
		path += "/communications"
	}
	switch r.action {
	case actionBatch, actionMetadata, actionOpenAPI, actionUsers:
		return path + "/" + string(r.action)
	}
	below, ok := belowMeetings[r.action]
	if !ok {
		return path
	}
	path += "/onlineMeetings" + strings.Replace(below, "()", "("+escapeSegment(r.args)+")", 1)
	for _, key := range []struct{ place, value string }{{meetingPlace, r.meeting}, {itemPlace, r.item}, {recordPlace, r.record}} {
		inside := "'" + escapeSegment(strings.ReplaceAll(key.value, "'", "''")) + "'"
		if r.byLink && key.place == meetingPlace {
			inside = "joinWebUrl=" + inside
		}
		path = strings.Replace(path, "/"+key.place, "("+inside+")", 1)
	}
	return path
}

// Where keys stand in the paths of belowMeetings.
const (
	meetingPlace = "{meetingId}"
	itemPlace    = "{itemId}"
	recordPlace  = "{recordId}"
)

// belowMeetings are the paths of actions below /onlineMeetings.
var belowMeetings = map[action]string{
	actionMeetings:           "",
	actionCreateOrGet:        "/createOrGet",
	actionAllTranscripts:     "/getAllTranscripts()",
	actionAllRecordings:      "/getAllRecordings()",
	actionMeeting:            "/{meetingId}",
	actionAppointment:        "/{meetingId}/getVirtualAppointmentJoinWebUrl",
	actionReminderSMS:        "/{meetingId}/sendVirtualAppointmentReminderSms",
	actionAppointmentSMS:     "/{meetingId}/sendVirtualAppointmentSms",
	actionReports:            "/{meetingId}/attendanceReports",
	actionReport:             "/{meetingId}/attendanceReports/{itemId}",
	actionRecords:            "/{meetingId}/attendanceReports/{itemId}/attendanceRecords",
	actionRecord:             "/{meetingId}/attendanceReports/{itemId}/attendanceRecords/{recordId}",
	actionTranscripts:        "/{meetingId}/transcripts",
	actionTranscript:         "/{meetingId}/transcripts/{itemId}",
	actionTranscriptContent:  "/{meetingId}/transcripts/{itemId}/content",
	actionTranscriptMetadata: "/{meetingId}/transcripts/{itemId}/metadataContent",
	actionTranscriptsDelta:   "/{meetingId}/transcripts/delta()",
	actionRecordings:         "/{meetingId}/recordings",
	actionRecording:          "/{meetingId}/recordings/{itemId}",
	actionRecordingContent:   "/{meetingId}/recordings/{itemId}/content",
	actionRecordingsDelta:    "/{meetingId}/recordings/delta()",
}

func escapeSegment(s string) string { return url.PathEscape(s) }

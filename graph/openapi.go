package graph

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-meet/convene/identity"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// A description is what the OpenAPI document says of an operation besides what
// the tables of routes and types know.
type description struct {
	id, summary string
	op          *identity.Operation // nil: any token, or what artifacts say
	body        string              // the type of the request; empty: none
	answer      string              // the type of the answer; empty: none
	many        bool                // the answer is a collection of it
	status      []int               // of answers; 200 when empty
	options     *optionSet
	anonymous   bool // no token is needed
}

// described has each operation of the table operations.
var described = map[action]map[string]description{
	actionRoot:     {http.MethodGet: {id: "serviceDocument", summary: "The service document"}},
	actionMetadata: {http.MethodGet: {id: "metadata", summary: "The model, as CSDL", anonymous: true}},
	actionOpenAPI:  {http.MethodGet: {id: "openapi", summary: "This document", anonymous: true}},
	actionBatch:    {http.MethodPost: {id: "batch", summary: "Up to 20 requests in one", body: "batch", answer: "batchAnswer"}},
	actionUser:     {http.MethodGet: {id: "getUser", summary: "Read a user", op: getUserOp, answer: typeUser, options: userOptionSet}},
	actionUsers:    {http.MethodGet: {id: "listUsers", summary: "Users of the tenant", op: listUsersOp, answer: typeUser, many: true, options: usersOptions}},
	actionMeetings: {
		http.MethodGet:  {id: "findOnlineMeeting", summary: "Find a meeting by join URL, join meeting id or VideoTeleconferenceId", op: getOp, answer: typeMeeting, many: true, options: findOptions},
		http.MethodPost: {id: "createOnlineMeeting", summary: "Make a meeting", op: createOp, body: typeMeeting, answer: typeMeeting, status: []int{201}, options: meetingOptions},
	},
	actionMeeting: {
		http.MethodGet:    {id: "getOnlineMeeting", summary: "Read a meeting", op: getOp, answer: typeMeeting, options: getOptions},
		http.MethodPatch:  {id: "updateOnlineMeeting", summary: "Change a meeting", op: updateOp, body: typeMeeting, answer: typeMeeting, options: meetingOptions},
		http.MethodDelete: {id: "deleteOnlineMeeting", summary: "Delete a meeting", op: deleteOp, status: []int{204}},
	},
	actionCreateOrGet: {http.MethodPost: {id: "createOrGetOnlineMeeting", summary: "Make the meeting that belongs to an external id, or get it", op: createOrGetOp,
		body: "createOrGet", answer: typeMeeting, status: []int{200, 201}, options: meetingOptions}},
	actionAppointment:        {http.MethodGet: {id: "getVirtualAppointmentJoinWebUrl", summary: "The link for a virtual appointment", op: appointmentOp, answer: edmText}},
	actionReminderSMS:        {http.MethodPost: {id: "sendVirtualAppointmentReminderSms", summary: "Send a reminder; always refused, no gateway can be configured", op: smsOp, body: "reminderSms", status: []int{403}}},
	actionAppointmentSMS:     {http.MethodPost: {id: "sendVirtualAppointmentSms", summary: "Send a message; always refused, no gateway can be configured", op: smsOp, body: "appointmentSms", status: []int{403}}},
	actionReports:            {http.MethodGet: {id: "listAttendanceReports", summary: "Attendance reports", answer: typeReport, many: true}},
	actionReport:             {http.MethodGet: {id: "getAttendanceReport", summary: "An attendance report", answer: typeReport}},
	actionRecords:            {http.MethodGet: {id: "listAttendanceRecords", summary: "Who was there", answer: typeRecord, many: true}},
	actionRecord:             {http.MethodGet: {id: "getAttendanceRecord", summary: "When somebody was there", answer: typeRecord}},
	actionTranscripts:        {http.MethodGet: {id: "listTranscripts", summary: "Transcripts", answer: typeTranscript, many: true}},
	actionTranscript:         {http.MethodGet: {id: "getTranscript", summary: "A transcript", answer: typeTranscript}},
	actionTranscriptContent:  {http.MethodGet: {id: "getTranscriptContent", summary: "What was said", answer: "text/vtt"}},
	actionTranscriptMetadata: {http.MethodGet: {id: "getTranscriptMetadataContent", summary: "Who said it", answer: "text/vtt"}},
	actionTranscriptsDelta:   {http.MethodGet: {id: "transcriptsDelta", summary: "Transcripts that are new", answer: typeTranscript, many: true}},
	actionAllTranscripts:     {http.MethodGet: {id: "getAllTranscripts", summary: "Transcripts of all meetings of an organizer", answer: typeTranscript, many: true}},
	actionRecordings:         {http.MethodGet: {id: "listRecordings", summary: "Recordings", answer: typeRecording, many: true}},
	actionRecording:          {http.MethodGet: {id: "getRecording", summary: "A recording", answer: typeRecording}},
	actionRecordingContent:   {http.MethodGet: {id: "getRecordingContent", summary: "A recording's film", answer: "video/mp4"}},
	actionRecordingsDelta:    {http.MethodGet: {id: "recordingsDelta", summary: "Recordings that are new", answer: typeRecording, many: true}},
	actionAllRecordings:      {http.MethodGet: {id: "getAllRecordings", summary: "Recordings of all meetings of an organizer", answer: typeRecording, many: true}},
}

// templates are the paths of an action below the version, by the scope under
// which they stand.
func templates(a action, v Version) map[string]scope {
	switch a {
	case actionRoot:
		return map[string]scope{"/": scopeNone}
	case actionBatch:
		return map[string]scope{"/$batch": scopeNone}
	case actionMetadata:
		return map[string]scope{"/$metadata": scopeNone}
	case actionOpenAPI:
		return map[string]scope{"/openapi.json": scopeNone}
	case actionUsers:
		return map[string]scope{"/users": scopeNone}
	case actionUser:
		return map[string]scope{"/me": scopeMe, "/users/{userId}": scopeUser}
	}
	path, ok := belowMeetings[a]
	if !ok {
		return nil
	}
	all := map[string]scope{}
	for root, under := range map[string]scope{"/me": scopeMe, "/users/{userId}": scopeUser, "/communications": scopeCommunications} {
		all[root+"/onlineMeetings"+path] = under
		if a == actionMeeting && v == Beta { // the alternate key of beta's metadata
			all[root+"/onlineMeetings(joinWebUrl='{joinWebUrl}')"] = under
		}
	}
	return all
}

// originPlace stands in the document for the origin under which it is asked for.
const originPlace = "https://origin.invalid"

// A doc is an object of the document.
type doc = map[string]any

// newOpenAPI writes the document of a version (OpenAPI Specification 3.1), from
// the tables of routes, operations and types.
func newOpenAPI(v Version) []byte {
	paths := doc{}
	for _, a := range sortedKeys(operations) {
		for path, under := range templates(a, v) {
			item := doc{}
			if names := parameters(path); len(names) > 0 {
				item["parameters"] = names
			}
			for _, op := range operations[a] {
				d, ok := described[a][op.method]
				if !ok {
					continue
				}
				if kind, ok := artifacts[a]; ok {
					d.op, d.options = kind.op, kind.options
				}
				about := d.operation(under)
				if strings.Contains(path, "{joinWebUrl}") {
					about["operationId"] = about["operationId"].(string) + "ByJoinWebUrl"
				}
				item[strings.ToLower(op.method)] = about
			}
			if len(item) > 0 {
				paths[path] = item
			}
		}
	}
	schemas := doc{"error": errorSchema()}
	for name, properties := range schema {
		if inVersion(name, v) {
			schemas[name] = typeSchema(properties, v)
		}
	}
	for name := range enums {
		if inVersion(name, v) {
			schemas[name] = doc{"type": "string", "enum": members(name, v)}
		}
	}
	schemas["createOrGet"] = requestSchema(v, []string{"externalId"}, "externalId", "subject", "startDateTime", "endDateTime", "participants", "chatInfo")
	attendees := doc{"type": "array", "items": reference("attendeeNotificationInfo")}
	schemas["reminderSms"] = doc{"type": "object", "required": []string{"attendees"}, "properties": doc{"remindBeforeTimeInMinutesType": reference("remindBeforeTimeInMinutesType"), "attendees": attendees}}
	schemas["appointmentSms"] = doc{"type": "object", "required": []string{"attendees", "messageType"}, "properties": doc{"messageType": reference("virtualAppointmentMessageType"), "attendees": attendees}}
	text, anything := doc{"type": "string"}, doc{}
	headers := doc{"type": "object", "additionalProperties": text}
	schemas["batch"] = doc{"type": "object", "required": []string{"requests"}, "properties": doc{"requests": doc{"type": "array", "maxItems": 20, "items": doc{
		"type": "object", "required": []string{"id", "method", "url"},
		"properties": doc{"id": text, "method": text, "url": text, "headers": headers, "body": anything, "dependsOn": doc{"type": "array", "items": text}},
	}}}}
	schemas["batchAnswer"] = doc{"type": "object", "required": []string{"responses"}, "properties": doc{"responses": doc{"type": "array", "items": doc{
		"type": "object", "required": []string{"id", "status"}, "properties": doc{"id": text, "status": doc{"type": "integer"}, "headers": headers, "body": anything},
	}}}}
	document := doc{
		"openapi": "3.1.0",
		"info": doc{
			"title":       "Convene: online meetings in Microsoft Graph's shape",
			"description": "What this server offers of Microsoft Graph. Requests may send more members than are listed; those are ignored.",
			"version":     string(v),
			"license":     doc{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{doc{"url": originPlace + "/" + string(v)}},
		"paths":   paths,
		"components": doc{
			"schemas": schemas,
			"responses": doc{"error": doc{
				"description": "What is wrong, in Graph's envelope.",
				"content":     doc{"application/json": doc{"schema": reference("error")}},
			}},
			"securitySchemes": doc{"bearer": doc{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
		},
		"security": []any{doc{"bearer": []string{}}},
	}
	written, err := json.Marshal(document)
	if err != nil {
		panic(err) // of constants of ours, which a test writes
	}
	return written
}

func reference(name string) doc { return doc{"$ref": "#/components/schemas/" + name} }

// parameters are those of a path template.
func parameters(path string) (all []any) {
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		all = append(all, doc{"name": name, "in": "path", "required": true, "schema": doc{"type": "string"}})
	}
	return all
}

func (d *description) operation(under scope) doc {
	suffix := map[scope]string{scopeMe: "OfMe", scopeUser: "OfUser", scopeCommunications: "OfCommunications"}[under]
	o := doc{"operationId": d.id + suffix, "summary": d.summary}
	if d.anonymous {
		o["security"] = []any{}
	}
	if d.op != nil {
		o["description"] = d.permissions(under)
	}
	if d.options != nil {
		var query []any
		for _, name := range d.options.names {
			kind := doc{"type": "string"}
			switch name {
			case "$top":
				kind = doc{"type": "integer", "minimum": 0}
			case "$count":
				kind = doc{"type": "boolean"}
			}
			query = append(query, doc{"name": name, "in": "query", "schema": kind})
		}
		o["parameters"] = query
	}
	if d.body != "" {
		o["requestBody"] = doc{"required": true, "content": doc{"application/json": doc{"schema": reference(d.body)}}}
	}
	responses := doc{"default": doc{"$ref": "#/components/responses/error"}}
	status := d.status
	if len(status) == 0 {
		status = []int{http.StatusOK}
	}
	for _, code := range status {
		if code >= http.StatusBadRequest {
			continue // an error as the others
		}
		answer := doc{"description": http.StatusText(code)}
		if code != http.StatusNoContent {
			answer["content"] = d.content()
		}
		responses[strconv.Itoa(code)] = answer
	}
	o["responses"] = responses
	return o
}

// content is the body of an answer.
func (d *description) content() doc {
	switch {
	case d.id == "metadata":
		return doc{"application/xml": doc{"schema": doc{"type": "string"}}}
	case d.answer == "":
		return doc{"application/json": doc{"schema": doc{"type": "object"}}}
	case strings.Contains(d.answer, "/"):
		return doc{d.answer: doc{"schema": doc{"type": "string"}}}
	case d.answer == edmText:
		return doc{"application/json": doc{"schema": doc{"type": "object", "properties": doc{"value": doc{"type": "string"}}}}}
	}
	kind := reference(d.answer)
	if d.many {
		kind = doc{"type": "object", "required": []string{"value"}, "properties": doc{
			"value": doc{"type": "array", "items": kind}, "@odata.context": doc{"type": "string"}, "@odata.count": doc{"type": "integer"},
			"@odata.nextLink": doc{"type": "string"}, "@odata.deltaLink": doc{"type": "string"},
		}}
	}
	return doc{"application/json": doc{"schema": kind}}
}

// permissions says who may call the operation.
func (d *description) permissions(under scope) string {
	either := func(names []string) string {
		if len(names) == 0 {
			return "not offered"
		}
		return strings.Join(names, " or ")
	}
	text := "Delegated: " + either(d.op.Delegated) + "."
	if under != scopeMe {
		text += " Application: " + either(d.op.Application) + "."
		if d.op.ByPolicy {
			text += " Applications also need an application access policy of the user."
		}
	}
	return text
}

// typeSchema is the JSON Schema of a type; every member may be null.
func typeSchema(properties []property, v Version) doc {
	all := doc{}
	for _, p := range properties {
		if p.beta && v != Beta {
			continue
		}
		var s doc
		switch {
		case p.kind != "":
			s = doc{"anyOf": []any{reference(cmp.Or(p.derived, p.kind)), doc{"type": "null"}}}
		case p.typ == edmFlag:
			s = doc{"type": []string{"boolean", "null"}}
		case p.typ == edmCount:
			s = doc{"type": []string{"integer", "null"}}
		case p.typ == edmTime:
			s = doc{"type": []string{"string", "null"}, "format": "date-time"}
		case p.typ != "":
			s = doc{"anyOf": []any{reference(p.typ), doc{"type": "null"}}}
		default:
			s = doc{"type": []string{"string", "null"}}
		}
		if p.many {
			item := s
			if p.kind != "" {
				item = reference(p.kind)
			} else if p.typ == "" {
				item = doc{"type": "string"}
			}
			s = doc{"type": []string{"array", "null"}, "items": item}
		}
		all[p.name] = s
	}
	return doc{"type": "object", "properties": all}
}

// requestSchema has some members of onlineMeeting.
func requestSchema(v Version, required []string, names ...string) doc {
	whole := typeSchema(schema[typeMeeting], v)["properties"].(doc)
	some := doc{}
	for _, name := range names {
		some[name] = whole[name]
	}
	return doc{"type": "object", "required": required, "properties": some}
}

func errorSchema() doc {
	text := doc{"type": "string"}
	return doc{"type": "object", "required": []string{"error"}, "properties": doc{"error": doc{
		"type": "object", "required": []string{"code", "message"},
		"properties": doc{
			"code": text, "message": text, "target": text,
			"innerError": doc{"type": "object", "properties": doc{"date": text, "request-id": text, "client-request-id": text}},
		},
	}}}
}

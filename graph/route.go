package graph

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// An action is what a path names, apart from whose it is.
type action string

const (
	actionRoot        action = "" // the service root
	actionMetadata    action = "$metadata"
	actionOpenAPI     action = "openapi.json"
	actionBatch       action = "$batch"      // many requests in one
	actionUser        action = "user"        // /me, /users/{id}
	actionUsers       action = "users"       // /users
	actionMeetings    action = "meetings"    // …/onlineMeetings
	actionMeeting     action = "meeting"     // …/onlineMeetings/{id}
	actionCreateOrGet action = "createOrGet" // …/onlineMeetings/createOrGet

	// Below a meeting, and named by it.
	actionAppointment    action = "getVirtualAppointmentJoinWebUrl"
	actionReminderSMS    action = "sendVirtualAppointmentReminderSms"
	actionAppointmentSMS action = "sendVirtualAppointmentSms"
	actionReports        action = "attendanceReports"
	actionReport         action = "attendanceReport"
	actionRecords        action = "attendanceRecords"
	actionRecord         action = "attendanceRecord"
	actionTranscripts    action = "transcripts"
	actionTranscript     action = "transcript"
	actionRecordings     action = "recordings"
	actionRecording      action = "recording"

	// What a transcript or recording consists of.
	actionTranscriptContent  action = "transcriptContent"
	actionTranscriptMetadata action = "transcriptMetadataContent"
	actionRecordingContent   action = "recordingContent"

	// Functions on collections.
	actionTranscriptsDelta action = "transcriptsDelta"
	actionRecordingsDelta  action = "recordingsDelta"
	actionAllTranscripts   action = "getAllTranscripts"
	actionAllRecordings    action = "getAllRecordings"
)

// A scope is under which of the three roots of online meetings a path stands.
type scope int

const (
	scopeNone           scope = iota
	scopeMe                   // /me
	scopeUser                 // /users/{id}
	scopeCommunications       // /communications
)

// A route is a path, understood. It is comparable, and [route.String] is its
// canonical path: parseRoute(r.String()) is r again.
type route struct {
	version Version
	scope   scope
	user    string // decoded user segment; empty but under /users/{id}
	action  action
	meeting string // decoded id, or join URL where byLink; empty but at and below a meeting
	byLink  bool   // the meeting is named by the alternate key joinWebUrl
	item    string // decoded id of a report, transcript or recording
	record  string // decoded id of an attendance record
	args    string // the arguments of a function as they were written
}

// parseRoute understands the escaped path of a request. Segments are compared
// without regard to case, a key may stand in parentheses (OData URL conventions
// 4.3.1) or as a segment of its own, an action may be qualified with its
// namespace, and one slash at the end is ignored. The error is an [Error].
func parseRoute(path string) (route, error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return route{}, newError(codeNotFound, "The path must begin with /v1.0 or /beta.")
	}
	first, rest, more := strings.Cut(rest, "/")
	var r route
	switch {
	case strings.EqualFold(first, string(V1)):
		r.version = V1
	case strings.EqualFold(first, string(Beta)):
		r.version = Beta
	default:
		return route{}, newError(codeBadRequest, "Invalid version: %s. Use v1.0 or beta.", quotable(first))
	}
	p := segments{rest: strings.TrimSuffix(rest, "/")}
	if !more || rest == "" {
		return r, nil
	}
	return r, p.root(&r)
}

// segments reads one segment of a path after the other.
type segments struct{ rest string }

// next returns the next raw segment; ok is false at the end.
func (p *segments) next() (raw string, ok bool) {
	if p.rest == "" {
		return "", false
	}
	raw, p.rest, ok = strings.Cut(p.rest, "/")
	if ok && p.rest == "" {
		p.rest = "/" // an empty segment, not the end
	}
	return raw, true
}

func unknownSegment(raw string) error {
	return newError(codeBadRequest, "Resource not found for the segment '%s'.", quotable(raw))
}

// root reads what follows the version.
func (p *segments) root(r *route) error {
	raw, _ := p.next()
	name, key, hasKey, err := splitKey(raw)
	if err != nil {
		return err
	}
	switch {
	case strings.EqualFold(name, "$batch") && !hasKey:
		r.action = actionBatch
		return p.end()
	case strings.EqualFold(name, "me") && !hasKey:
		r.scope, r.action = scopeMe, actionUser
	case name == string(actionMetadata), name == string(actionOpenAPI):
		r.action = action(name)
		return p.end()
	case strings.EqualFold(name, "communications") && !hasKey:
		r.scope = scopeCommunications
		if p.rest == "" {
			return unknownSegment(raw)
		}
	case strings.EqualFold(name, "users"):
		if !hasKey {
			segment, ok := p.next()
			if !ok {
				r.action = actionUsers
				return nil
			}
			if key, err = decodeSegment(segment); err != nil {
				return err
			}
		}
		if key == "" {
			return newError(codeBadRequest, "The user in the path is empty. Use /users/{id}.")
		}
		r.scope, r.action, r.user = scopeUser, actionUser, key
	default:
		return unknownSegment(raw)
	}
	return p.meetings(r)
}

// meetings reads what follows the owner of meetings.
func (p *segments) meetings(r *route) error {
	raw, ok := p.next()
	if !ok {
		return nil
	}
	if link, ok := linkKey(raw); ok && r.version == Beta && link != "" {
		r.action, r.meeting, r.byLink = actionMeeting, link, true
		return p.below(r)
	}
	name, key, hasKey, err := splitKey(raw)
	if err != nil {
		return err
	}
	if !strings.EqualFold(name, "onlineMeetings") {
		return unknownSegment(raw)
	}
	r.action = actionMeetings
	if !hasKey {
		segment, ok := p.next()
		if !ok {
			return nil
		}
		if isAction(segment, "createOrGet") {
			r.action = actionCreateOrGet
			return p.end()
		}
		if segment == "$count" || segment == "$ref" {
			return unknownSegment(segment)
		}
		for _, f := range []action{actionAllTranscripts, actionAllRecordings} {
			if args, ok := isFunction(segment, string(f)); ok {
				r.action, r.args = f, args
				return p.end()
			}
		}
		if key, err = decodeSegment(segment); err != nil {
			return err
		}
	}
	if key == "" {
		return newError(codeBadRequest, "The meeting id in the path is empty. Use /onlineMeetings/{id}.")
	}
	r.action, r.meeting = actionMeeting, key
	return p.below(r)
}

// below reads what follows a meeting.
func (p *segments) below(r *route) error {
	raw, ok := p.next()
	if !ok {
		return nil
	}
	if _, ok := isFunction(raw, string(actionAppointment)); ok {
		r.action = actionAppointment
		return p.end()
	}
	for _, a := range []action{actionReminderSMS, actionAppointmentSMS} {
		if isAction(raw, string(a)) {
			r.action = a
			return p.end()
		}
	}
	name, key, hasKey, err := splitKey(raw)
	if err != nil {
		return err
	}
	var one, delta action
	switch {
	case strings.EqualFold(name, string(actionReports)):
		r.action, one = actionReports, actionReport
	case strings.EqualFold(name, string(actionTranscripts)):
		r.action, one, delta = actionTranscripts, actionTranscript, actionTranscriptsDelta
	case strings.EqualFold(name, string(actionRecordings)):
		r.action, one, delta = actionRecordings, actionRecording, actionRecordingsDelta
	default:
		return unknownSegment(raw)
	}
	if !hasKey {
		segment, ok := p.next()
		if !ok {
			return nil
		}
		if _, ok := isFunction(segment, "delta"); ok && delta != "" {
			r.action = delta
			return p.end()
		}
		if key, err = decodeSegment(segment); err != nil {
			return err
		}
	}
	if key == "" {
		return newError(codeBadRequest, "The id after '%s' is empty.", r.action)
	}
	r.action, r.item = one, key
	return p.part(r)
}

// part reads what follows a report, transcript or recording.
func (p *segments) part(r *route) error {
	raw, ok := p.next()
	if !ok {
		return nil
	}
	name, key, hasKey, err := splitKey(raw)
	if err != nil {
		return err
	}
	switch {
	case r.action == actionReport && strings.EqualFold(name, string(actionRecords)):
		r.action = actionRecords
		if !hasKey {
			segment, ok := p.next()
			if !ok {
				return nil
			}
			if key, err = decodeSegment(segment); err != nil {
				return err
			}
		}
		if key == "" {
			return newError(codeBadRequest, "The id after 'attendanceRecords' is empty.")
		}
		r.action, r.record = actionRecord, key
	case r.action == actionTranscript && strings.EqualFold(name, "content") && !hasKey:
		r.action = actionTranscriptContent
	case r.action == actionTranscript && strings.EqualFold(name, "metadataContent") && !hasKey:
		r.action = actionTranscriptMetadata
	case r.action == actionRecording && strings.EqualFold(name, "content") && !hasKey:
		r.action = actionRecordingContent
	default:
		return unknownSegment(raw)
	}
	return p.end()
}

// end expects that nothing follows.
func (p *segments) end() error {
	if raw, more := p.next(); more {
		return unknownSegment(raw)
	}
	return nil
}

// isAction reports whether a raw segment names an action, with or without its
// namespace.
func isAction(raw, name string) bool {
	decoded, err := decodeSegment(raw)
	if err != nil {
		return false
	}
	const namespace = "microsoft.graph."
	if len(decoded) > len(namespace) && strings.EqualFold(decoded[:len(namespace)], namespace) {
		decoded = decoded[len(namespace):]
	}
	return strings.EqualFold(decoded, name)
}

// isFunction reports whether a raw segment calls a function, and returns what
// stands between its parentheses, which may be missing. Blank arguments are none.
func isFunction(raw, name string) (args string, ok bool) {
	decoded, err := decodeSegment(raw)
	if err != nil {
		return "", false
	}
	before, rest, hasArgs := strings.Cut(decoded, "(")
	if hasArgs {
		if args, ok = strings.CutSuffix(rest, ")"); !ok {
			return "", false
		}
	}
	const namespace = "microsoft.graph."
	if len(before) > len(namespace) && strings.EqualFold(before[:len(namespace)], namespace) {
		before = before[len(namespace):]
	}
	return strings.TrimSpace(args), strings.EqualFold(before, name)
}

// linkKey takes "onlineMeetings(joinWebUrl='…')" apart.
func linkKey(raw string) (key string, ok bool) {
	decoded, err := decodeSegment(raw)
	if err != nil {
		return "", false
	}
	name, rest, _ := strings.Cut(decoded, "(")
	before, quoted, ok := strings.Cut(rest, "='")
	quoted, ok2 := strings.CutSuffix(quoted, "')")
	if !ok || !ok2 || !strings.EqualFold(name, "onlineMeetings") || !strings.EqualFold(strings.TrimSpace(before), "joinWebUrl") || strings.Contains(strings.ReplaceAll(quoted, "''", ""), "'") {
		return "", false
	}
	return strings.ReplaceAll(quoted, "''", "'"), true
}

// splitKey takes "users('id')" apart. A quote inside the key is doubled.
func splitKey(raw string) (name, key string, hasKey bool, err error) {
	decoded, err := decodeSegment(raw)
	if err != nil {
		return "", "", false, err
	}
	name, rest, ok := strings.Cut(decoded, "(")
	if !ok {
		return decoded, "", false, nil
	}
	quoted, ok := strings.CutSuffix(rest, "')")
	quoted, ok2 := strings.CutPrefix(quoted, "'")
	if !ok || !ok2 || strings.Contains(strings.ReplaceAll(quoted, "''", ""), "'") {
		return "", "", false, newError(codeBadRequest, "The key in the segment '%s' is malformed. Write it as ('key').", quotable(raw))
	}
	return name, strings.ReplaceAll(quoted, "''", "'"), true, nil
}

func decodeSegment(raw string) (string, error) {
	if !strings.Contains(raw, "%") && clean(raw) {
		return raw, nil
	}
	decoded, err := url.PathUnescape(raw)
	if err != nil || !clean(decoded) {
		return "", newError(codeBadRequest, "The segment '%s' is not percent-encoded UTF-8 without control characters.", quotable(raw))
	}
	return decoded, nil
}

// clean reports whether s is text that may be looked up.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// quotable makes what a client sent fit to be repeated in a message.
func quotable(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '\uFFFD'
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

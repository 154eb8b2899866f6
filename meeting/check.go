package meeting

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// The forms of what a meeting is known by.
var (
	guidForm    = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	threadForm  = regexp.MustCompile(`^19:[0-9A-Za-z._-]{1,200}@thread\.[0-9a-z]{1,16}$`)
	numberForm  = regexp.MustCompile(`^[0-9]{1,32}$`)
	codeForm    = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)
	dialForm    = regexp.MustCompile(`^\+?[0-9][0-9 ().-]{4,30}$`)
	wordForm    = regexp.MustCompile(`^[A-Za-z]{1,64}$`)
	enumPackage = reflect.TypeFor[Role]().PkgPath()
)

// Check reports what of a meeting that comes from outside, as from a file, no
// meeting can have: an [InvalidError].
func (m *Meeting) Check() error {
	for _, part := range []struct {
		name, value string
		form        *regexp.Regexp
		optional    bool
	}{
		{"Tenant", m.Tenant, guidForm, false}, {"User", m.User, guidForm, false},
		{"ThreadID", m.ThreadID, threadForm, false}, {"MessageID", m.MessageID, numberForm, false},
		{"JoinMeetingID", m.JoinMeetingID, numberForm, false}, {"VideoTeleconferenceID", m.VideoTeleconferenceID, numberForm, true},
		{"ConferenceID", m.ConferenceID, numberForm, true}, {"TollNumber", m.TollNumber, dialForm, true}, {"Passcode", m.Passcode, codeForm, true},
	} {
		if (part.value != "" || !part.optional) && !part.form.MatchString(part.value) {
			return &InvalidError{part.name, fmt.Sprintf("%s is not of the form that it has in a meeting.", part.name)}
		}
	}
	if m.ExternalID != "" {
		if err := checkExternalID(m.ExternalID); err != nil {
			return err
		}
	}
	for _, err := range []error{checkSubject(m.Subject), checkAttendees(m.Attendees), checkTimes(m.Start, m.End), cleanTexts("", reflect.ValueOf(m).Elem())} {
		if err != nil {
			return err
		}
	}
	for _, t := range []struct {
		name string
		time time.Time
	}{{"Start", m.Start}, {"Created", m.Created}, {"Expires", m.Expires}} {
		if t.time.Year() < 1 || t.time.After(latestEnd.Add(Lifetime)) {
			return &InvalidError{t.name, t.name + " is a time that no meeting has."}
		}
	}
	if m.Revision < 1 {
		return &InvalidError{"Revision", "Revision must be 1 or more."}
	}
	return nil
}

// cleanTexts checks every text of v, and that the members of enumerations are
// words.
func cleanTexts(at string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return cleanTexts(at, v.Elem())
		}
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			return nil
		}
		for i := range v.NumField() {
			if err := cleanTexts(at+"/"+v.Type().Field(i).Name, v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := cleanTexts(fmt.Sprintf("%s/%d", at, i), v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.String:
		at = strings.TrimPrefix(at, "/")
		s := v.String()
		if !clean(s) {
			return &InvalidError{at, at + " must be valid Unicode without the character U+0000."}
		}
		if v.Type().PkgPath() == enumPackage && s != "" && !wordForm.MatchString(s) {
			return &InvalidError{at, at + " must be a word."}
		}
	}
	return nil
}

package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// A Meeting is one of a file of meetings.
type Meeting struct {
	Organizer string // user principal name
	// Body is the meeting as the wire has it, in JSON. What it may hold is the
	// wire's to say.
	Body []byte

	c    *checker
	path string
}

// At is file, line and key of what a path of the wire names in the meeting, such
// as "participants/attendees/0/upn", to open a message with.
func (m *Meeting) At(path string) string {
	key := m.path
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "participants/"), "/") {
		switch {
		case name == "":
		case strings.Trim(name, "0123456789") == "":
			key += "[" + name + "]"
		default:
			key += "." + name
		}
	}
	return m.c.at(key)
}

// ParseMeetings reads a file with a list of meetings. Their members are those of
// the wire, but for organizer, a user principal name, and attendees, a list of
// names or of participants. It reports every mistake of form as [Parse] does.
func ParseMeetings(name string, data []byte) ([]*Meeting, error) {
	file, _, err := readYAML(name, data)
	if err != nil {
		return nil, err
	}
	var list struct {
		Meetings []map[string]any `yaml:"meetings"`
	}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		if err := yaml.NewDecoder(strings.NewReader(""), yaml.DisallowUnknownField()).DecodeFromNode(file.Docs[0].Body, &list); err != nil {
			return nil, typeError(name, data, err)
		}
	}
	c := &checker{name: name, file: file}
	if len(list.Meetings) == 0 {
		c.wrong("$.meetings", "the file names no meetings")
	}
	all := make([]*Meeting, len(list.Meetings))
	for i, members := range list.Meetings {
		path := fmt.Sprintf("$.meetings[%d]", i)
		all[i] = c.meeting(path, members)
	}
	return all, errors.Join(c.problems...)
}

func (c *checker) meeting(path string, members map[string]any) *Meeting {
	m := &Meeting{c: c, path: path}
	m.Organizer, _ = members["organizer"].(string)
	if m.Organizer == "" {
		c.wrong(path+".organizer", "is required: a user principal name")
	}
	delete(members, "organizer")
	if attendees, given := members["attendees"]; given {
		list, ok := attendees.([]any)
		if !ok {
			c.wrong(path+".attendees", "must be a list of user principal names, or of participants")
		}
		if members["participants"] != nil {
			c.wrong(path+".participants", "may not stand beside attendees")
		}
		for i, a := range list {
			if upn, ok := a.(string); ok {
				list[i] = map[string]any{"upn": upn}
			}
		}
		delete(members, "attendees")
		members["participants"] = map[string]any{"attendees": list}
	}
	var err error
	if m.Body, err = json.Marshal(members); err != nil {
		c.wrong(path, "this is no JSON: %v", err) // as .inf is none
	}
	return m
}

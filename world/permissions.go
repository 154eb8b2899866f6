package world

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The two kinds of permissions.
const (
	delegated   = 1 << iota // for a user
	application             // for the application itself
)

var kindNames = map[int]string{delegated: "delegated", application: "application"}

type permission struct {
	name string
	kind int // or both
}

// permissions are those that the API knows.
var permissions = []permission{
	{"OnlineMeetings.Read", delegated},
	{"OnlineMeetings.ReadWrite", delegated},
	{"OnlineMeetings.Read.All", application},
	{"OnlineMeetings.ReadWrite.All", application},
	{"OnlineMeetingArtifact.Read.All", delegated | application},
	{"OnlineMeetingTranscript.Read.All", delegated | application},
	{"OnlineMeetingRecording.Read.All", delegated | application},
	{"OnlineMeetingAiInsight.Read.All", delegated | application},
	{"VirtualAppointment.Read", delegated},
	{"VirtualAppointment.ReadWrite", delegated},
	{"VirtualAppointment.Read.All", application},
	{"VirtualAppointment.ReadWrite.All", application},
	{"VirtualAppointmentNotification.Send", delegated | application},
	{"User.Read", delegated},
	{"User.ReadBasic.All", delegated | application},
	{"User.Read.All", delegated | application},
}

var (
	// ours are permissions about meetings, all of which are in the list; of others an app may have any.
	ours = regexp.MustCompile(`^(?i:OnlineMeeting|VirtualAppointment)`)
	// everybodys need not be given, and do no harm.
	everybodys = []string{"openid", "profile", "email", "offline_access"}
)

// permissions checks the permissions of an app that are of one kind.
func (c *checker) permissions(path string, list []string, kind int) {
	for i, name := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		known := slices.IndexFunc(permissions, func(p permission) bool { return strings.EqualFold(p.name, name) })
		switch {
		case name == "" || strings.ContainsAny(name, " /\t\n"):
			c.wrong(at, "%q is not the name of a permission, such as OnlineMeetings.ReadWrite.All", name)
		case known >= 0 && permissions[known].name != name:
			c.wrong(at, "there is no permission %q; there is %s", name, permissions[known].name)
		case known >= 0 && permissions[known].kind&kind == 0:
			c.wrong(at, "%s is no %s permission%s", name, kindNames[kind], counterpart(name, kind))
		case known < 0 && ours.MatchString(name):
			c.wrong(at, "there is no permission %q; there are %s", name, strings.Join(ofKind(kind), ", "))
		case known < 0 && (kind != delegated || !slices.Contains(everybodys, name)):
			c.warnings = append(c.warnings, c.at(at)+"nothing here asks for the permission "+name)
		}
	}
}

// counterpart names the permission of a kind that was meant by one of the other
// kind.
func counterpart(name string, kind int) string {
	other := strings.TrimSuffix(name, ".All")
	if kind == application {
		other = name + ".All"
	}
	if slices.Contains(ofKind(kind), other) {
		return "; that is " + other
	}
	return ""
}

func ofKind(kind int) (names []string) {
	for _, p := range permissions {
		if p.kind&kind != 0 {
			names = append(names, p.name)
		}
	}
	return names
}

// ApplicationPermissions lists every permission that an application may have for
// itself.
func ApplicationPermissions() []string { return permissionsOf(application) }

// DelegatedPermissions lists every permission that an application may have for a
// user.
func DelegatedPermissions() []string { return permissionsOf(delegated) }

func permissionsOf(kind int) (names []string) {
	for _, p := range permissions {
		if p.kind&kind != 0 {
			names = append(names, p.name)
		}
	}
	return names
}

package graph

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// The document of $metadata (OData CSDL XML, version 4.0): what of Graph's model
// this server has, written from the tables in schema.go.
type (
	csdl struct {
		XMLName xml.Name   `xml:"edmx:Edmx"`
		Version string     `xml:",attr"`
		Xmlns   string     `xml:"xmlns:edmx,attr"`
		Schema  csdlSchema `xml:"edmx:DataServices>Schema"`
	}
	csdlSchema struct {
		Namespace string        `xml:",attr"`
		Alias     string        `xml:",attr"`
		Xmlns     string        `xml:"xmlns,attr"`
		Enums     []csdlEnum    `xml:"EnumType"`
		Complex   []csdlType    `xml:"ComplexType"`
		Entities  []csdlType    `xml:"EntityType"`
		Actions   []csdlCall    `xml:"Action"`
		Functions []csdlCall    `xml:"Function"`
		Container csdlContainer `xml:"EntityContainer"`
	}
	csdlEnum struct {
		Name    string       `xml:",attr"`
		Members []csdlMember `xml:"Member"`
	}
	csdlMember struct {
		Name  string `xml:",attr"`
		Value int    `xml:",attr"`
	}
	csdlType struct {
		Name       string         `xml:",attr"`
		BaseType   string         `xml:",attr,omitempty"`
		Abstract   bool           `xml:",attr,omitempty"`
		OpenType   bool           `xml:",attr,omitempty"`
		Key        *csdlKey       `xml:"Key"`
		Properties []csdlProperty `xml:"Property"`
		Navigation []csdlProperty `xml:"NavigationProperty"`
	}
	csdlKey struct {
		Ref csdlName `xml:"PropertyRef"`
	}
	csdlName struct {
		Name string `xml:",attr"`
	}
	csdlProperty struct {
		Name           string `xml:",attr"`
		Type           string `xml:",attr"`
		Nullable       string `xml:",attr,omitempty"`
		ContainsTarget bool   `xml:",attr,omitempty"`
	}
	csdlCall struct {
		Name          string          `xml:",attr"`
		IsBound       bool            `xml:",attr"`
		EntitySetPath string          `xml:",attr,omitempty"`
		Parameters    []csdlParameter `xml:"Parameter"`
		Return        *csdlReturn     `xml:"ReturnType"`
	}
	csdlParameter struct {
		Name       string          `xml:",attr"`
		Type       string          `xml:",attr"`
		Nullable   string          `xml:",attr,omitempty"`
		Annotation *csdlAnnotation `xml:"Annotation"`
	}
	csdlAnnotation struct {
		Term string `xml:",attr"`
	}
	csdlReturn struct {
		Type string `xml:",attr"`
	}
	csdlContainer struct {
		Name       string          `xml:",attr"`
		Sets       []csdlSet       `xml:"EntitySet"`
		Singletons []csdlSingleton `xml:"Singleton"`
	}
	csdlSet struct {
		Name       string `xml:",attr"`
		EntityType string `xml:",attr"`
	}
	csdlSingleton struct {
		Name string `xml:",attr"`
		Type string `xml:",attr"`
	}
)

const namespace = "microsoft.graph"

// enumValues are the numbers of enumeration members that do not simply count.
var enumValues = map[string]int{
	"remindBeforeTimeInMinutesType." + unknownFuture: 100,
	"virtualAppointmentMessageType." + unknownFuture: 10,
}

// qualified is a type as CSDL names it.
func qualified(name string, many bool) string {
	if !strings.HasPrefix(name, "Edm.") {
		name = "graph." + name
	}
	if many {
		return "Collection(" + name + ")"
	}
	return name
}

// edm is the type of a property's value.
func (p *property) edm() string {
	switch {
	case p.kind != "":
		return p.kind
	case p.typ != "":
		return p.typ
	}
	return edmText
}

// newMetadata writes the document of a version.
func newMetadata(v Version) []byte {
	s := csdlSchema{Namespace: namespace, Alias: "graph", Xmlns: "http://docs.oasis-open.org/odata/ns/edm"}
	for _, name := range sortedKeys(enums) {
		if !inVersion(name, v) {
			continue
		}
		e := csdlEnum{Name: name}
		for i, member := range members(name, v) {
			if n, ok := enumValues[name+"."+member]; ok {
				i = n
			}
			e.Members = append(e.Members, csdlMember{member, i})
		}
		s.Enums = append(s.Enums, e)
	}
	for _, name := range sortedKeys(schema) {
		if slices.Contains(entities, name) || !inVersion(name, v) {
			continue
		}
		t := csdlType{Name: name, OpenType: slices.Contains(openTypes, name)}
		members := schema[name]
		if base, ok := baseTypes[name]; ok {
			t.BaseType = "graph." + base
			members = slices.DeleteFunc(slices.Clone(members), func(p property) bool {
				inherited, ok := findProperty(base, p.name, v)
				return ok && inherited.inMetadata(v)
			})
		}
		t.add(v, members)
		s.Complex = append(s.Complex, t)
	}
	s.Entities = append(s.Entities, csdlType{
		Name: "entity", Abstract: true, Key: &csdlKey{csdlName{"id"}}, Properties: []csdlProperty{{Name: "id", Type: edmText, Nullable: "false"}},
	})
	for _, name := range entities {
		t := csdlType{Name: name, BaseType: "graph.entity"}
		if name == typeMeeting {
			base := csdlType{Name: "onlineMeetingBase", BaseType: "graph.entity", Abstract: true, OpenType: true}
			base.add(v, slices.DeleteFunc(slices.Clone(schema[name]), func(p property) bool { return p.own }))
			base.Navigation = []csdlProperty{{Name: "attendanceReports", Type: qualified(typeReport, true), ContainsTarget: true}}
			s.Entities = append(s.Entities, base)
			t.BaseType, t.OpenType = "graph.onlineMeetingBase", true
			t.add(v, slices.DeleteFunc(slices.Clone(schema[name]), func(p property) bool { return !p.own }))
			t.Navigation = []csdlProperty{
				{Name: "recordings", Type: qualified(typeRecording, true), ContainsTarget: true},
				{Name: "transcripts", Type: qualified(typeTranscript, true), ContainsTarget: true},
			}
		} else {
			t.add(v, schema[name])
		}
		switch name {
		case typeTranscript:
			t.Properties = append(t.Properties, csdlProperty{Name: "content", Type: "Edm.Stream"}, csdlProperty{Name: "metadataContent", Type: "Edm.Stream"})
		case typeRecording:
			t.Properties = append(t.Properties, csdlProperty{Name: "content", Type: "Edm.Stream"})
		case typeUser:
			t.Navigation = []csdlProperty{{Name: "onlineMeetings", Type: qualified(typeMeeting, true), ContainsTarget: true}}
		}
		s.Entities = append(s.Entities, t)
	}
	s.Entities = append(s.Entities, csdlType{
		Name: "cloudCommunications", BaseType: "graph.entity",
		Navigation: []csdlProperty{{Name: "onlineMeetings", Type: qualified(typeMeeting, true), ContainsTarget: true}},
	})
	s.Actions, s.Functions = calls()
	s.Container = csdlContainer{
		Name:       "GraphService",
		Sets:       []csdlSet{{"users", namespace + ".user"}},
		Singletons: []csdlSingleton{{"communications", namespace + ".cloudCommunications"}, {"me", namespace + ".user"}},
	}
	text, err := xml.MarshalIndent(csdl{Version: "4.0", Xmlns: "http://docs.oasis-open.org/odata/ns/edmx", Schema: s}, "", "  ")
	if err != nil {
		panic(err) // of constants of ours, which a test writes
	}
	return append([]byte(xml.Header), text...)
}

func (t *csdlType) add(v Version, properties []property) {
	for _, p := range properties {
		if !p.inMetadata(v) || p.name == "id" && t.BaseType != "" {
			continue
		}
		c := csdlProperty{Name: p.name, Type: qualified(p.edm(), p.many)}
		if p.nav {
			c.ContainsTarget = true
			t.Navigation = append(t.Navigation, c)
		} else {
			t.Properties = append(t.Properties, c)
		}
	}
}

// calls are the actions and functions, each bound to its first parameter.
func calls() (actions, functions []csdlCall) {
	meetings, one := csdlParameter{Name: "bindingParameter", Type: qualified(typeMeeting, true)}, csdlParameter{Name: "bindingParameter", Type: qualified(typeMeeting, false)}
	attendees := csdlParameter{Name: "attendees", Type: qualified("attendeeNotificationInfo", true)}
	actions = []csdlCall{
		{Name: "createOrGet", IsBound: true, Return: &csdlReturn{qualified(typeMeeting, false)}, Parameters: []csdlParameter{
			meetings, {Name: "chatInfo", Type: "graph.chatInfo"}, {Name: "endDateTime", Type: edmTime}, {Name: "externalId", Type: edmText, Nullable: "false"},
			{Name: "participants", Type: "graph.meetingParticipants"}, {Name: "startDateTime", Type: edmTime}, {Name: "subject", Type: edmText},
		}},
		{Name: "sendVirtualAppointmentReminderSms", IsBound: true, Parameters: []csdlParameter{
			one, {Name: "remindBeforeTimeInMinutesType", Type: "graph.remindBeforeTimeInMinutesType"}, attendees,
		}},
		{Name: "sendVirtualAppointmentSms", IsBound: true, Parameters: []csdlParameter{
			one, {Name: "messageType", Type: "graph.virtualAppointmentMessageType"}, attendees,
		}},
	}
	for _, name := range []string{typeRecording, typeTranscript} {
		many := qualified(name, true)
		functions = append(functions, csdlCall{
			Name: "delta", IsBound: true, EntitySetPath: "bindingParameter",
			Parameters: []csdlParameter{{Name: "bindingParameter", Type: many}}, Return: &csdlReturn{many},
		})
	}
	optional := &csdlAnnotation{"Org.OData.Core.V1.OptionalParameter"}
	for name, of := range map[string]string{"getAllRecordings": typeRecording, "getAllTranscripts": typeTranscript} {
		functions = append(functions, csdlCall{
			Name: name, IsBound: true, Return: &csdlReturn{qualified(of, true)},
			Parameters: []csdlParameter{
				meetings, {Name: "meetingOrganizerUserId", Type: edmText, Annotation: optional},
				{Name: "startDateTime", Type: edmTime, Annotation: optional}, {Name: "endDateTime", Type: edmTime, Annotation: optional},
			},
		})
	}
	functions = append(functions, csdlCall{Name: string(actionAppointment), IsBound: true, Parameters: []csdlParameter{one}, Return: &csdlReturn{edmText}})
	slices.SortStableFunc(functions, func(a, b csdlCall) int { return strings.Compare(a.Name, b.Name) })
	return actions, functions
}

// documents are what describes the API: public, as Graph's metadata is.
// They are written when they are asked for.
var documents map[action]map[Version]func() []byte

func init() { // which the tables that the documents are written from refer to
	documents = map[action]map[Version]func() []byte{
		actionMetadata: {
			V1:   sync.OnceValue(func() []byte { return newMetadata(V1) }),
			Beta: sync.OnceValue(func() []byte { return newMetadata(Beta) }),
		},
		actionOpenAPI: {
			V1:   sync.OnceValue(func() []byte { return newOpenAPI(V1) }),
			Beta: sync.OnceValue(func() []byte { return newOpenAPI(Beta) }),
		},
	}
}

// document serves GET /v1.0/$metadata and /v1.0/openapi.json.
func (h *Handler) document(c *call, b []byte) (result, error) {
	res := result{status: http.StatusOK, contentType: "application/xml"}
	text := documents[c.route.action][c.route.version]()
	if c.route.action == actionOpenAPI {
		res.contentType = "application/json"
		text = []byte(strings.ReplaceAll(string(text), originPlace, c.site.Origin))
	}
	res.body = append(b, text...)
	return res, nil
}

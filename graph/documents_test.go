package graph

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Whatever is offered is described, under paths that mean it.
func TestEveryOperationIsDescribed(t *testing.T) {
	replace := regexp.MustCompile(`\{\w+\}`)
	for a, offered := range operations {
		for _, v := range []Version{V1, Beta} {
			paths := templates(a, v)
			if len(paths) == 0 {
				t.Errorf("%q has no paths", a)
			}
			for path, under := range paths {
				r, err := parseRoute("/" + string(v) + replace.ReplaceAllString(path, "x"))
				if err != nil || r.action != a || r.scope != under {
					t.Errorf("%s is %+v, error %v; want %q under %d", path, r, err, a, under)
				}
			}
		}
		for _, op := range offered {
			if _, ok := described[a][op.method]; !ok {
				t.Errorf("%s of %q is not described", op.method, a)
			}
		}
		if len(described[a]) != len(offered) {
			t.Errorf("%q: %d operations are described, %d are offered", a, len(described[a]), len(offered))
		}
	}
}

// The metadata is well-formed, and every type that it names is in it.
func TestMetadataIsClosed(t *testing.T) {
	for _, v := range []Version{V1, Beta} {
		text := string(newMetadata(v))
		d := xml.NewDecoder(strings.NewReader(text))
		defined := map[string]bool{}
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if e, ok := token.(xml.StartElement); ok && strings.HasSuffix(e.Name.Local, "Type") && e.Name.Local != "ReturnType" {
				for _, a := range e.Attr {
					if a.Name.Local == "Name" {
						defined[a.Value] = true
					}
				}
			}
		}
		for _, m := range regexp.MustCompile(`(?:graph|microsoft\.graph)\.(\w+)`).FindAllStringSubmatch(text, -1) {
			if !defined[m[1]] {
				t.Errorf("%s: the type %s is not defined", v, m[1])
			}
		}
		if beta := strings.Contains(text, `"capabilities"`); beta != (v == Beta) || strings.Contains(text, "autoAdmittedUsers") {
			t.Errorf("%s has members that it should not have, or has not those that it should", v)
		}
	}
}

// Every reference of the OpenAPI document leads somewhere; linters in e2e say
// the rest.
func TestOpenAPIIsClosed(t *testing.T) {
	for _, v := range []Version{V1, Beta} {
		text := newOpenAPI(v)
		var d struct {
			Paths      map[string]map[string]any
			Components struct{ Schemas map[string]any }
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(string(text), -1) {
			if d.Components.Schemas[m[1]] == nil {
				t.Errorf("%s: there is no schema %s", v, m[1])
			}
		}
		ids := regexp.MustCompile(`"operationId":"(\w+)"`).FindAllString(string(text), -1)
		slices.Sort(ids)
		if unique := slices.Compact(slices.Clone(ids)); len(unique) != len(ids) || len(ids) < 40 {
			t.Errorf("%s: %d operations have %d ids", v, len(ids), len(unique))
		}
	}
}

// Every property, enum member and path of the metadata is in a script of the
// wire: what is named here has no test.
func TestScriptsTouchTheMetadata(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "testdata/meeting.json")
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	scripts := all.String()
	// What nothing fills yet, and what is not sent.
	later := []string{typeTranscript, typeRecording, "meetingEngagement", "virtualEventExternalInformation", "virtualEventExternalRegistrationInformation"}
	unused := []string{"reaction", "hand", "camera", "microphone", "questionAndAnswer", "adhoc", "scheduled", "recurring", "broadcast", "meetnow"}
	for name, properties := range schema {
		if slices.Contains(later, name) {
			continue
		}
		for _, p := range properties {
			if !strings.Contains(scripts, `"`+p.name+`"`) {
				t.Errorf("no script touches %s/%s", name, p.name)
			}
		}
	}
	for name := range enums {
		for _, member := range enums[name] {
			if !slices.Contains(unused, member) && !strings.Contains(strings.ToLower(scripts), `"`+strings.ToLower(member)+`"`) {
				t.Errorf("no script touches %s/%s", name, member)
			}
		}
	}
	for a := range operations {
		if name := strings.TrimSuffix(string(a), "Delta"); a != actionRoot && a != actionUser && a != actionUsers && a != actionMeeting && a != actionMeetings &&
			!slices.ContainsFunc([]string{name, name + "s", strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, "transcript"), "recording"), "MetadataContent", "metadataContent")}, func(s string) bool {
				return strings.Contains(strings.ToLower(scripts), "/"+strings.ToLower(s))
			}) {
			t.Errorf("no script touches the path of %q", a)
		}
	}
}

package graph_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-meet/convene/graphtest"
	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/world"
)

// The wire is stated by the scripts in testdata/scripts. A script is a list of
// exchanges, each opened by a line "=== what it shows":
//
//	=== made
//	as user ann@contoso.example portal
//	POST /v1.0/me/onlineMeetings/createOrGet
//	Content-Type: application/json
//
//	{"externalId":"a"}
//	---> 201
//	OData-Version: 4.0
//
//	{"<base>":"meeting","externalId":"a"}
//
// "as" says who asks: user UPN APP [SCOPE…], app NAME [ROLE…], token TEXT or
// nobody; it holds until the next one. Lines before the request line may be
// "clock DURATION", which moves the clock, "grant NAME to user|group|tenant
// [TARGET]", "gzip", which compresses the body, "extensions NAME, …", which are
// those of contoso from then on, or "met ID START WHO…", after which people have
// met in the meeting of contoso with this id for an hour: see [scriptRun.meet]. $name in a request stands for
// what a pattern has captured, $%name for the same, percent-encoded.
//
// An answer has exactly the keys of its pattern. A value in it is compared as it
// stands, but for "<any>", "<string>", "<guid>", "<time>", "<=name>", which
// captures it or compares it with what was captured, "<!name>", which is
// anything else than what was captured, "<~regexp>" and "<^beginning>". "<base>" begins with the members of testdata/NAME.json.
// A pattern header may be "<~regexp>"; "-" means that the header is missing.

// noon is when scripts begin.
var noon = time.Date(2031, 1, 1, 12, 0, 0, 123456700, time.UTC)

func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, error %v; want some", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			run := &scriptRun{clock: &clock{now: noon}, vars: map[string]string{}}
			run.srv = graphtest.New(t, graphtest.WithClock(run.clock.Now))
			for _, e := range parseScript(t, string(raw)) {
				t.Run(e.name, func(t *testing.T) { run.exchange(t, e) })
			}
		})
	}
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// An exchange is one request and the answer that is expected.
type exchange struct {
	name       string
	directives []string
	request    []string // request line and headers
	body       string
	status     int
	headers    []string
	want       string
}

func parseScript(t *testing.T, text string) []exchange {
	t.Helper()
	var all []exchange
	for i, part := range strings.Split("\n"+text, "\n=== ") {
		if i == 0 {
			continue // what the script is about
		}
		name, rest, _ := strings.Cut(part, "\n")
		before, after, ok := strings.Cut(rest, "\n---> ")
		if !ok {
			t.Fatalf("%s: no line ---> STATUS", name)
		}
		e := exchange{name: name}
		head, body, _ := strings.Cut(before, "\n\n")
		for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
			if len(e.request) == 0 && !requestLine.MatchString(line) {
				e.directives = append(e.directives, line)
			} else {
				e.request = append(e.request, line)
			}
		}
		e.body = strings.TrimSuffix(body, "\n")
		status, after, _ := strings.Cut(after, "\n")
		code, err := strconv.Atoi(strings.TrimSpace(status))
		if err != nil || len(e.request) == 0 {
			t.Fatalf("%s: status %q, request %q", name, status, e.request)
		}
		e.status = code
		headers, want, ok := strings.Cut(after, "\n\n")
		if !ok || strings.HasPrefix(strings.TrimSpace(after), "{") {
			headers, want = "", after
		}
		if h := strings.TrimSpace(headers); h != "" {
			e.headers = strings.Split(h, "\n")
		}
		e.want = strings.TrimSpace(want)
		all = append(all, e)
	}
	return all
}

var requestLine = regexp.MustCompile(`^[A-Z]+ /`)

// A scriptRun is a server and what a script has learnt so far.
type scriptRun struct {
	srv   *graphtest.Server
	clock *clock
	as    string
	vars  map[string]string
}

func (s *scriptRun) exchange(t *testing.T, e exchange) {
	zipped := false
	for _, d := range e.directives {
		zipped = s.direct(t, d) || zipped
	}
	resp, body := s.send(t, e, zipped)
	if resp.StatusCode != e.status {
		t.Errorf("status %d, want %d: %s", resp.StatusCode, e.status, body)
		return
	}
	for _, h := range e.headers {
		name, want, _ := strings.Cut(h, ":")
		if got, want := strings.Join(resp.Header.Values(name), ", "), s.expand(strings.TrimSpace(want)); !s.text(got, want) && (want != "-" || got != "") {
			t.Errorf("header %s is %q, want %s", name, got, want)
		}
	}
	if e.want == "" {
		if len(body) > 0 && (e.status == http.StatusNoContent || strings.HasPrefix(e.request[0], "HEAD")) {
			t.Errorf("an answer without a body has one: %s", body)
		}
		return
	}
	var got, want any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("answer %s: %v", body, err)
	}
	if err := json.Unmarshal([]byte(e.want), &want); err != nil {
		t.Fatalf("pattern: %v", err)
	}
	for _, difference := range s.compare("", got, want) {
		t.Error(difference)
	}
}

// direct does what a line before the request says.
func (s *scriptRun) direct(t *testing.T, line string) (zipped bool) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "as":
		s.as = rest
	case "gzip":
		return true
	case "clock":
		d, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		s.clock.advance(d)
	case "grant":
		f := strings.Fields(rest)
		target := ""
		if len(f) > 3 {
			target = f[3]
		}
		if f[0] == "nothing" {
			f[0] = ""
		}
		if _, err := s.srv.Policies().Grant(t.Context(), "test", contoso, identity.GrantTarget(f[2]), target, f[0], 0); err != nil {
			t.Fatal(err)
		}
	case "extensions":
		w, err := world.Parse("script", fmt.Appendf(nil, "tenants: [{name: contoso, id: %s, domain: contoso.example, extensions: [%s]}]", contoso, rest))
		if err == nil {
			err = w.Apply(t.Context(), s.srv.Inside().Store(), s.clock.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
	case "met":
		s.meet(t, strings.Fields(s.expand(rest)))
	default:
		t.Fatalf("no such directive: %s", line)
	}
	return false
}

// meet makes a session and its report, whose id is in $report afterwards. Each of
// f[2:] is somebody, as NAME=ROLE or NAME@USER=ROLE; the first comes at once, the
// others a minute after each other, and everybody is away for the second half but
// for the last quarter of an hour.
func (s *scriptRun) meet(t *testing.T, f []string) {
	t.Helper()
	_, message, thread, err := meeting.ParseID(f[0])
	if err != nil {
		t.Fatal(err)
	}
	start, err := time.Parse(time.RFC3339, f[1])
	if err != nil {
		t.Fatal(err)
	}
	report := meeting.Report{ID: meeting.NewGUID(), Start: start, End: start.Add(time.Hour)}
	for i, who := range f[2:] {
		name, role, _ := strings.Cut(who, "=")
		name, user, account := strings.Cut(name, "@")
		a := meeting.Attendance{ID: meeting.NewGUID(), DisplayName: name, Role: role, Intervals: []meeting.Interval{
			{Join: start.Add(time.Duration(i) * time.Minute), Leave: start.Add(30*time.Minute + 250*time.Millisecond)},
			{Join: start.Add(45 * time.Minute), Leave: report.End},
		}}
		if account {
			a.Tenant, a.User, a.Email = contoso, user, strings.ToLower(name)+"@contoso.example"
		}
		report.Records = append(report.Records, a)
	}
	key := join.Key{Tenant: contoso, Thread: thread, Message: message}
	if _, err := s.srv.Inside().Store().UpdateRoom(t.Context(), key, func(r *join.Room) error {
		r.Ended = append(r.Ended, report)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.vars["report"] = report.ID
}

const contoso = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"

func (s *scriptRun) send(t *testing.T, e exchange, zipped bool) (*http.Response, []byte) {
	t.Helper()
	method, path, _ := strings.Cut(s.expand(e.request[0]), " ")
	content := []byte(s.expand(e.body))
	if zipped {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(content)
		_ = w.Close()
		content = b.Bytes()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.srv.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range e.request[1:] {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Add(name, s.expand(strings.TrimSpace(value)))
	}
	f := strings.Fields(s.as)
	switch {
	case len(f) == 0 || f[0] == "nobody":
	case f[0] == "user":
		r.Header.Set("Authorization", "Bearer "+s.srv.UserToken(f[1], f[2], f[3:]...))
	case f[0] == "app":
		r.Header.Set("Authorization", "Bearer "+s.srv.AppToken(f[1], f[2:]...))
	case f[0] == "token":
		r.Header.Set("Authorization", s.expand(strings.TrimSpace(strings.TrimPrefix(s.as, "token"))))
	}
	resp, err := s.srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp, answer
}

func (s *scriptRun) expand(text string) string {
	text = strings.ReplaceAll(text, "$origin", s.srv.URL)
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(s.vars))) { // the longer of two names first
		text = strings.ReplaceAll(text, "$%"+name, url.QueryEscape(s.vars[name]))
		text = strings.ReplaceAll(text, "$"+name, s.vars[name])
	}
	return text
}

// compare lists where got is not what the pattern says.
func (s *scriptRun) compare(at string, got, want any) (differences []string) {
	switch want := want.(type) {
	case map[string]any:
		want = s.withBase(want)
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, want an object", at, got)}
		}
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if _, ok := want[name]; !ok {
				differences = append(differences, fmt.Sprintf("%s/%s is there: %v", at, name, g[name]))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if v, ok := g[name]; ok {
				differences = append(differences, s.compare(at+"/"+name, v, want[name])...)
			} else {
				differences = append(differences, fmt.Sprintf("%s/%s is missing", at, name))
			}
		}
		return differences
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			return []string{fmt.Sprintf("%s is %v, want %d elements", at, got, len(want))}
		}
		for i := range want {
			differences = append(differences, s.compare(fmt.Sprintf("%s/%d", at, i), g[i], want[i])...)
		}
		return differences
	case string:
		if g, ok := got.(string); want == "<any>" || ok && s.text(g, s.expand(want)) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is %#v, want %#v", at, got, want)}
}

func (s *scriptRun) withBase(want map[string]any) map[string]any {
	name, ok := want["<base>"].(string)
	if !ok {
		return want
	}
	raw, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		return map[string]any{"<base>": err.Error()}
	}
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		return map[string]any{"<base>": err.Error()}
	}
	whole = s.withBase(whole)
	for name, v := range want {
		if name != "<base>" {
			whole[name] = v
		}
	}
	return whole
}

var (
	guidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	timeForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{0,6}[1-9])?Z$`)
)

// text compares one string with its pattern.
func (s *scriptRun) text(got, want string) bool {
	inner, special := strings.CutPrefix(want, "<")
	inner, special2 := strings.CutSuffix(inner, ">")
	if !special || !special2 || inner == "" {
		return got == want
	}
	switch {
	case inner == "any":
		return true
	case inner == "string":
		return got != ""
	case inner == "guid":
		return guidForm.MatchString(got)
	case inner == "time":
		return timeForm.MatchString(got)
	case inner[0] == '=':
		if known, ok := s.vars[inner[1:]]; ok {
			return got == known
		}
		s.vars[inner[1:]] = got
		return got != ""
	case inner[0] == '!':
		return got != "" && got != s.vars[inner[1:]]
	case inner[0] == '~':
		return regexp.MustCompile(inner[1:]).MatchString(got)
	case inner[0] == '^':
		return strings.HasPrefix(got, inner[1:])
	}
	return got == want
}

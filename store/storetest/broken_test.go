package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/convene-meet/convene/identity"
	"github.com/convene-meet/convene/join"
	"github.com/convene-meet/convene/meeting"
	"github.com/convene-meet/convene/store/storetest"
)

// The name of the fault that TestMeetings and the others give their engine
// when another test runs them in a process of their own.
const faultVariable = "CONVENE_STORETEST_FAULT"

func TestMeetings(t *testing.T) {
	storetest.RunMeetings(t, func(*testing.T) meeting.Store { return meetings{newMemory(os.Getenv(faultVariable))} })
}

func TestIdentity(t *testing.T) {
	storetest.RunIdentity(t, func(*testing.T) identity.Store { return directory{newMemory(os.Getenv(faultVariable))} })
}

func TestRooms(t *testing.T) {
	storetest.RunRooms(t, func(*testing.T) join.Store { return rooms{newMemory(os.Getenv(faultVariable))} })
}

// TestBroken runs the suites against engines that are broken in one place. It
// fails where a suite does not fail in the test that has the broken promise.
func TestBroken(t *testing.T) {
	for _, tt := range []struct{ suite, fault, test string }{
		{"TestMeetings", "check, then insert", "one winner among concurrent calls"},
		{"TestMeetings", "user left out of the key", "owners do not share external IDs"},
		{"TestMeetings", "tenant left out of the key", "owners do not share external IDs"},
		{"TestMeetings", "acknowledged before durable", "what was acknowledged survives a crash"},
		{"TestMeetings", "an update is lost", "no update is lost"},
		{"TestMeetings", "a taken number is taken for the external ID", "a taken number is drawn again"},
		{"TestMeetings", "a taken number is an error", "a collision fails no neighbour"},
		{"TestMeetings", "toll number left out", "numbers are unique where they must be and not beyond"},
		{"TestMeetings", "an expired row blocks its key", "an expired meeting is replaced"},
		{"TestMeetings", "expired rows hold numbers", "an expired meeting holds no number"},
		{"TestMeetings", "expires a tick late", "an expired meeting exists for nobody"},
		{"TestMeetings", "never expires", "an expired meeting exists for nobody"},
		{"TestMeetings", "shares its memory", "a meeting given or taken is a copy"},
		{"TestMeetings", "any tenant's thread", "tenants do not see each other"},
		{"TestMeetings", "finds what has no number", "unknown is not found"},
		{"TestMeetings", "a failed update stays", "an update that fails changes nothing"},
		{"TestMeetings", "an update changes keys", "an update changes what may change"},
		{"TestMeetings", "two delete one", "of concurrent deletes one succeeds"},
		{"TestMeetings", "lists every tenant", "a list has what is asked for"},
		{"TestMeetings", "lists what has expired", "a list has what is asked for"},
		{"TestMeetings", "a page repeats the last one", "pages have every meeting once"},
		{"TestMeetings", "replaces every tenant's", "a tenant's meetings are replaced"},
		{"TestMeetings", "half of Replace stays", "a tenant's meetings are replaced or stay"},
		{"TestMeetings", "forgets what was deleted", "what is gone is told apart from what never was"},
		{"TestMeetings", "forgets what has expired", "what is gone is told apart from what never was"},
		{"TestMeetings", "forgets what was replaced", "what is gone is told apart from what never was"},
		{"TestMeetings", "forgets whose numbers were taken", "what is gone is told apart from what never was"},
		{"TestMeetings", "tells strangers what is gone", "what is gone is told apart from what never was"},
		{"TestMeetings", "what is there again is gone", "what is gone is told apart from what never was"},
		{"TestMeetings", "remembers what was replaced", "what a tenant had before is forgotten"},
		{"TestMeetings", "forgets every tenant's", "what a tenant had before is forgotten"},
		{"TestMeetings", "half of Replace stays", "what a tenant had before is forgotten"},

		{"TestRooms", "shares its memory", "a room given or taken is a copy"},
		{"TestRooms", "keeps the clock's zone", "a room comes back"},
		{"TestRooms", "the revision stays", "an update may not change key and revision"},
		{"TestRooms", "an update changes keys", "an update may not change key and revision"},
		{"TestRooms", "a failed update stays", "an update that fails stores nothing"},
		{"TestRooms", "a failed update is reported", "an update that fails stores nothing"},
		{"TestRooms", "an update is lost", "no update of a room is lost"},
		{"TestRooms", "reported at every attempt", "no update of a room is lost"},
		{"TestRooms", "nothing is reported", "what has ended becomes a report"},
		{"TestRooms", "what was reported stays", "what has ended becomes a report"},
		{"TestRooms", "reports of the thread", "what has ended becomes a report"},
		{"TestRooms", "reports as they came", "reports come newest first"},
		{"TestRooms", "once open, always open", "open rooms are listed"},
		{"TestRooms", "whoever waits is overlooked", "open rooms are listed"},
		{"TestRooms", "drops every tenant's", "a tenant's rooms are dropped"},
		{"TestRooms", "drops rooms alone", "a tenant's rooms are dropped"},
		{"TestRooms", "counts messages of all meetings", "messages come back"},
		{"TestRooms", "a page repeats the last one", "messages are read on from a number"},
		{"TestRooms", "two messages have one number", "a reader of messages misses nothing"},
		{"TestRooms", "a number is left out", "a reader of messages misses nothing"},
		{"TestRooms", "watchers are told nothing", "watchers are told"},
		{"TestRooms", "watchers are not told what is said", "watchers are told"},
		{"TestRooms", "a watch never ends", "a watch ends with its context"},
		{"TestRooms", "waits for watchers", "a watcher who does not read holds nobody up"},
		{"TestRooms", "acknowledged before durable", "what was stored survives a crash"},

		{"TestIdentity", "check, then write", "of concurrent changes one wins"},
		{"TestIdentity", "half of Apply stays", "all changes or none"},
		{"TestIdentity", "the generation stays", "the generation moves with what steers"},
		{"TestIdentity", "sign-in moves the generation", "the generation moves with what steers"},
		{"TestIdentity", "generation begins anew", "the generation never comes back"},
		{"TestIdentity", "acknowledged before durable", "what was applied survives a crash"},
		{"TestIdentity", "an expired row blocks its key", "an expired record is replaced"},
		{"TestIdentity", "never expires", "an expired record exists for nobody"},
		{"TestIdentity", "names are not unique", "a name is unique among its kind and tenant"},
		{"TestIdentity", "tenant left out of the name", "a name is unique among its kind and tenant"},
		{"TestIdentity", "lists in no order", "records are listed in order"},
		{"TestIdentity", "shares its memory", "a record given or taken is a copy"},
		{"TestIdentity", "an audit entry is lost", "the audit log keeps what happened"},
		{"TestIdentity", "audits every tenant", "the audit log keeps what happened"},
	} {
		t.Run(tt.suite+"/"+tt.fault, func(t *testing.T) { mustFail(t, tt.suite, tt.fault, tt.test) })
	}
}

// mustFail runs one test of a suite against an engine with a fault.
func mustFail(t *testing.T, suite, fault, test string) {
	t.Parallel()
	run := suite + "/" + strings.ReplaceAll(test, " ", "_")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "-test.v", "-rapid.nofailfile", "-rapid.shrinktime=0s", "-test.run=^"+strings.ReplaceAll(run, "/", "$/^")+"$")
	c.Env = append(os.Environ(), faultVariable+"="+fault)
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--- FAIL: "+run+" ") {
		t.Errorf("the suite passes an engine with the fault %q (error %v):\n%s", fault, err, out)
	}
}

// TestModelFindsFaults: the random tests alone find most faults too, so they
// are looking where it matters.
func TestModelFindsFaults(t *testing.T) {
	for _, tt := range []struct{ suite, fault string }{
		{"TestMeetings", "user left out of the key"},
		{"TestMeetings", "acknowledged before durable"},
		{"TestMeetings", "a taken number is taken for the external ID"},
		{"TestMeetings", "an expired row blocks its key"},
		{"TestMeetings", "expired rows hold numbers"},
		{"TestMeetings", "forgets what was deleted"},
		{"TestMeetings", "forgets what was replaced"},
		{"TestMeetings", "what is there again is gone"},
		{"TestIdentity", "half of Apply stays"},
		{"TestIdentity", "acknowledged before durable"},
		{"TestIdentity", "names are not unique"},
		{"TestIdentity", "an expired row blocks its key"},
		{"TestIdentity", "the generation stays"},
	} {
		t.Run(tt.suite+"/"+tt.fault, func(t *testing.T) { mustFail(t, tt.suite, tt.fault, "like the model") })
	}
}

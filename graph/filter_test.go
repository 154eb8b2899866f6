package graph

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFilter(t *testing.T) {
	all := cmp.AllowUnexported(comparison{}, literal{})
	text := func(path, op, value string) comparison {
		return comparison{path, op, literal{literalString, value}}
	}
	for _, tt := range []struct {
		text string
		want filter
		bad  string // or what the error says
	}{
		{text: "JoinWebUrl eq 'https://localhost/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d'",
			want: filter{text("JoinWebUrl", "eq", "https://localhost/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d")}},
		{text: "joinMeetingIdSettings/joinMeetingId eq '123'", want: filter{text("joinMeetingIdSettings/joinMeetingId", "eq", "123")}},
		{text: " \tmail\t EQ  'a@b' ", want: filter{text("mail", "eq", "a@b")}},
		{text: "surname eq 'O''Neil'''", want: filter{text("surname", "eq", "O'Neil'")}},
		{text: "surname eq ''", want: filter{text("surname", "eq", "")}},
		{text: "surname eq ' and (x) '", want: filter{text("surname", "eq", " and (x) ")}},
		{text: "surname eq 'é😀'", want: filter{text("surname", "eq", "é😀")}},
		{text: "a ne 1 and b gt -2.50 and c ge 1e-3", want: filter{{"a", "ne", literal{literalNumber, "1"}}, {"b", "gt", literal{literalNumber, "-2.50"}}, {"c", "ge", literal{literalNumber, "1e-3"}}}},
		{text: "a lt true AND b le False and _c1 eq NULL", want: filter{{"a", "lt", literal{literalBoolean, "true"}}, {"b", "le", literal{literalBoolean, "false"}}, {"_c1", "eq", literal{literalNull, "null"}}}},
		{text: "start ge 2031-02-06T09:00:00Z", want: filter{{"start", "ge", literal{literalTime, "2031-02-06T09:00:00Z"}}}},
		{text: "start ge 2031-02-06T09:00:00.50+01:00", want: filter{{"start", "ge", literal{literalTime, "2031-02-06T08:00:00.5Z"}}}},
		{text: "( ((a eq 'x')) and(b eq 'y'))", bad: "position 19 in '( ((a eq 'x')) and(b eq 'y'))': a blank and a comparison"},
		{text: "( ((a eq 'x' )) and (b eq 'y'))", want: filter{text("a", "eq", "x"), text("b", "eq", "y")}},
		{text: "(a eq 'x' and (b eq 'y' and c eq 'z'))", want: filter{text("a", "eq", "x"), text("b", "eq", "y"), text("c", "eq", "z")}},
		{text: strings.Repeat("(", maxParentheses) + "a eq 'x'" + strings.Repeat(")", maxParentheses), want: filter{text("a", "eq", "x")}},

		{text: "", bad: "position 1 in '': the name of a property is expected"},
		{text: "  ", bad: "position 3 in '  ': the name"},
		{text: "mail", bad: "position 5 in 'mail': an operator is expected after 'mail'"},
		{text: "mail eq", bad: "position 8 in 'mail eq': a blank and a value are expected"},
		{text: "mail eq ", bad: "position 9 in 'mail eq ': a value is expected"},
		{text: "mail eq'x'", bad: "position 8 in 'mail eq'x'': a blank and a value are expected"},
		{text: "mail eq 'x", bad: "position 9 in 'mail eq 'x': the string does not end"},
		{text: "mail eq 'x'y", bad: "position 12 in 'mail eq 'x'y': a blank is missing before 'y'"},
		{text: "mail eq 'x''", bad: "the string does not end"},
		{text: "mail eq x", bad: "position 9 in 'mail eq x': 'x' is no value: write strings in single quotes"},
		{text: "mail eq \"x\"", bad: "is no value"},
		{text: "surname eq 'é' or mail eq 'x'", bad: "position 16 in 'surname eq 'é' or mail eq 'x'': 'or' is not supported"},
		{text: "mail is 'x'", bad: "position 6 in 'mail is 'x'': 'is' is no operator"},
		{text: "mail in ('x')", bad: "'in' is no operator"},
		{text: "not mail eq 'x'", bad: "position 1 in 'not mail eq 'x'': 'not' is not supported"},
		{text: "not(mail eq 'x')", bad: "'not(…)' is not supported"},
		{text: "startswith(mail,'x')", bad: "position 1 in 'startswith(mail,'x')': 'startswith(…)' is not supported"},
		{text: "mail eq tolower('X')", bad: "'tolower' is no value"},
		{text: "a/any(x:x eq 'y')", bad: "position 3 in 'a/any(x:x eq 'y')': 'any(…)' is not supported"},
		{text: "'x' eq mail", bad: "position 1 in ''x' eq mail': the name of a property is expected"},
		{text: "a/ eq 'x'", bad: "position 3"},
		{text: "a//b eq 'x'", bad: "position 3"},
		{text: "a b eq 'x'", bad: "'b' is no operator"},
		{text: "1a eq 'x'", bad: "position 1"},
		{text: strings.Repeat("a", 129) + " eq 'x'", bad: "longer than 128"},
		{text: "a eq 'x' and", bad: "position 13 in 'a eq 'x' and': a blank and a comparison are expected"},
		{text: "a eq 'x' and ", bad: "position 14 in 'a eq 'x' and ': the name of a property is expected"},
		{text: "(a eq 'x'", bad: "position 10 in '(a eq 'x'': a ')' is missing"},
		{text: "a eq 'x')", bad: "position 9 in 'a eq 'x')': there is a ')' without a '('"},
		{text: "a eq 'x' , b eq 'y'", bad: "position 10 in 'a eq 'x' , b eq 'y'': 'and' or the end is expected"},
		{text: "()", bad: "position 2"},
		{text: "a eq 2031-02-06T09:00:00", bad: "is no value"},
		{text: "a eq 2031-02-06T09:00:00 01:00", bad: "a plus sign as %2B"},
		{text: "a eq 1.", bad: "is no value"},
		{text: "a eq 1e", bad: "is no value"},
		{text: "a eq --1", bad: "is no value"},
		{text: "a eq -+1", bad: "is no value"},
		{text: "a eq -", bad: "is no value"},
		{text: "a eq 'x\x00'", bad: "U+0000"},
		{text: "a eq '\xff'", bad: "not UTF-8"},
		{text: "a\neq 'x'", bad: "position 2"},
		{text: strings.Repeat("(", maxParentheses+1), bad: "more than 64 parentheses"},
		{text: strings.Repeat("a eq 1 and ", maxComparisons) + "a eq 1", bad: "more than 64 comparisons"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got, err := parseFilter(tt.text)
			if tt.bad == "" {
				if diff := cmp.Diff(tt.want, got, all); err != nil || diff != "" {
					t.Errorf("error %v, difference %s", err, diff)
				}
				return
			}
			if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Message, tt.bad) || e.Target != "$filter" || e.Status() != 400 {
				t.Errorf("filter %v, error %#v; want a 400 for $filter that says %q", got, err, tt.bad)
			}
		})
	}
}

func TestFilterEquality(t *testing.T) {
	const find = "joinMeetingIdSettings/joinMeetingId"
	for _, tt := range []struct{ text, path, value, bad string }{
		{text: "JOINWEBURL eq 'x'", path: "joinWebUrl", value: "x"},
		{text: "(joinmeetingidsettings/JoinMeetingId eq '1 2''')", path: find, value: "1 2'"},
		{text: "subject eq 'x'", bad: "'subject' cannot be filtered by. $filter supports here one comparison: joinWebUrl eq '…', joinMeetingIdSettings/joinMeetingId eq '…'."},
		{text: "JoinWebUrl ne 'x'", bad: "the operator 'ne' is not supported for joinWebUrl"},
		{text: "JoinWebUrl eq null", bad: "joinWebUrl is compared with a null, not a string in single quotes"},
		{text: "JoinWebUrl eq 'x' and JoinWebUrl eq 'x'", bad: "2 comparisons cannot be combined"},
		{text: "nothing eq 'x'", bad: "The query specified in the URI is not valid. Could not find a property named 'nothing' on type 'microsoft.graph.onlineMeeting'."},
		{text: "chatInfo/x eq 'x'", bad: "Could not find a property named 'x' on type 'microsoft.graph.chatInfo'."},
		{text: "subject/x eq 'x'", bad: "The property 'subject/x' has nothing below it."},
		{text: "capabilities eq 'x'", bad: "Could not find a property named 'capabilities'"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			f, err := parseFilter(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			path, value, err := f.equality(typeMeeting, V1, "joinWebUrl", find)
			if path != tt.path || value != tt.value || (err != nil) != (tt.bad != "") {
				t.Fatalf("%q is %q, error %v; want %q is %q", path, value, err, tt.path, tt.value)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.bad) || explain(err).Status() != 400) {
				t.Errorf("error %v; want %q", err, tt.bad)
			}
		})
	}
}

func TestFilterTime(t *testing.T) {
	f, err := parseFilter("start ge 2031-02-06T09:00:00.5+01:00")
	if err != nil {
		t.Fatal(err)
	}
	if got := f[0].value.time().Format("15:04:05.0"); got != "08:00:00.5" {
		t.Errorf("time %s", got)
	}
}

// The law: what is accepted means the same when it is written as String says.
func FuzzParseFilter(f *testing.F) {
	for _, text := range []string{
		"JoinWebUrl eq 'x'", "joinMeetingIdSettings/joinMeetingId eq '1 2'", " ( mail\tEQ 'O''Neil' ) ", "a ne 1.5e-3 and (b le true and c eq null)",
		"start gt 2031-02-06T09:00:00.1234567+14:00", "not a eq 1", "startswith(a,'b')", "a eq '", "a eq 1)", "((a eq 0001-01-01T00:00Z))", "é eq 'é'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFilter(text)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Status() != 400 || e.Target != "$filter" {
				t.Errorf("%q is refused with %#v; want a 400 for $filter", text, err)
			}
			return
		}
		again, err := parseFilter(got.String())
		if err != nil || !cmp.Equal(got, again, cmp.AllowUnexported(comparison{}, literal{})) {
			t.Errorf("%q is %v; written so it is %v, %v", text, got, again, err)
		}
		for _, c := range got {
			if c.value.kind == literalTime && c.value.time().IsZero() && c.value.text != "0001-01-01T00:00:00Z" {
				t.Errorf("%q has no time: %+v", text, c.value)
			}
		}
	})
}

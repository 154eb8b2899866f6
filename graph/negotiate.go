package graph

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// A metadata level says how much OData control information an answer has
// (OData JSON format 3.1).
type metadata int

const (
	metadataMinimal metadata = iota
	metadataNone
	metadataFull
)

// contentTypes are the answers' media types, in Graph's words.
var contentTypes = [...][]string{
	metadataMinimal: {"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"},
	metadataNone:    {"application/json;odata.metadata=none;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"},
	metadataFull:    {"application/json;odata.metadata=full;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"},
}

// accepted finds the answer's form in the Accept headers, or refuses with 406.
// No header, "*/*" and "text/plain" get JSON too, as Graph does.
func accepted(headers []string) (metadata, error) {
	if len(headers) == 0 || len(headers) == 1 && (headers[0] == "application/json" || headers[0] == "*/*" || headers[0] == "") {
		return metadataMinimal, nil
	}
	best, level := 0.0, metadataMinimal
	for _, element := range elements(headers) {
		if strings.TrimSpace(element) == "" {
			continue
		}
		kind, params, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		switch kind {
		case "application/json", "application/*", "*/*", "text/plain", "text/*":
		default:
			continue
		}
		if q := quality(params["q"]); q > best {
			if asked, ok := askedLevel(params); ok {
				best, level = q, asked
			}
		}
	}
	if best == 0 {
		return 0, newError(codeNotAcceptable, "The Accept header allows none of the forms that this server has. Send Accept: application/json, with odata.metadata=minimal, none or full.")
	}
	return level, nil
}

// elements splits lists at the commas outside of quoted strings (RFC 9110,
// section 5.6.1).
func elements(headers []string) (all []string) {
	for _, h := range headers {
		begin, quoted := 0, false
		for i := 0; i < len(h); i++ {
			switch c := h[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++
			case c == ',' && !quoted:
				all = append(all, h[begin:i])
				begin = i + 1
			}
		}
		all = append(all, h[begin:])
	}
	return all
}

// askedLevel reads the parameter odata.metadata; ok is false for a level that does
// not exist.
func askedLevel(params map[string]string) (level metadata, ok bool) {
	switch strings.ToLower(params["odata.metadata"]) {
	case "", "minimal":
		return metadataMinimal, true
	case "none":
		return metadataNone, true
	case "full":
		return metadataFull, true
	}
	return 0, false
}

func quality(q string) float64 {
	if q == "" {
		return 1
	}
	v, err := strconv.ParseFloat(q, 64)
	if err != nil || v < 0 || v > 1 {
		return 0
	}
	return v
}

// checkContentType refuses with 415 what is not JSON. createOrGet requires the
// header, so a missing one is refused too.
func checkContentType(header http.Header) error {
	values := header["Content-Type"]
	if len(values) == 1 && values[0] == "application/json" {
		return nil
	}
	if len(values) == 0 {
		return newError(codeUnsupportedMediaType, "The Content-Type header is missing. Send Content-Type: application/json.")
	}
	kind, _, err := mime.ParseMediaType(values[0])
	if len(values) > 1 || err != nil || kind != "application/json" {
		return newError(codeUnsupportedMediaType, "The Content-Type is '%s'. Send Content-Type: application/json.", quotable(strings.Join(values, ", ")))
	}
	return nil
}

// includeUnknown is the preference that asks for enum members which plain
// clients do not know (Graph best practices, "Handling future members in
// evolvable enumerations").
const includeUnknown = "include-unknown-enum-members"

// prefers reports whether a Prefer header (RFC 7240) has a preference.
func prefers(headers []string, preference string) bool {
	for _, h := range headers {
		for element := range strings.SplitSeq(h, ",") {
			name, _, _ := strings.Cut(element, ";")
			if strings.EqualFold(strings.ReplaceAll(strings.TrimSpace(name), " ", ""), preference) {
				return true
			}
		}
	}
	return false
}

// languages has the invitation's languages in the order of invitations.
var languages = language.NewMatcher([]language.Tag{language.English, language.German, language.French, language.Spanish})

// preferredLanguage picks the invitation's language: an index for invitations.
// What cannot be read is English.
func preferredLanguage(header string) int {
	if header == "" || len(header) > 256 {
		return 0
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return 0
	}
	_, i, _ := languages.Match(tags...)
	return i
}

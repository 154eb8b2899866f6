package join

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-meet/convene/web"
)

// direction is that in which a language is written.
func direction(language string) string {
	if slices.Contains([]string{"ar", "fa", "he", "ps", "ur", "yi"}, language) {
		return "rtl"
	}
	return "ltr"
}

// languageCookie is the language that a visitor chose, over what the browser asks
// for.
const languageCookie = "convene-language"

// language is the one to answer in: what was chosen with ?lang=, or what the
// browser asks for (RFC 9110, section 12.5.4), or English.
func language(r *http.Request) string {
	known := web.Languages()
	if chosen := r.URL.Query().Get("lang"); slices.Contains(known, chosen) {
		return chosen
	}
	if c, err := r.Cookie(languageCookie); err == nil && slices.Contains(known, c.Value) {
		return c.Value
	}
	best, quality := "en", 0.0
	for item := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, q := weighted(item)
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if q > quality && slices.Contains(known, primary) {
			best, quality = primary, q
		}
	}
	return best
}

// weighted takes an entry of Accept-Language apart; what has no weight has 1.
func weighted(item string) (tag string, q float64) {
	tag, parameters, found := strings.Cut(strings.TrimSpace(item), ";")
	if !found {
		return tag, 1
	}
	q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(parameters), "q="), 64)
	if err != nil || q < 0 || q > 1 {
		return tag, 0
	}
	return tag, q
}

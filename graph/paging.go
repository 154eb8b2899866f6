package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// A page token says behind what a page begins. Its sum tells a token that was
// given out for this list from everything else; it guards nothing, for whoever
// makes one up gets a page that can be had anyway.
const tokenSum = 8

// pageToken writes a token for a list, which whose names.
func pageToken(whose string, position ...string) string {
	text, _ := json.Marshal(position) // strings are never refused
	return base64.RawURLEncoding.EncodeToString(append(sumOfToken(whose, text), text...))
}

// readPageToken reads a token of n parts that pageToken has written for the list.
func readPageToken(whose, token string, n int) (position []string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= tokenSum || string(sumOfToken(whose, raw[tokenSum:])) != string(raw[:tokenSum]) ||
		json.Unmarshal(raw[tokenSum:], &position) != nil || len(position) != n {
		return nil, invalid("$skiptoken", "The value of '$skiptoken' is none that this server has given out. Follow @odata.nextLink as it is.")
	}
	return position, nil
}

func sumOfToken(whose string, text []byte) []byte {
	sum := sha256.Sum256(append([]byte(whose+"\x00"), text...))
	return sum[:tokenSum]
}

// nextQuery is the query of the page that follows: the same options, from there on.
func nextQuery(rawQuery, token string) string {
	values, _ := parseQuery(rawQuery) // it was read before
	for name := range values {
		if strings.EqualFold(strings.TrimPrefix(name, "$"), "skiptoken") {
			values.Del(name)
		}
	}
	values.Set("$skiptoken", token)
	return strings.ReplaceAll(strings.ReplaceAll(values.Encode(), "%24", "$"), "+", "%20")
}

// nextLink is where the next page is.
func nextLink(c *call, token string) string {
	return c.site.Origin + c.URL.EscapedPath() + "?" + nextQuery(c.URL.RawQuery, token)
}

package identity

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// MaxToken is the greatest length of an access token in bytes.
const MaxToken = 16 << 10

// A Realm is what one cloud accepts: the audiences that its Graph root answers
// to and the login origins whose tokens it trusts.
type Realm struct {
	Audiences []string // compared without regard to one trailing slash
	Issuers   []string // origins: a token's iss is "{origin}/{tid}/"
}

// GraphAppID is the application id of Microsoft Graph, which tokens may carry
// as their audience.
const GraphAppID = "00000003-0000-0000-c000-000000000000"

// A Caller is who sent a request, read from a verified token.
type Caller struct {
	Tenant string
	App    string // application id
	User   string // object id; empty for an application
	// Permissions are the token's scopes or roles that the application still has.
	Permissions []string
	Expires     time.Time
}

// Delegated reports whether the caller acts for a signed-in user.
func (c *Caller) Delegated() bool { return c.User != "" }

// A TokenError is a token that is refused. Message begins with the text that
// Graph uses.
type TokenError struct {
	Personal bool // of a personal account, which this API does not serve
	Message  string
}

func (e *TokenError) Error() string { return e.Message }

func badToken(format string, args ...any) error {
	return &TokenError{Message: fmt.Sprintf(format, args...)}
}

// claims are those of an access token in Entra's v1 shape.
type claims struct {
	Issuer    string   `json:"iss"`
	Audience  string   `json:"aud"`
	Expires   *int64   `json:"exp"`
	NotBefore *int64   `json:"nbf"`
	Tenant    string   `json:"tid"`
	Object    string   `json:"oid"`
	App       string   `json:"appid"`
	Scopes    *string  `json:"scp"`
	Roles     []string `json:"roles"`
	Type      string   `json:"idtyp"`
	Version   string   `json:"ver"`
}

// clockSkew is how far the clocks of two nodes may differ.
const clockSkew = 10 * time.Second

// verify checks a token from its first byte to its last claim. It does not ask
// the directory.
func (s *Service) verify(ctx context.Context, token string, realm *Realm) (*claims, error) {
	if len(token) > MaxToken {
		return nil, badToken("CompactToken parsing failed with error code: 80049217. The token has %d bytes; at most %d are read.", len(token), MaxToken)
	}
	parts := strings.Split(token, ".")
	if len(parts) < 2 {
		return nil, badToken("IDX14100: JWT is not well formed, there are no dots (.). Send an access token from this server's token endpoint.")
	}
	if len(parts) != 3 {
		return nil, badToken("CompactToken parsing failed with error code: 80049217. A signed token has three parts, this one has %d.", len(parts))
	}
	for _, part := range parts[1:] { // the library would forgive padding, and one token have many forms
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return nil, badToken("CompactToken parsing failed with error code: 80049217. A part of the token is not base64url without padding.")
		}
	}
	var header struct {
		Algorithm string   `json:"alg"`
		KeyID     string   `json:"kid"`
		Critical  []string `json:"crit"`
	}
	if err := decodePart(parts[0], &header); err != nil {
		return nil, badToken("CompactToken parsing failed with error code: 80049217. The header %v.", err)
	}
	if header.Algorithm != "RS256" {
		return nil, badToken("Access token validation failure. Signature verification failed. The algorithm must be RS256.")
	}
	if len(header.Critical) > 0 {
		return nil, badToken("Access token validation failure. Signature verification failed. The header names critical extensions.")
	}
	payload, err := s.Keys.verify(ctx, token, header.KeyID)
	if errors.Is(err, errUnknownKey) {
		return nil, badToken("Invalid x5t claim. Access token validation failure: the token is not signed by a key of this server. Ask its token endpoint for a new one.")
	} else if errors.Is(err, errSignature) {
		return nil, badToken("Access token validation failure. Signature verification failed.")
	} else if err != nil {
		return nil, err // the store, not the token
	}
	var c claims
	if err := decodeStrict(payload, &c); err != nil {
		return nil, badToken("CompactToken parsing failed with error code: 80049217. The payload %v.", err)
	}
	return &c, s.judge(&c, realm)
}

// judge checks the claims of a token whose signature is right.
func (s *Service) judge(c *claims, realm *Realm) error {
	now := s.tokenTime(c.Tenant)
	if len(realm.Audiences) == 0 {
		return badToken("Access token validation failure. Invalid audience. No token is accepted at this address.")
	}
	switch {
	case !slices.ContainsFunc(realm.Audiences, func(a string) bool {
		return strings.TrimSuffix(a, "/") == strings.TrimSuffix(c.Audience, "/")
	}):
		return badToken("Access token validation failure. Invalid audience. The token is for %q; ask for the scope %s/.default or one of that resource.", c.Audience, strings.TrimSuffix(realm.Audiences[0], "/"))
	case c.Tenant == "" || !slices.ContainsFunc(realm.Issuers, func(o string) bool { return c.Issuer == o+"/"+c.Tenant+"/" }):
		return badToken("Access token validation failure. Invalid issuer. The token was issued by %q.", c.Issuer)
	case c.Expires == nil:
		return badToken("Access token validation failure. The token has no exp claim.")
	case !now.Before(time.Unix(*c.Expires, 0)):
		return badToken("Lifetime validation failed, the token is expired. It expired at %s.", time.Unix(*c.Expires, 0).UTC().Format(time.RFC3339))
	case c.NotBefore != nil && now.Add(clockSkew).Before(time.Unix(*c.NotBefore, 0)):
		return badToken("Lifetime validation failed, the token is not yet valid. It is valid from %s.", time.Unix(*c.NotBefore, 0).UTC().Format(time.RFC3339))
	case c.App == "" || c.Object == "":
		return badToken("Access token validation failure. The token has no appid or no oid claim.")
	}
	return nil
}

// decodePart decodes one base64url part of a token into v.
func decodePart(part string, v any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return errors.New("is not base64url")
	}
	return decodeStrict(raw, v)
}

// decodeStrict decodes one JSON object, in which no member may occur twice.
func decodeStrict(raw []byte, v any) error {
	if err := noDuplicates(raw); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(v); err != nil {
		return errors.New("does not have the expected members")
	}
	return nil
}

// noDuplicates checks that raw is one JSON object and nothing else, whose
// members all differ, also in case: encoding/json would take the last of them.
func noDuplicates(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("is not a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return errors.New("is not valid JSON")
		}
		if lower := strings.ToLower(name); seen[lower] {
			return fmt.Errorf("has the member %q twice", name)
		} else {
			seen[lower] = true
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return errors.New("is not valid JSON")
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("is not valid JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("is followed by something else")
	}
	return nil
}

package identity

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// A Key signs tokens with RS256 and nothing else.
type Key struct {
	ID      string
	Private *rsa.PrivateKey
}

// NewKey makes a signing key. Its id is the RFC 7638 thumbprint.
func NewKey() (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return keyOf(private)
}

func keyOf(private *rsa.PrivateKey) (*Key, error) {
	k, err := jwk.Import(private.Public())
	if err != nil {
		return nil, err
	}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return &Key{ID: base64.RawURLEncoding.EncodeToString(sum), Private: private}, nil
}

// Sign returns the compact JWS of the claims (RFC 7515), with typ JWT and this
// key's id.
func (k *Key) Sign(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	header := jws.NewHeaders()
	for name, value := range map[string]string{"typ": "JWT", "kid": k.ID, "x5t": k.ID} {
		if err := header.Set(name, value); err != nil {
			return "", err
		}
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.RS256(), k.Private, jws.WithProtectedHeaders(header)))
	return string(token), err
}

// Keys keeps the keys that sign and verify the tokens of this system, and knows
// at once when a key was added.
type Keys struct {
	Store Store
	Now   func() time.Time
	// Make makes the first key; [NewKey] when nil.
	Make func() (*Key, error)

	mu         sync.Mutex
	generation int64
	keys       []*Key
}

type storedKey struct {
	Algorithm string
	PKCS8     []byte
	Created   time.Time
}

// all returns every key, the signing one first; it makes the first key when
// there is none, which is harmless when several processes do so at once.
func (s *Keys) all(ctx context.Context) ([]*Key, error) {
	generation, err := s.Store.Generation(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != nil && generation == s.generation {
		return s.keys, nil
	}
	keys, err := s.load(ctx)
	if err == nil && len(keys) == 0 {
		if err = s.add(ctx); err == nil || errors.Is(err, ErrConflict) {
			keys, err = s.load(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	s.keys, s.generation = keys, generation
	return keys, nil
}

func (s *Keys) load(ctx context.Context) ([]*Key, error) {
	records, err := s.Store.Records(ctx, KindKey, "", s.Now())
	if err != nil {
		return nil, err
	}
	var keys []*Key
	for _, r := range records {
		stored, err := decode[storedKey](r, nil)
		if err != nil {
			return nil, err
		}
		private, err := x509.ParsePKCS8PrivateKey(stored.PKCS8)
		if err != nil {
			return nil, fmt.Errorf("key %s cannot be read: %w", r.ID, err)
		}
		rsaKey, ok := private.(*rsa.PrivateKey)
		if !ok || stored.Algorithm != "RS256" {
			return nil, fmt.Errorf("key %s is not for RS256", r.ID)
		}
		keys = append(keys, &Key{ID: r.ID, Private: rsaKey})
	}
	return keys, nil
}

func (s *Keys) add(ctx context.Context) error {
	makeKey := s.Make
	if makeKey == nil {
		makeKey = NewKey
	}
	key, err := makeKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return err
	}
	now := s.Now()
	doc, err := json.Marshal(storedKey{Algorithm: "RS256", PKCS8: der, Created: now})
	if err != nil {
		return err
	}
	// The name is unique: of several first starts one adds its key.
	r := Record{Kind: KindKey, ID: key.ID, Name: "first", Doc: doc}
	return s.Store.Apply(ctx, now, []Change{{Record: r}})
}

// Signing returns the key that signs.
func (s *Keys) Signing(ctx context.Context) (*Key, error) {
	keys, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	return keys[0], nil
}

// Public returns the JSON Web Key Set (RFC 7517) of every key.
func (s *Keys) Public(ctx context.Context) ([]byte, error) {
	keys, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	set := jwk.NewSet()
	for _, k := range keys {
		public, err := jwk.Import(k.Private.Public())
		if err != nil {
			return nil, err
		}
		for name, value := range map[string]any{"kid": k.ID, "use": "sig", "alg": jwa.RS256(), "x5t": k.ID} {
			if err := public.Set(name, value); err != nil {
				return nil, err
			}
		}
		if err := set.AddKey(public); err != nil {
			return nil, err
		}
	}
	return json.Marshal(set)
}

// verify checks the signature of a compact JWS with the key that kid names.
// The algorithm is the key's, whatever the header says.
func (s *Keys) verify(ctx context.Context, token, kid string) ([]byte, error) {
	keys, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.ID == kid {
			payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256(), k.Private.Public()))
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errSignature, err)
			}
			return payload, nil
		}
	}
	return nil, errUnknownKey
}

var (
	errUnknownKey = errors.New("no key has the id in the header")
	errSignature  = errors.New("the signature is wrong")
)

// digest is the SHA-256 of a token: what is remembered of it.
func digest(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

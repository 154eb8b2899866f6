package devlogin

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// configuration is the document of OpenID Connect Discovery, section 3, with
// the endpoints that are there.
type configuration struct {
	Issuer                string   `json:"issuer"`
	Authorization         string   `json:"authorization_endpoint"`
	Token                 string   `json:"token_endpoint"`
	DeviceAuthorization   string   `json:"device_authorization_endpoint"`
	EndSession            string   `json:"end_session_endpoint"`
	JWKS                  string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	Scopes                []string `json:"scopes_supported"`
	Claims                []string `json:"claims_supported"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	ClientAuthentication  []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	TenantRegionScope     *string  `json:"tenant_region_scope"`
	CloudInstanceName     string   `json:"cloud_instance_name"`
	CloudGraphHostName    string   `json:"cloud_graph_host_name"`
	MicrosoftGraphAPIHost string   `json:"msgraph_host"`
}

// configuration serves /{tenant}/v2.0/.well-known/openid-configuration.
func (p *Provider) configuration(c *call) error { return p.writeConfiguration(c, issuerV2) }

// configurationV1 serves the document of Entra's first version, whose issuer is
// that of the access tokens: who checks those finds their keys there.
func (p *Provider) configurationV1(c *call) error { return p.writeConfiguration(c, issuerV1) }

func (p *Provider) writeConfiguration(c *call, issuer func(origin, tenant string) string) error {
	a, err := p.authority(c)
	if e, ok := errors.AsType[*Error](err); ok {
		e.Code = "invalid_tenant"
		return e
	} else if err != nil {
		return err
	}
	tenant, ok := a.single()
	if !ok {
		tenant = "{tenantid}" // to be filled in with the claim tid, as with Entra ID
	}
	host := strings.TrimPrefix(c.origin, "https://")
	base := c.origin + "/" + string(a)
	c.public()
	c.writeJSON(http.StatusOK, configuration{
		Issuer:               issuer(c.origin, tenant),
		Authorization:        base + "/oauth2/v2.0/authorize",
		Token:                base + "/oauth2/v2.0/token",
		DeviceAuthorization:  base + "/oauth2/v2.0/devicecode",
		EndSession:           base + "/oauth2/v2.0/logout",
		JWKS:                 base + "/discovery/v2.0/keys",
		ResponseTypes:        []string{"code"},
		ResponseModes:        []string{"query", "fragment", "form_post"},
		GrantTypes:           []string{"authorization_code", "refresh_token", "client_credentials", "password", "urn:ietf:params:oauth:grant-type:device_code"},
		SubjectTypes:         []string{"pairwise"},
		Scopes:               oidcScopes,
		Claims:               []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name", "tid", "oid", "ver", "email"},
		IDTokenAlgorithms:    []string{"RS256"},
		ClientAuthentication: []string{"client_secret_post", "client_secret_basic", "none"},
		ChallengeMethods:     []string{"S256"},
		CloudInstanceName:    host, CloudGraphHostName: host, MicrosoftGraphAPIHost: host,
	})
	return nil
}

// public lets pages of other sites read an answer, which holds nothing that is
// not for everyone. Browsers ask again each time: addresses and keys of a
// development server change.
func (c *call) public() {
	c.w.Header().Set("Access-Control-Allow-Origin", "*")
	c.w.Header().Set("Cache-Control", "no-cache")
	c.w.Header().Del("Pragma")
}

// keys serves the JSON Web Key Set. It is the same for every tenant.
func (p *Provider) keys(c *call) error {
	if _, err := p.authority(c); err != nil {
		return err
	}
	set, err := p.Keys.Public(c.ctx())
	if err != nil {
		return outage(err)
	}
	c.public()
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = c.w.Write(set) // the client is gone, and nobody is left to tell
	return nil
}

// instanceMetadata is the answer of instance discovery: which hosts are the
// same cloud as the one that was asked about.
type instanceMetadata struct {
	TenantDiscovery string     `json:"tenant_discovery_endpoint"`
	Version         string     `json:"api-version"`
	Metadata        []instance `json:"metadata"`
}

type instance struct {
	PreferredNetwork string   `json:"preferred_network"`
	PreferredCache   string   `json:"preferred_cache"`
	Aliases          []string `json:"aliases"`
}

// instance serves /common/discovery/instance, by which a client finds out
// whether to trust the authority it was given. Ours vouches for the hosts that
// it is reached under, each for itself, and no other.
func (p *Provider) instance(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	tenant, origin := c.tenant, c.origin
	var aliases []string
	if asked := query["authorization_endpoint"]; asked != "" {
		u, err := url.Parse(asked)
		origin = ""
		if err == nil && u.Scheme == "https" && u.User == nil {
			origin = p.OriginOf(u.Host)
		}
		if origin == "" {
			return refuse("invalid_instance", 50049, "Unknown or invalid instance: %s is not an authority of this server.", shorten(asked))
		}
		aliases = append(aliases, strings.ToLower(u.Host)) // which the client looks for
		tenant, _, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	}
	if !tenantName.MatchString(tenant) {
		return refuse("invalid_tenant", 900023, "The tenant %q is neither an id nor a domain name.", shorten(tenant))
	}
	host := strings.TrimPrefix(origin, "https://")
	if !slices.Contains(aliases, host) {
		aliases = append(aliases, host)
	}
	c.public()
	c.writeJSON(http.StatusOK, instanceMetadata{
		TenantDiscovery: origin + "/" + tenant + "/v2.0/.well-known/openid-configuration",
		Version:         "1.1",
		Metadata:        []instance{{PreferredNetwork: host, PreferredCache: host, Aliases: aliases}},
	})
	return nil
}

// realmPrefix is what the path of user realm discovery has before the name.
const realmPrefix = "userrealm/"

// userRealm is the answer of user realm discovery.
type userRealm struct {
	Version       string `json:"ver"`
	AccountType   string `json:"account_type"`
	Domain        string `json:"domain_name"`
	CloudInstance string `json:"cloud_instance_name"`
	CloudAudience string `json:"cloud_audience_urn"`
}

// userRealm serves /common/userrealm/{user}, which MSAL for Go and Python ask
// before a password is sent: should it go to another server, as those of
// federated domains do? Here it never should. Whether there is such a user the
// token endpoint says, and better.
func (p *Provider) userRealm(c *call) error {
	name := c.r.URL.Path[strings.LastIndexByte(c.r.URL.Path, '/')+1:]
	_, domain, ok := strings.Cut(name, "@")
	if !ok || !tenantName.MatchString(domain) {
		return refuse("invalid_request", 90100, "The user name %q is not valid. It is like an e-mail address.", shorten(name))
	}
	c.public()
	c.writeJSON(http.StatusOK, userRealm{
		Version: "1.0", AccountType: "Managed", Domain: domain,
		CloudInstance: strings.TrimPrefix(c.origin, "https://"), CloudAudience: "urn:federation:MicrosoftOnline",
	})
	return nil
}

// Package world is the world file: tenants with their users, groups, apps and
// application access policies, as people write them down in YAML. It knows
// nothing of HTTP or of how an engine keeps them.
//
// Start at [Parse], which reads a file and names the line of every mistake,
// and [World.Apply], which brings a store to it. [BuiltIn] is the world of
// "convene dev".
package world

import _ "embed" // for the built-in world

// A World is what a world file says. Where an object is in the store already,
// members that the file does not name stay as they are; in a world made in Go
// those are the zero ones, and a slice that is empty but not nil takes away.
type World struct {
	Tenants []Tenant `yaml:"tenants" json:"tenants"`

	name     string   // of the file, for errors
	warnings []string // see Warnings
}

// Warnings are about what may be meant, and is of no use here: each as "file:line:
// key: what it is".
func (w *World) Warnings() []string { return w.warnings }

// A Tenant is an organisation with its directory. Where an id is left out it is
// derived from the names above it, so that it is the same at every start.
type Tenant struct {
	Name              string             `yaml:"name" json:"name"`
	ID                string             `yaml:"id" json:"id,omitempty"`
	Domain            string             `yaml:"domain" json:"domain"`
	AudioConferencing *AudioConferencing `yaml:"audioConferencing" json:"audioConferencing,omitempty"`
	VideoInterop      bool               `yaml:"videoInterop" json:"videoInterop,omitempty"`
	Extensions        []string           `yaml:"extensions" json:"extensions,omitempty"` // switches, see docs/extensions.md
	Users             []User             `yaml:"users" json:"users,omitempty"`
	Groups            []Group            `yaml:"groups" json:"groups,omitempty"`
	Apps              []App              `yaml:"apps" json:"apps,omitempty"`
	Policies          []Policy           `yaml:"applicationAccessPolicies" json:"applicationAccessPolicies,omitempty"`

	given given
}

// AudioConferencing is a tenant's dial-in.
type AudioConferencing struct {
	TollNumber      string   `yaml:"tollNumber" json:"tollNumber"`
	TollFreeNumber  string   `yaml:"tollFreeNumber" json:"tollFreeNumber,omitempty"`
	TollNumbers     []string `yaml:"tollNumbers" json:"tollNumbers,omitempty"`
	TollFreeNumbers []string `yaml:"tollFreeNumbers" json:"tollFreeNumbers,omitempty"`

	given given
}

// A User is a person. UPN may be given without the domain.
type User struct {
	UPN               string `yaml:"upn" json:"upn"`
	ID                string `yaml:"id" json:"id,omitempty"`
	DisplayName       string `yaml:"displayName" json:"displayName,omitempty"`
	GivenName         string `yaml:"givenName" json:"givenName,omitempty"`
	Surname           string `yaml:"surname" json:"surname,omitempty"`
	Mail              string `yaml:"mail" json:"mail,omitempty"` // the UPN when left out
	JobTitle          string `yaml:"jobTitle" json:"jobTitle,omitempty"`
	OfficeLocation    string `yaml:"officeLocation" json:"officeLocation,omitempty"`
	PreferredLanguage string `yaml:"preferredLanguage" json:"preferredLanguage,omitempty"`
	Password          string `yaml:"password" json:"password,omitempty"` // without one, nobody can sign in
	Disabled          bool   `yaml:"disabled" json:"disabled,omitempty"`

	given given
}

// A Group is a set of users, each named by UPN or id.
type Group struct {
	Name    string   `yaml:"name" json:"name"`
	ID      string   `yaml:"id" json:"id,omitempty"`
	Members []string `yaml:"members" json:"members,omitempty"`

	given given
}

// An App is an application that may ask for tokens.
type App struct {
	Name                   string   `yaml:"name" json:"name"`
	ID                     string   `yaml:"id" json:"id,omitempty"`
	Secret                 string   `yaml:"secret" json:"secret,omitempty"`
	Public                 bool     `yaml:"public" json:"public,omitempty"`
	RedirectURIs           []string `yaml:"redirectUris" json:"redirectUris,omitempty"`
	ApplicationPermissions []string `yaml:"applicationPermissions" json:"applicationPermissions,omitempty"`
	DelegatedPermissions   []string `yaml:"delegatedPermissions" json:"delegatedPermissions,omitempty"`

	given given
}

// A Policy is an application access policy and whom it is granted to. Apps,
// users and groups are named as in the file, or by id.
type Policy struct {
	Name        string   `yaml:"name" json:"name"`
	Description string   `yaml:"description" json:"description,omitempty"`
	Apps        []string `yaml:"apps" json:"apps,omitempty"`
	GrantedTo   Granted  `yaml:"grantedTo" json:"grantedTo,omitzero"`

	given given
}

// Granted is whom a policy is granted to.
type Granted struct {
	Tenant bool           `yaml:"tenant" json:"tenant,omitempty"`
	Users  []string       `yaml:"users" json:"users,omitempty"`
	Groups []GrantedGroup `yaml:"groups" json:"groups,omitempty"`

	given given
}

// A GrantedGroup is a group and the rank of its grant: 1 goes before 2.
type GrantedGroup struct {
	Name string `yaml:"name" json:"name"`
	Rank int    `yaml:"rank" json:"rank"`
}

//go:embed builtin.yaml
var builtIn []byte

// BuiltIn is the world of "convene dev" when no file is given. It is fixed for
// ever, so that other people's tests can name what is in it.
func BuiltIn() *World {
	w, err := Parse("builtin.yaml", builtIn)
	if err != nil {
		panic(err) // a test parses it
	}
	return w
}

// BuiltInFile is the built-in world as a file, to begin one's own with.
func BuiltInFile() []byte { return builtIn }

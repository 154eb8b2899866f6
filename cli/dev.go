package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/convene-meet/convene/server"
)

type devCommand struct {
	Listen           string        `help:"Address to listen on; port 0 picks a free one." default:"localhost:8443" placeholder:"HOST:PORT"`
	Data             string        `help:"Data directory, made when missing." default:"${data}" env:"CONVENE_DATA" placeholder:"DIR"`
	World            string        `help:"World file instead of the built-in world. In a data directory that has a world, what the file does not name stays." placeholder:"FILE" type:"path"`
	Database         string        `help:"Where meetings are kept: sqlite:DIR or postgres://… (SQLite in the data directory)." placeholder:"URL" env:"CONVENE_DATABASE"`
	PublicURL        string        `name:"public-url" help:"Address of issuer and links, when several processes or a proxy stand in front." placeholder:"https://HOST:PORT"`
	CADir            string        `name:"ca-dir" help:"Directory of the certificate authority, to be shared by several processes (the data directory)." placeholder:"DIR" type:"path"`
	Expose           bool          `help:"Allow --listen on an address that other machines reach, although the world's passwords are public."`
	Cloud            string        `help:"National cloud whose offer to imitate: ${enum}." enum:"global,usgovl4,usgovl5,china" default:"global"`
	PolicyDelay      time.Duration `help:"How long a changed application access policy takes to be in effect; Teams says up to 30m." default:"0s" placeholder:"DURATION"`
	UpnsInPaths      bool          `help:"Let applications name users by UPN, which Graph refuses." default:"true" negatable:""`
	Lab              bool          `help:"Give management the tester's kit: fresh tenants, reset, seed, snapshots, clocks, faults, requests." default:"true" negatable:""`
	Media            mediaFlags    `embed:"" prefix:"media-" group:"Sound and video:"`
	Frames           []string      `name:"frame-ancestor" help:"Origin whose pages may show meetings in a frame; may be given several times." placeholder:"https://HOST"`
	ManagementListen string        `help:"Serve management over TCP, too." placeholder:"HOST:PORT"`
	ManagementToken  string        `help:"File with the token that management over TCP asks for." placeholder:"FILE" type:"path"`
	Hosts            bool          `help:"Print what to add to the hosts file, and how to trust the certificate, for clients that cannot be pointed anywhere; and end."`
	Quiet            bool          `short:"q" help:"No banner, and no line for each request."`
}

func (c *devCommand) Help() string {
	return `Starts the whole server: API, sign-in with the built-in world, pages, its own certificate authority and database. When it can serve it prints "ready https://HOST:PORT" on standard output; all else goes to standard error. It ends on SIGTERM, and state in the data directory survives that and a crash.`
}

func (c *devCommand) config(ctx context.Context, p *Program) (server.Config, error) {
	cfg := server.Default()
	cfg.Listen, cfg.Expose, cfg.PublicURL = c.Listen, c.Expose, strings.TrimSuffix(c.PublicURL, "/")
	cfg.Data, cfg.Database, cfg.CADir = c.Data, c.Database, c.CADir
	cfg.PolicyDelay, cfg.NamesInPaths = c.PolicyDelay, c.UpnsInPaths
	cfg.Lab = c.Lab
	cfg.ManagementListen, cfg.Version = c.ManagementListen, p.Version
	cfg.Log = slog.New(slog.NewTextHandler(p.Stderr, nil))
	if !c.Quiet {
		cfg.AccessLog = p.Stderr
	}
	for _, cloud := range server.Clouds() {
		if cloud.Name == c.Cloud {
			cfg.Clouds = []server.Cloud{cloud}
		}
	}
	var err error
	cfg.Frames = c.Frames
	if cfg.Media, err = c.Media.engine(p, cfg); err != nil {
		return cfg, err
	}
	if c.ManagementToken != "" {
		if cfg.ManagementToken, err = readSecret(c.ManagementToken); err != nil {
			return cfg, err
		}
	}
	if c.World != "" {
		if cfg.World, _, err = readWorld(ctx, c.World); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

func (c *devCommand) Run(ctx context.Context, p *Program) error {
	if c.Hosts {
		return c.hosts(p)
	}
	cfg, err := c.config(ctx, p)
	if err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return &misuse{err}
	}
	s, err := server.New(ctx, cfg)
	if err != nil {
		return err
	}
	return s.Run(ctx, func() {
		if !c.Quiet {
			c.banner(ctx, p, s)
		}
		fmt.Fprintf(p.Stdout, "ready %s\n", s.URL())
	})
}

// hosts says how clients that cannot be pointed anywhere are brought here.
func (c *devCommand) hosts(p *Program) error {
	ca := c.Data
	if c.CADir != "" {
		ca = c.CADir
	}
	ca = shellQuote(filepath.Join(ca, "ca.pem"))
	_, err := fmt.Fprintf(p.Stdout, `# Add to /etc/hosts (Windows: C:\Windows\System32\drivers\etc\hosts):
127.0.0.1 graph.microsoft.com
127.0.0.1 login.microsoftonline.com

# Listen where these names lead:
#   %[1]s dev --listen localhost:443
# On Linux without root, once: sudo setcap cap_net_bind_service=+ep "$(command -v %[1]s)"

# Trust the certificate authority, which the first start makes. It can vouch for these two names, localhost and the
# loopback addresses, and for nothing else.
#   Debian, Ubuntu:   sudo cp %[2]s /usr/local/share/ca-certificates/convene.crt && sudo update-ca-certificates
#   Fedora, RHEL:     sudo cp %[2]s /etc/pki/ca-trust/source/anchors/convene.pem && sudo update-ca-trust
#   macOS:            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain %[2]s
#   Windows:          certutil -addstore -f ROOT %[2]s
#   one process only: SSL_CERT_FILE (Go, .NET on Linux), NODE_EXTRA_CA_CERTS (Node.js), REQUESTS_CA_BUNDLE (Python)

# Take both away again when you are done: as long as they are there, this machine cannot reach the real services.
`, shellQuote(p.Name), ca)
	return err
}

// banner says what to paste first.
func (c *devCommand) banner(ctx context.Context, p *Program, s *server.Server) {
	colours := p.colours(p.StderrTerminal)
	heading := func(s string) string { return paint(colours, bold, s) }
	quiet := func(s string) string { return paint(colours, faint, s) }
	user, link, err := s.Welcome(ctx)
	if err != nil || c.Cloud == "china" { // which has no createOrGet, so there is nothing to paste
		fmt.Fprintf(p.Stderr, "\n%s\n\n", heading("Convene runs at "+s.URL()))
		return
	}
	program := shellQuote(p.Name)
	data := ""
	if c.Data != "convene-data" {
		data = " --data " + shellQuote(c.Data)
	}
	fmt.Fprintf(p.Stderr, `
%s  %s

%s
  curl -sS --cacert %s \
    -H "Authorization: Bearer $(%s token%s --user %s)" \
    -H 'Content-Type: application/json' \
    -d '{"externalId":"first","subject":"My first meeting"}' \
    %s/v1.0/me/onlineMeetings/createOrGet

%s
  %s

%s
  README.md, "Official clients": Go, JavaScript, Python, .NET, Java and PowerShell.
  Authority and Graph root are %s; clients trust %s.

%s

`,
		heading("Convene runs at "+s.URL()), quiet("data in "+c.Data),
		heading("Make a meeting; paste it again to get the same one:"),
		shellQuote(relative(s.CAFile())), program, data, shellQuote(user), s.URL(),
		heading("Open a meeting in a browser:"), link,
		heading("Point an SDK at it:"), s.URL(), relative(s.CAFile()),
		quiet("Everybody's password is public, so this is for development. Stop with Ctrl-C."))
}

// relative shortens a path below the working directory.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(dir, abs); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return abs
}

// shellQuote makes s one word of a shell.
func shellQuote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("@%+=:,./-_", c))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

package e2e

import "testing"

// Clients of other people, as they are published. Where one knows Microsoft's
// hosts alone, those names lead to the server: see clients/redirect.cjs.

// TestN8n runs the Microsoft Teams node of n8n.
func TestN8n(t *testing.T) {
	t.Parallel()
	runScript(t, "node", "--test", "--test-reporter=spec", "clients/n8n.test.js")
}

// TestM365 runs the CLI for Microsoft 365.
func TestM365(t *testing.T) {
	t.Parallel()
	runScript(t, "node", "--test", "--test-reporter=spec", "clients/m365.test.js")
}

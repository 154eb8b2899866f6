// Package identity says who calls, and for whom they may act: callers and their
// permissions, the directory, application access policies, and the keys that
// sign tokens. It knows nothing of HTTP handlers, meetings or SQL.
//
// Start at [Service]: Authenticate turns a token into a [Caller], Authorize
// decides whether that caller may do an [Operation] for a user. What an engine
// must keep is in [Store].
package identity

// For clients whose hosts are fixed, what a line in the hosts file would do, and a port with it: Microsoft's two names
// lead to the server, whose certificate is good for both and is checked as ever. No other host can be reached.

const { Socket } = require("node:net");

const server = new URL(process.env.CONVENE_URL);
const names = ["graph.microsoft.com", "login.microsoftonline.com"];
const { connect } = Socket.prototype;

Socket.prototype.connect = function (...args) {
  // Node's own callers hand over one list: the options and what to call.
  const [options, done] = Array.isArray(args[0]) ? args[0] : args;
  const { host, port, path } = options;
  if (names.includes(host) && Number(port) === 443) {
    return connect.call(this, { ...options, host: server.hostname, port: server.port }, done);
  }
  if (path || host === server.hostname) {
    return connect.apply(this, args);
  }
  return this.destroy(new Error(`these tests reach no ${host}:${port}`));
};

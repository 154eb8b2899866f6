// PostgreSQL and Redis of a test's own, and a way to a node that can be turned to another one.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "./harness.js";

const run = promisify(execFile);

/** freePort is a port of the loopback address that nobody uses just now. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** startPostgres starts a cluster, as a user of its own where this is root, whom it refuses. */
export async function startPostgres() {
  const versions = await readdir("/usr/lib/postgresql");
  const bin = `/usr/lib/postgresql/${versions.sort((a, b) => b - a)[0]}/bin`;
  const dir = await mkdtemp(join(tmpdir(), "convene-pg-"));
  const account = {};
  if (process.getuid() === 0) {
    for (const [key, flag] of Object.entries({ uid: "-u", gid: "-g" })) {
      account[key] = Number((await run("id", [flag, "postgres"])).stdout);
    }
    await chown(dir, account.uid, account.gid);
  }
  const data = join(dir, "data");
  await run(
    `${bin}/initdb`,
    ["-D", data, "-U", "convene", "-A", "trust", "-E", "UTF8", "--no-sync"],
    { ...account, cwd: dir },
  );
  const port = await freePort();
  const child = spawn(
    `${bin}/postgres`,
    [
      "-D",
      data,
      "-p",
      String(port),
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `unix_socket_directories=${dir}`,
    ],
    { ...account, cwd: dir, stdio: "ignore" },
  );
  await until("PostgreSQL answers", () => answers(port));
  return {
    url: `postgres://convene@127.0.0.1:${port}/postgres?sslmode=disable`,
    async end() {
      child.kill("SIGINT");
      await once(child, "exit");
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** startRedis starts a Redis that keeps nothing on disk. */
export async function startRedis() {
  const port = await freePort();
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    {
      stdio: "ignore",
      cwd: tmpdir(),
    },
  );
  await until("Redis answers", () => answers(port));
  return {
    url: `redis://127.0.0.1:${port}`,
    async end() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** startWay passes connections on to a port, which may be changed. */
export async function startWay(to, port = 0) {
  const sockets = new Set();
  const way = { to };
  const server = createServer((from) => {
    const socket = connect(way.to, "127.0.0.1");
    for (const one of [from, socket]) {
      sockets.add(one);
      one
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(one);
          from.destroy();
          socket.destroy();
        });
    }
    from.pipe(socket).pipe(from);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  way.port = server.address().port;
  way.cut = () => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  way.end = () => {
    server.close();
    way.cut();
  };
  return way;
}

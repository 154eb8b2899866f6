// Two nodes on one PostgreSQL and one Redis are one system: people on different ones meet, and who
// was on a node that is lost goes on with another.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, Person, Server, until } from "./harness.js";
import { freePort, startPostgres, startRedis, startWay } from "./parts.js";

const ended = [];
let dir;
let nodes;
let ways;
let browsers;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "convene-nodes-"));
  const [postgres, redis, port] = await Promise.all([startPostgres(), startRedis(), freePort()]);
  ended.push(
    () => postgres.end(),
    () => redis.end(),
    () => rm(dir, { recursive: true, force: true }),
  );
  const key = join(dir, "key");
  await writeFile(key, `devkey: ${"s".repeat(48)}\n`, { mode: 0o600 });
  const args = [
    "--database",
    postgres.url,
    "--public-url",
    `https://localhost:${port}`,
    "--media-redis",
    redis.url,
    "--media-key",
    key,
    "--ca-dir",
    dir,
  ];
  nodes = [
    await Server.startOn(await freePort(), ...args),
    await Server.startOn(await freePort(), ...args),
  ];
  ways = [await startWay(nodes[0].listens, port)]; // by which the test itself calls the API
  browsers = [];
  for (const node of nodes) {
    const way = await startWay(node.listens);
    ways.push(way);
    browsers.push(
      await launch(`--host-resolver-rules=MAP localhost:${port} 127.0.0.1:${way.port}`),
    );
  }
});
after(async () => {
  for (const browser of browsers ?? []) {
    await browser.close();
  }
  for (const way of ways ?? []) {
    way.end();
  }
  for (const node of nodes ?? []) {
    if (node.process.exitCode === null && node.process.signalCode === null) {
      await node.stop();
    }
    await rm(node.dir, { recursive: true, force: true });
  }
  for (const end of ended.reverse()) {
    await end();
  }
});

test("people on two nodes meet, and a lost node is left for the other one", async (t) => {
  const meeting = await nodes[0].meeting("Two nodes");
  const dora = await Person.open(browsers[0], nodes[0], meeting, { user: "dora" });
  await dora.join();
  const vera = await Person.open(browsers[1], nodes[1], meeting, { name: "Vera" });
  await vera.waits();
  await dora.button("Admit Vera").click();
  await vera.inside();
  await dora.sees("Vera");
  await vera.sees("Dora");
  await vera.hears();
  await vera.says("from the other node");
  await dora.reads("from the other node");

  await nodes[1].kill();
  const lost = Date.now();
  ways.at(-1).to = nodes[0].listens;
  ways.at(-1).cut();
  await until("Vera is in the room of the other node", async () => {
    await vera.says(`again ${lost}`).catch(() => {});
    return (await dora.page.getByText(`again ${lost}`, { exact: true }).count()) > 0;
  });
  await vera.sees("Dora");
  await dora.sees("Vera");
  t.diagnostic(`seen again after ${Date.now() - lost} ms`);
  await dora.close();
  await vera.close();
});

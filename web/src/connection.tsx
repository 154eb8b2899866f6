// A light check, before joining, of what a meeting needs.

import { useEffect, useState } from "preact/hooks";
import { type Key, text } from "./texts.js";

/** From here on, in ms, people begin to talk over each other. */
const slow = 300;

/** How a check went, and how long the server took to answer. */
type Result = { key: Key; time?: number } | undefined;

export function Connection() {
  const [result, setResult] = useState<Result>();
  useEffect(() => {
    void check().then(setResult);
  }, []);
  return (
    <p class="quiet" role="status">
      {result
        ? text(result.key, result.time === undefined ? {} : { time: result.time })
        : text("checking")}
    </p>
  );
}

async function check(): Promise<Result> {
  if (typeof RTCPeerConnection !== "function") {
    return { key: "tooOld" };
  }
  try {
    const times = [await roundTrip(), await roundTrip(), await roundTrip()];
    const time = Math.max(1, Math.round(Math.min(...times)));
    return { key: time > slow ? "connectionSlow" : "connectionGood", time };
  } catch {
    return { key: "unreachable" };
  }
}

/** roundTrip asks for a small file of the server's, past the cache. */
async function roundTrip(): Promise<number> {
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.href ?? "/favicon.ico";
  const start = performance.now();
  await fetch(icon, { method: "HEAD", cache: "no-store" });
  return performance.now() - start;
}

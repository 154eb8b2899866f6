import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// icon gives the favicon a hashed name and a row in the manifest, like any other asset.
const icon: Plugin = {
  name: "icon",
  buildStart() {
    this.emitFile({
      type: "asset",
      name: "favicon.svg",
      originalFileName: "src/favicon.svg",
      source: readFileSync(at("src/favicon.svg")),
    });
  },
};

// languages copies the texts for Go, which renders with them and puts them into the pages.
const languages: Plugin = {
  name: "languages",
  buildStart() {
    for (const name of readdirSync(at("src/lang"))) {
      this.emitFile({
        type: "asset",
        fileName: `lang/${name}`,
        source: readFileSync(at(`src/lang/${name}`)),
      });
    }
  },
};

export default defineConfig({
  root: at("."),
  logLevel: "warn",
  plugins: [icon, languages],
  build: {
    outDir: at("dist"),
    emptyOutDir: true,
    target: "es2022",
    // Go embeds no directory whose name opens with a dot, which is Vite's default place.
    manifest: "manifest.json",
    // The pages' content security policy allows neither inline scripts nor data: addresses.
    assetsInlineLimit: 0,
    // What a chunk imports is fetched along with it; every browser of the target knows how.
    modulePreload: { polyfill: false },
    // The media engine's client is most of the room, and is meant to be.
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      input: {
        convene: at("src/convene.ts"),
        style: at("src/convene.css"),
        meeting: at("src/meeting.tsx"),
        "meeting-style": at("src/meeting.css"),
      },
      output: {
        // Other people's code in files of its own: it keeps its name, and thus browsers keep it,
        // while ours changes.
        codeSplitting: {
          groups: [
            { name: "preact", test: /node_modules[\\/]preact/ },
            { name: "media", test: /node_modules/ },
          ],
        },
      },
    },
  },
});

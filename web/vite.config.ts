import { readFileSync } from "node:fs";
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

export default defineConfig({
  root: at("."),
  logLevel: "warn",
  plugins: [icon],
  build: {
    outDir: at("dist"),
    emptyOutDir: true,
    target: "es2022",
    // Go embeds no directory whose name opens with a dot, which is Vite's default place.
    manifest: "manifest.json",
    // The pages' content security policy allows neither inline scripts nor data: addresses.
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      input: { convene: at("src/convene.ts"), style: at("src/convene.css") },
    },
  },
});

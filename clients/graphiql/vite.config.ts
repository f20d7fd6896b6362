import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { built } from "../built";

const server = process.env.LANDFALL_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/assets/graphiql/",
  plugins: [react(), built()],
  // A second copy of graphql-js refuses the schema objects of the first one.
  resolve: { dedupe: ["graphql", "react", "react-dom"] },
  worker: { format: "es" },
  build: {
    outDir: "../../server/static/graphiql",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    // The Content-Security-Policy of the page allows no scripts but our own files.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // Monaco alone is larger than the default threshold.
    chunkSizeWarningLimit: 4096,
    license: { fileName: "assets/third-party-licenses.md" },
  },
  server: { proxy: { "/graphql": { target: server, ws: true, changeOrigin: true } } },
});

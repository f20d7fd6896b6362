import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { built } from '../built';

const server = process.env.LANDFALL_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  base: '/app/',
  plugins: [react(), built()],
  resolve: { dedupe: ['graphql', 'react', 'react-dom', '@apollo/client', 'rxjs'] },
  build: {
    outDir: '../../server/static/app',
    emptyOutDir: true,
    target: 'es2022',
    // The Content-Security-Policy of the page allows no scripts but our own files.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    license: { fileName: 'assets/third-party-licenses.md' },
  },
  server: { proxy: { '/graphql': { target: server, ws: true, changeOrigin: true }, '/media': server } },
});

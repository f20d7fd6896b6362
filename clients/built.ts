/**
 * Vite plugin: writes down what a page was built of, in `built.json` beside its sources.
 *
 * The pages are checked in as they are built. A test compares both with what is written here, without Node.js: it finds
 * a source that was changed since, and a bundle that was edited by hand.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOREIGN = /^\0|\/node_modules\/|\/generated\//;
const PINS = ['package.json', 'vite.config.ts'];

interface Config {
  root: string;
  build: { outDir: string };
}

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));

/** The digests of files by their paths in the repository, in order. */
function digests(files: string[]): Record<string, string> {
  const named = files.map((file) => [relative(ROOT, file).split(sep).join('/'), digest(file)] as const);
  return Object.fromEntries(named.sort(([one], [other]) => (one < other ? -1 : 1)));
}

export function built() {
  let root = '';
  let folder = '';
  let sources: string[] = [];
  return {
    name: 'landfall-built',
    apply: 'build' as const,
    configResolved(config: Config): void {
      root = config.root;
      folder = resolve(root, config.build.outDir);
    },
    buildEnd(this: { getModuleIds(): Iterable<string> }): void {
      const modules = [...this.getModuleIds()].map((id) => id.replace(/\?.*/, ''));
      sources = modules.filter((id) => id.startsWith(ROOT) && !FOREIGN.test(id));
    },
    closeBundle(): void {
      const pins = PINS.map((name) => join(root, name));
      const kept = { sources: digests([...new Set([...sources, ...pins])]), files: digests(filesIn(folder)) };
      writeFileSync(join(root, 'built.json'), `${JSON.stringify(kept, null, 1)}\n`);
    },
  };
}

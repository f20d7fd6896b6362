// What a bundler does with Relay's plugin: each graphql`...` becomes an import of what the compiler made of it.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { transformAsync } from '@babel/core';

await rm('dist', { recursive: true, force: true });
for (const folder of ['src', 'test']) {
  await mkdir(`dist/${folder}`, { recursive: true });
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.ts')) continue;
    const { code } = await transformAsync(await readFile(`${folder}/${name}`, 'utf8'), {
      filename: `${folder}/${name}`,
      plugins: ['relay'],
      parserOpts: { plugins: ['typescript'] },
    });
    await writeFile(`dist/${folder}/${name}`, code);
  }
}
await cp('src/generated', 'dist/src/generated', { recursive: true });

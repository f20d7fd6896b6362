// Codes in a picture, read on the device: nothing leaves it but the code.
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

/** Where the reader's program is: browsers fetch it from the app's own files, tests hand it over. */
export function useReader(program: ArrayBuffer): void {
  prepareZXingModule({ overrides: { wasmBinary: program } });
}

/** The codes that a picture shows, with GS1 separators as scanners write them. */
export async function codesIn(picture: Blob | Uint8Array): Promise<string[]> {
  const found = await readBarcodes(picture as Blob, { tryHarder: true, textMode: 'Plain' });
  return found.filter(({ isValid }) => isValid).map(({ text }) => text);
}

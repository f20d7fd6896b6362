// The scanner: matches codes against what the device keeps, and sends scans in batches.
import type { Landfall } from 'landfall-graphcache';
import { act, mint, type Session } from 'landfall-session';

import type { RecordScansInput, ScanRecordInput } from './generated/graphql.js';
import { RecordScans, Warmup } from './operations.js';

/** Scans of one batch. */
const MOST = 100;
const SAVED = 'landfall.scans';

export interface Match {
  gtin: string;
  productId: string;
  name: string;
}

export interface Scanned {
  scan: ScanRecordInput;
  /** What the device knows of the code; the server has the last word. */
  match: Match | null;
}

export class Scanner {
  private readonly known = new Map<string, Match>();

  constructor(
    private readonly app: Landfall,
    private readonly session: Session,
  ) {}

  /** Keep the mappings of what the person takes, for when there is no connection; those of an earlier run otherwise. */
  async warmUp(): Promise<number> {
    let after: string | null = null;
    for (let more = true; more; ) {
      const { data }: any = await this.app.client.query(Warmup, { first: 100, after }, { requestPolicy: 'cache-and-network' }).toPromise();
      const page = data?.viewer?.scanner.warmup;
      if (!page) break;
      for (const { node } of page.edges) {
        if (node.product) this.known.set(node.gtin, { gtin: node.gtin, productId: node.product.id, name: node.product.name });
      }
      ({ hasNextPage: more, endCursor: after } = page.pageInfo);
    }
    return this.known.size;
  }

  /** A code that was typed or scanned: matched on the device at once, and kept until the server has it. */
  scan(code: string, manual = false): Scanned {
    const match = this.known.get(normalForm(code)) ?? null;
    const scan: ScanRecordInput = {
      id: mint('scan_record'),
      code,
      productId: match?.productId ?? null,
      matchedFrom: manual ? 'MANUAL' : match ? 'LOCAL_CACHE' : 'CATALOG_API',
      scannedAt: new Date().toISOString(),
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
    this.save([...this.waiting, scan]);
    return { scan, match };
  }

  /** Scans that the server has not answered, oldest first; also those of an earlier run. */
  get waiting(): ScanRecordInput[] {
    return JSON.parse(this.session.store.getItem(this.place) ?? '[]') as ScanRecordInput[];
  }

  /** Send what waits. What the server defers, or never answers, is sent again: each scan counts once. */
  async sync(): Promise<void> {
    for (let batch = this.waiting.slice(0, MOST); batch.length; batch = this.waiting.slice(0, MOST)) {
      const input = act({ scans: batch } as unknown as RecordScansInput);
      const { data, error } = await this.app.client.mutation(RecordScans, { input } as never).toPromise();
      const results = (data as any)?.recordScans?.results as { itemId: string; status: string }[] | undefined;
      if (!results) {
        if (error) throw error;
        return;
      }
      const over = new Set(results.filter(({ status }) => status !== 'DEFERRED').map(({ itemId }) => itemId));
      this.save(this.waiting.filter(({ id }) => !over.has(id as string)));
      if (over.size < batch.length) return;
    }
  }

  private save(scans: ScanRecordInput[]): void {
    this.session.store.setItem(this.place, JSON.stringify(scans));
  }

  /** By person: nobody sends what another scanned on the same phone. */
  private get place(): string {
    return `${SAVED}.${this.session.userId}`;
  }
}

/** The number as the server writes it; of other carriers than plain digits the server alone knows. */
export function normalForm(code: string): string {
  const digits = code.replace(/[\s-]/g, '');
  return /^\d{12,14}$/.test(digits) ? digits.padStart(14, '0') : code;
}

import { HE, LE, readTile, type Energy } from "./xray-tile";
import type { XrayView } from "./xray-view";

/** Requests under way at once: enough to fill the line, few enough that the next wish does not wait behind old ones. The first goes alone: what shares the line with it would only make it late. */
const AT_ONCE = 3;
const RETRY_MS = 1000;

type Wish = { key: string; energy: Energy; level: number; base: boolean; x: number; y: number };
const name = { [HE]: "he", [LE]: "le" } as const;

/** Fetches a picture's tiles in the order a person needs them: the first look, what is in view, HE before LE, the rest. */
export class Loader {
  /** Bytes that came over the line. */
  bytes = 0;
  /** When the first picture was there, the first look in both energies, all that the screen shows, and all there is: milliseconds since the page began, and bytes of tiles until then. For whoever measures. */
  readonly moments: Partial<Record<"first" | "look" | "sight" | "all", { at: number; bytes: number }>> = {};
  onProgress: () => void = () => {};
  /** Told once, when the first picture is there: what can wait may come now. */
  onFirst: () => void = () => {};
  private readonly under = new Map<string, AbortController>();
  private readonly done = new Set<string>();
  private stopped = false;

  /** `path` is the picture's own; `bases` the coarse levels that exist in 256 codes, the coarsest first. */
  constructor(private readonly view: XrayView, private readonly path: string, private readonly bases: number[]) {}

  /** Look at the view again: what is no longer wanted is cut off, what is wanted now is asked for. */
  turn(): void {
    if (this.stopped) return;
    const wishes = this.wishes();
    const beyond = wishes.findIndex((w) => !this.inView(w));
    const near = new Set(wishes.slice(0, beyond < 0 ? wishes.length : Math.max(AT_ONCE, beyond)).map((w) => w.key));
    for (const [key, control] of this.under) if (!near.has(key) && wishes.length) { control.abort(); this.under.delete(key); }
    for (const wish of wishes) {
      if (this.under.size >= (this.moments.first ? AT_ONCE : 1)) break;
      if (!this.under.has(wish.key)) void this.fetch(wish);
    }
  }

  private note(moment: keyof Loader["moments"], is: boolean): void { if (is) this.moments[moment] ??= { at: performance.now(), bytes: this.bytes }; }

  /** Cut everything off. */
  stop(): void { this.stopped = true; for (const control of this.under.values()) control.abort(); this.under.clear(); }

  /** Whether everything in view is here in full. */
  get complete(): boolean { return this.inSight(this.view.level).every((w) => this.done.has(w.key) || (w.energy === LE && !this.needsLow)); }
  /** Share of the full-resolution tiles of both energies that are here. */
  get share(): number { const all = this.all(0); return all.filter((w) => this.done.has(w.key)).length / all.length; }

  private get needsLow(): boolean { return this.view.look.mode >= 2 || this.view.look.energy === LE; }

  private wishes(): Wish[] {
    const level = this.view.level, base = (energy: Energy, l: number): Wish => ({ key: `base/${name[energy]}/${l}/0/0`, energy, level: l, base: true, x: 0, y: 0 });
    const [coarse = 3, next = 2] = this.bases, first: Energy = this.view.look.energy, second: Energy = first === HE ? LE : HE;
    const sight = this.inSight(level), order = [base(first, coarse), ...(this.needsLow ? [base(second, coarse)] : []), base(first, next), base(second, coarse), base(second, next)];
    order.push(...sight.filter((w) => w.energy === first), ...sight.filter((w) => w.energy === second));
    for (const l of [2, 1, 0]) for (const energy of [HE, LE] as const) order.push(...this.all(l).filter((w) => w.energy === energy));
    const seen = new Set<string>();
    return order.filter((w) => !this.done.has(w.key) && !seen.has(w.key) && seen.add(w.key));
  }

  private all(level: number): Wish[] {
    const { rows, pixels, tile } = this.view.frame, made: Wish[] = [];
    for (const energy of [HE, LE] as const)
      for (let y = 0; y < Math.ceil(pixels / 2 ** level); y += tile) for (let x = 0; x < Math.ceil(rows / 2 ** level); x += tile)
        made.push({ key: `fine/${name[energy]}/${level}/${x}/${y}`, energy, level, base: false, x, y });
    return made;
  }

  private inView(w: Wish): boolean {
    if (w.base) return true;
    const shown = this.view.shown, size = this.view.frame.tile, k = 2 ** w.level;
    return w.level === this.view.level && w.x * k < shown.x + shown.width && (w.x + size) * k > shown.x && w.y * k < shown.y + shown.height && (w.y + size) * k > shown.y;
  }

  private inSight(level: number): Wish[] {
    const size = this.view.frame.tile, k = 2 ** level, { x, y } = this.view.place;
    const far = (w: Wish): number => Math.hypot((w.x + size / 2) * k - x, (w.y + size / 2) * k - y);
    return this.all(level).filter((w) => this.inView(w)).sort((a, b) => far(a) - far(b));
  }

  private async fetch(wish: Wish): Promise<void> {
    const control = new AbortController();
    this.under.set(wish.key, control);
    try {
      const answer = await fetch(`${this.path}/${wish.key}`, { signal: control.signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const bytes = await answer.arrayBuffer();
      this.bytes += bytes.byteLength;
      const tile = await readTile(bytes);
      if (this.stopped) return;
      this.done.add(wish.key);
      this.view.put(tile);
      if (!this.moments.first) this.onFirst();
      this.note("first", true);
      this.note("look", this.bases.every((l) => [HE, LE].every((e) => this.done.has(`base/${name[e as Energy]}/${l}/0/0`))));
      this.note("sight", this.complete);
      this.note("all", this.share === 1);
    } catch {
      // Cut off by us, or the server is away: asked again later in either case.
      if (!control.signal.aborted) await new Promise((go) => setTimeout(go, RETRY_MS));
    } finally {
      if (this.under.get(wish.key) === control) this.under.delete(wish.key);
    }
    if (this.stopped) return;
    this.onProgress();
    this.turn();
  }
}

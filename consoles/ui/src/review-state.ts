import { batch, computed, signal } from "@preact/signals";
import { Loader } from "./xray-load";
import { HE } from "./xray-tile";
import { XrayView, type Look } from "./xray-view";
import type { Card, Draft, Judge, Likeness, Mark, Me, ProbeValue, Review, Said, Saved } from "./wire.gen";

/** Milliseconds between savings while something changes, and while nothing does: the server wants to know that we live. */
const SAVE_MS = 1000, LIVE_MS = 15_000;
/** A cell counts as looked at when it was on the screen for two of these. */
const LOOK_MS = 250;
export const GIVE_UP_MS = 15_000;
/** Pixels a side of what the server measures at once. */
const PROBE_MOST = 512;
const LOUPE = { radius: 140, times: 4 };

export const PLAIN: Look = { mode: 0, energy: HE, logs: true, level: 1.9, width: 4.2, edge: 0, local: false, raw: false };
export const LINEAR = { level: 0.5, width: 1.05 };
/** Windows on the log-attenuation: everything, thin cargo, ordinary cargo, behind thick steel. */
export const PRESETS = { full: [3.2, 7], thin: [0.55, 1.3], middle: [1.8, 2.4], thick: [4.2, 3.6] } as const;

/** JSON in and out; null when the server did not answer. */
export async function ask<T>(path: string, body?: unknown, keepalive = false): Promise<T | null> {
  try {
    const post: RequestInit = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), keepalive };
    return (await (await fetch(path, { ...post, signal: AbortSignal.timeout(GIVE_UP_MS) })).json()) as T;
  } catch {
    return null;
  }
}

const toBits = (hex: string, cells: number): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(cells / 8));
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2) || "0", 16);
  return bytes;
};
const toHex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const has = (bits: Uint8Array, n: number): boolean => ((bits[n >> 3]! >> (n & 7)) & 1) === 1;

/** One scan in a person's hand: how it is shown, what was marked, what was looked at, and that none of it gets lost. */
export class Reviewing {
  readonly look = signal<Look>(PLAIN);
  readonly marks = signal<Mark[]>([]);
  readonly chosen = signal<string | null>(null);
  readonly seen = signal(0);
  readonly probe = signal<{ x: number; y: number; width: number; height: number; value: ProbeValue } | null>(null);
  readonly loupe = signal(false);
  /** Whether the next drag draws a mark. */
  marking = false;
  readonly under = signal<{ x: number; y: number; he: number | null; le: number | null; level: number } | null>(null);
  /** Counts draws: whatever lies over the picture follows it. */
  readonly drawn = signal(0);
  /** Counts changes of the coarsest level: the overview follows it. */
  readonly coarse = signal(0);
  readonly progress = signal({ share: 0, bytes: 0, whole: false });
  readonly grid = signal(false);
  readonly ruler = signal<[x0: number, y0: number, x1: number, y1: number] | null>(null);
  readonly drawing = signal<Mark | null>(null);
  readonly beside = signal<Card | null>(null);
  /** Whether the server has all of it: not when it did not answer. */
  readonly kept = signal<"yes" | "not yet" | "no">("yes");
  readonly lost = signal(false);
  readonly leftS = signal(Infinity);
  /** Seconds with the picture before a person's eyes. */
  private spentS: number;
  readonly cellCount: number;
  readonly load: Uint8Array;
  readonly seenBits: Uint8Array;
  readonly loadCount: number;
  readonly allSeen = computed(() => this.seen.value >= this.loadCount);
  view: XrayView | null = null;
  other: XrayView | null = null;
  private loader: Loader | null = null;
  private otherLoader: Loader | null = null;
  private dirty = false;
  private active = false;
  private savedAt = performance.now();
  private dwelling = new Set<number>();
  private readonly timers: number[] = [];
  private undo: Mark[][] = [];

  constructor(readonly task: Review, readonly stale: () => boolean) {
    const { cells, draft } = task;
    this.cellCount = cells.columns * cells.rows;
    this.load = toBits(cells.load, this.cellCount);
    this.seenBits = toBits(draft?.seen ?? "", this.cellCount);
    this.loadCount = this.count(this.load);
    this.spentS = draft?.spent_s ?? 0;
    this.leftS.value = task.left_s;
    if (draft) { this.look.value = { ...draft.shown, raw: false }; this.marks.value = draft.marks; }
    this.countSeen();
  }

  /** Bring the picture onto its canvas. */
  mount(canvas: HTMLCanvasElement): void {
    const { card, draft } = this.task, view = new XrayView(canvas);
    this.view = view;
    view.onDraw = () => { this.drawn.value++; };
    view.onCoarse = () => { this.coarse.value++; };
    view.look = this.look.value;
    view.open(card);
    if (draft) view.go(draft.spot);
    this.loader = new Loader(view, `/api/xray/${card.digest}`, card.base_levels);
    this.loader.onProgress = () => { const l = this.loader!; this.progress.value = { share: l.share, bytes: l.bytes, whole: l.complete }; };
    this.loader.onFirst = () => void this.fetchPalette();
    this.loader.turn();
    this.timers.push(window.setInterval(() => this.glance(), LOOK_MS), window.setInterval(() => void this.save(), SAVE_MS));
    addEventListener("pagehide", this.leave);
    if (draft?.beside) void this.compare(draft.beside);
  }

  unmount(): void {
    for (const timer of this.timers) clearInterval(timer);
    removeEventListener("pagehide", this.leave);
    this.loader?.stop(); this.otherLoader?.stop();
    this.view = null; this.other = null;
  }

  /** For whoever measures. */
  get moments(): Loader["moments"] { return this.loader?.moments ?? {}; }

  show(change: Partial<Look>): void {
    this.look.value = { ...this.look.value, ...change };
    for (const view of [this.view, this.other]) if (view) { view.look = this.look.value; view.request(); }
    this.loader?.turn(); this.otherLoader?.turn();
    this.touch();
  }

  /** Somewhere else, or closer. */
  moved(): void {
    if (!this.view) return;
    if (this.other) this.other.go(this.view.place);
    this.loader?.turn(); this.otherLoader?.turn();
    this.touch();
  }

  touch(): void { this.active = true; this.change(); }
  private change(): void { this.dirty = true; if (this.kept.value === "yes") this.kept.value = "not yet"; }

  setMarks(marks: Mark[]): void { this.undo.push(this.marks.value); this.marks.value = marks; this.touch(); }
  undoMark(): void { const before = this.undo.pop(); if (before) { this.marks.value = before; this.touch(); } }
  addMark(box: Omit<Mark, "name" | "note">): void {
    const names = new Set(this.marks.value.map((m) => m.name));
    let n = 1;
    while (names.has(`A${n}`)) n++;
    const { rows, pixels } = this.task.card, x = Math.max(0, Math.round(box.x)), y = Math.max(0, Math.round(box.y));
    const width = Math.min(Math.round(box.width), rows - x), height = Math.min(Math.round(box.height), pixels - y);
    if (width < 2 || height < 2) return;
    this.setMarks([...this.marks.value, { name: `A${n}`, x, y, width, height, note: "" }]);
    this.chosen.value = `A${n}`;
  }
  nextMark(): void {
    const marks = this.marks.value, at = marks.findIndex((m) => m.name === this.chosen.value), next = marks[(at + 1) % Math.max(1, marks.length)];
    if (!next || !this.view) return;
    this.chosen.value = next.name;
    this.view.go({ ...this.view.place, x: next.x + next.width / 2, y: next.y + next.height / 2 });
    this.moved();
  }
  removeMark(name = this.chosen.value): void { this.setMarks(this.marks.value.filter((m) => m.name !== name)); this.chosen.value = null; }

  /** The archive's exact values under a box of seven pixels. */
  measure(x: number, y: number): Promise<void> { return this.measureBox(Math.floor(x) - 3, Math.floor(y) - 3, 7, 7); }
  /** The same under a mark: its middle part where it is larger than the server takes at once. */
  async measureMark(name = this.chosen.value): Promise<void> {
    const m = this.marks.value.find((one) => one.name === name);
    if (!m) return;
    const width = Math.min(m.width, PROBE_MOST), height = Math.min(m.height, PROBE_MOST);
    await this.measureBox(m.x + Math.floor((m.width - width) / 2), m.y + Math.floor((m.height - height) / 2), width, height);
  }
  private async measureBox(x: number, y: number, w: number, h: number): Promise<void> {
    const { rows, pixels, digest } = this.task.card, width = Math.min(w, rows), height = Math.min(h, pixels);
    const left = Math.max(0, Math.min(rows - width, x)), top = Math.max(0, Math.min(pixels - height, y));
    const value = await ask<ProbeValue>(`/api/xray/${digest}/probe?x=${left}&y=${top}&w=${width}&h=${height}`);
    if (value) this.probe.value = { x: left, y: top, width, height, value };
    this.touch();
  }

  /** A box in the middle, to be moved by keys or drawn anew by a drag. */
  begin(): void {
    if (!this.view) return;
    const shown = this.view.shown, width = Math.round(shown.width / 6), height = Math.round(shown.height / 4);
    this.drawing.value = { name: "", note: "", x: Math.round(shown.x + shown.width / 2 - width / 2), y: Math.round(shown.y + shown.height / 2 - height / 2), width, height };
    this.marking = true;
    document.getElementById("picture")?.focus();
  }
  toggleLoupe(): void {
    const view = this.view;
    if (!view) return;
    const radius = LOUPE.radius * (window.devicePixelRatio || 1);
    view.loupe = view.loupe ? null : { x: view.canvas.width / 2, y: view.canvas.height / 2, radius, times: LOUPE.times };
    this.loupe.value = view.loupe !== null;
    view.request();
  }

  async compare(digest: string | null): Promise<void> {
    this.otherLoader?.stop(); this.other = null; this.otherLoader = null;
    this.beside.value = digest === null ? null : await ask<Card>(`/api/xray/${digest}/card`);
    this.touch();
  }
  mountOther(canvas: HTMLCanvasElement): void {
    const card = this.beside.value;
    if (!card || !this.view) return;
    const view = new XrayView(canvas);
    this.other = view;
    view.look = this.look.value;
    view.open(card); view.go(this.view.place);
    this.otherLoader = new Loader(view, `/api/xray/${card.digest}`, card.base_levels);
    this.otherLoader.onFirst = () => void this.fetchPalette();
    this.otherLoader.turn();
  }
  likes(): Promise<Likeness[] | null> { return ask<Likeness[]>(`/api/inspection/tasks/${this.task.card.digest}/like`); }

  draft(): Draft {
    const { raw: _, ...shown } = this.look.value, place = this.view?.place ?? { x: 0, y: 0, zoom: 1 };
    return { spot: place, shown, marks: this.marks.value, seen: toHex(this.seenBits), spent_s: this.spentS, beside: this.beside.value?.digest ?? null };
  }
  judge(finding: Judge["finding"], pin: string, note: string): Promise<Said | null> {
    return ask<Said>(`/api/inspection/tasks/${this.task.card.digest}/verdict`, { finding, pin, note, draft: this.draft() } satisfies Judge);
  }

  isSeen(n: number): boolean { return has(this.seenBits, n); }
  isLoad(n: number): boolean { return has(this.load, n); }

  /** Whether all that is on the screen counts as looked at. */
  get looked(): boolean { return this.closeEnough && this.onScreen().every(([n]) => this.isSeen(n)); }
  private get closeEnough(): boolean {
    const { view } = this, { clear_zoom } = this.task;
    return view !== null && view.place.zoom >= clear_zoom - 1e-6 && 2 ** view.level * clear_zoom <= 1.5;
  }
  /** Cells whose middle is on the screen. */
  private onScreen(): [n: number, x: number, y: number][] {
    const { cells } = this.task, { x, y, width, height } = this.view!.shown, made: [number, number, number][] = [];
    for (let n = 0; n < this.cellCount; n++) {
      const mx = ((n % cells.columns) + 0.5) * cells.size, my = (Math.floor(n / cells.columns) + 0.5) * cells.size;
      if (mx >= x && mx <= x + width && my >= y && my <= y + height) made.push([n, mx, my]);
    }
    return made;
  }

  /** What is on the screen now, close enough and sharp, counts when it still is at the next glance. */
  private glance(): void {
    const { view } = this;
    this.leftS.value = Math.max(0, this.leftS.value - LOOK_MS / 1000);
    if (!view || document.hidden || this.stale()) { this.dwelling.clear(); return; }
    this.spentS += LOOK_MS / 1000;
    const now = new Set<number>();
    if (this.closeEnough) {
      const { level } = view, tile = view.frame.tile * 2 ** level;
      for (const [n, mx, my] of this.onScreen()) {
        const tx = Math.floor(Math.min(mx, view.frame.rows - 1) / tile) * view.frame.tile, ty = Math.floor(Math.min(my, view.frame.pixels - 1) / tile) * view.frame.tile;
        if (view.has(HE, level, tx, ty)) now.add(n);
      }
    }
    let more = false;
    for (const n of now) if (this.dwelling.has(n) && !has(this.seenBits, n)) { this.seenBits[n >> 3] = this.seenBits[n >> 3]! | (1 << (n & 7)); more = true; }
    this.dwelling = now;
    if (more) { this.countSeen(); this.change(); }
  }

  private count(bits: Uint8Array): number { let sum = 0; for (let n = 0; n < this.cellCount; n++) if (has(bits, n)) sum++; return sum; }
  private countSeen(): void { let sum = 0; for (let n = 0; n < this.cellCount; n++) if (has(this.load, n) && has(this.seenBits, n)) sum++; this.seen.value = sum; }

  private async save(): Promise<void> {
    if (!this.dirty && performance.now() - this.savedAt < LIVE_MS) return;
    const active = this.active;
    this.dirty = this.active = false;
    this.savedAt = performance.now();
    const told = await ask<Saved>(`/api/inspection/tasks/${this.task.card.digest}/draft`, { draft: this.draft(), active });
    if (told === null || told.yours === undefined) { this.dirty = true; this.active ||= active; this.kept.value = "no"; return; }
    batch(() => { this.kept.value = this.dirty ? "not yet" : "yes"; this.lost.value = !told.yours; this.leftS.value = told.left_s; });
  }

  private readonly leave = (): void => {
    if (this.dirty) void ask(`/api/inspection/tasks/${this.task.card.digest}/draft`, { draft: this.draft(), active: this.active }, true);
    this.dirty = false;
  };

  private async fetchPalette(): Promise<void> {
    try {
      const bytes = await (await fetch(this.task.palette)).arrayBuffer();
      const inflated = new Blob([bytes.slice(20)]).stream().pipeThrough(new DecompressionStream("deflate"));
      const body = new Uint8Array(await new Response(inflated).arrayBuffer());
      for (const view of [this.view, this.other]) view?.setPalette(new DataView(bytes), body);
    } catch { /* Without the table there is no colour, and the page says so by staying grey; the next reload asks again. */ }
  }
}

export const me = signal<Me | "out" | null>(null);
/** Ask who sits here; «out» when nobody does. */
export async function askMe(): Promise<void> {
  try {
    const answer = await fetch("/api/inspection/me", { signal: AbortSignal.timeout(GIVE_UP_MS) });
    if (answer.status === 204) me.value = "out";
    else if (answer.ok) me.value = (await answer.json()) as Me;
  } catch { /* The page's freshness says that the server is away; it is asked again when it is back. */ }
}

import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Hello, Patch, Values } from "./wire.gen";

/** Real milliseconds without a word from the server after which nothing on the page is shown as true: three heartbeats. */
const SILENCE_MS = 1600;
const LOOK_EVERY_MS = 200;
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 2000;

/** Every group of values, none left out. */
export type Known = { [G in Exclude<keyof Values, "events" | "counts" | "desk">]-?: NonNullable<Values[G]> } & {
  events: NonNullable<Values["events"]>;
  counts: Values["counts"] | null;
  desk: NonNullable<Values["desk"]> | null;
};

export type Live = {
  hello: ReadonlySignal<Hello | null>;
  known: ReadonlySignal<Known>;
  /** Whether the server speaks to this page now. */
  linked: ReadonlySignal<boolean>;
  /** Whether the server hears the broker. */
  bus: ReadonlySignal<boolean>;
  /** Site time, seconds since 1970; runs on when the server is gone, so that ages grow. */
  now: ReadonlySignal<number>;
};

const NOTHING: Known = { views: {}, weights: {}, health: {}, nodes: {}, fixes: {}, alarms: {}, events: [], counts: null, desk: null };
const EVENTS_KEPT = 60;

/** What is known after a patch: a whole one replaces everything, another one only what it names. */
export function merged(before: Known, patch: Patch): Known {
  const base = patch.whole ? NOTHING : before, set = patch.set;
  return {
    views: set.views ? { ...base.views, ...set.views } : base.views,
    weights: set.weights ? { ...base.weights, ...set.weights } : base.weights,
    health: set.health ? { ...base.health, ...set.health } : base.health,
    nodes: set.nodes ? { ...base.nodes, ...set.nodes } : base.nodes,
    fixes: set.fixes ? { ...base.fixes, ...set.fixes } : base.fixes,
    alarms: set.alarms ? { ...base.alarms, ...set.alarms } : base.alarms,
    events: set.events ? [...base.events, ...set.events].sort((a, b) => a.at - b.at).slice(-EVENTS_KEPT) : base.events,
    counts: set.counts === undefined ? base.counts : set.counts,
    desk: set.desk ?? base.desk,
  };
}

/** One socket a page: a browser allows six plain streams to a server, but hundreds of sockets. */
export function follow(path: string): Live {
  const hello = signal<Hello | null>(null), known = signal<Known>(NOTHING);
  const linked = signal(false), bus = signal(false), now = signal(0);
  let heard = -Infinity, siteAtZero = 0, speed = 1, wait = RETRY_FIRST_MS;

  const site = (): number => siteAtZero + (performance.now() / 1000) * speed;
  const open = (): void => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
    socket.onmessage = (event: MessageEvent<string>) => {
      const said = JSON.parse(event.data) as Hello | Patch;
      heard = performance.now();
      if (said.t === "hello") speed = said.speed;
      siteAtZero = said.now - (heard / 1000) * speed;
      batch(() => {
        if (said.t === "hello") hello.value = said;
        else { known.value = merged(known.value, said); bus.value = said.bus; wait = RETRY_FIRST_MS; linked.value = true; }
        now.value = site();
      });
    };
    socket.onclose = () => { setTimeout(open, wait * (0.75 + Math.random() / 2)); wait = Math.min(wait * 1.5, RETRY_MOST_MS); };
  };
  open();
  setInterval(() => batch(() => { linked.value = performance.now() - heard < SILENCE_MS; if (hello.value) now.value = site(); }), LOOK_EVERY_MS);
  return { hello, known, linked, bus, now };
}

/** Whether something said at `at` may still be shown as true. A word from the future is as void as an old one. */
export function isFresh(live: Live, word: string, at: number | null | undefined): boolean {
  const limit = live.hello.value?.stale_after[word];
  if (at === null || at === undefined || limit === undefined || !live.linked.value) return false;
  const age = live.now.value - at;
  return age <= limit && age >= -limit;
}

export type Silence = "server" | "offline" | "bus" | "lane" | null;

/** Why a lane's values are void, the nearest cause first; null when they are live. */
export function silenceOf(live: Live, lane: string): ReadonlySignal<Silence> {
  return computed<Silence>(() => {
    if (!live.linked.value) return "server";
    const known = live.known.value, view = known.views[lane];
    if (known.nodes[lane]?.online === false) return "offline";
    if (isFresh(live, "view", view?.at)) return null;
    return live.bus.value ? "lane" : "bus";
  });
}

import { signal, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Live, Silence } from "./live";
import { ageText, clockText, dateText } from "./numbers";
import { both, language, say, toggleLanguage, tr, type Word } from "./words";

const HOLD_MS = 1000;

/** A value with its band: the eye reads position before digits. Beyond an end the pointer leans on it and says so. */
export function Band({ label, value, judged, low, high, from, to, text }: { label: string; value: number | null; judged: boolean; low: number | null; high: number | null; from: number; to: number; text: string }) {
  const at = (v: number): number => Math.max(0, Math.min(100, (100 * (v - from)) / (to - from)));
  const out = judged && value !== null && low !== null && high !== null && (value < low || value > high);
  return (
    <div class={out ? "band out" : "band"} role="meter" aria-label={label} aria-valuemin={from} aria-valuemax={to} aria-valuenow={value ?? from} aria-valuetext={text}>
      {low !== null && high !== null && <i style={{ left: `${at(low)}%`, width: `${at(high) - at(low)}%` }} />}
      {value !== null && <b style={{ left: `${at(value)}%` }}>{value < from ? "◀" : value > to ? "▶" : ""}</b>}
    </div>
  );
}

/** Acts only when held: a glove's brush does nothing. Finger, mouse, Space and Enter alike. */
export function HoldButton({ id, disabled, onHold, ms = HOLD_MS, children }: { id: string; disabled: boolean; onHold: () => void; ms?: number; children: ComponentChildren }) {
  const timer = useRef(0), button = useRef<HTMLButtonElement>(null);
  const up = (): void => { clearTimeout(timer.current); timer.current = 0; button.current?.classList.remove("held"); };
  const down = (): void => {
    if (timer.current || disabled) return;
    button.current?.classList.add("held");
    timer.current = window.setTimeout(() => { up(); onHold(); }, ms);
  };
  useEffect(() => { if (disabled) up(); }, [disabled]);
  return (
    <button ref={button} id={id} type="button" class="hold" disabled={disabled} style={{ "--hold": `${ms}ms` }} onPointerDown={(e) => { if (e.button === 0) down(); }} onPointerUp={up} onPointerLeave={up} onPointerCancel={up} onBlur={up}
      onContextMenu={(e) => e.preventDefault()} onKeyDown={(e) => { if ((e.key === " " || e.key === "Enter") && !e.repeat) { e.preventDefault(); down(); } }} onKeyUp={up}>
      {children}
    </button>
  );
}

/** Priority by colour, shape and digit together; hollow when it has returned. */
export function Mark({ priority, lit = true }: { priority: 1 | 2 | 3; lit?: boolean }) {
  const shape = { 1: "M1 1H23V23H1Z", 2: "M12 1 23 22H1Z", 3: "M12 1 23 12 12 23 1 12Z" }[priority];
  return (
    <svg class={`mark p${priority}${lit ? "" : " hollow"}`} viewBox="0 0 24 24" role="img" aria-label={`P${priority}`}>
      <path d={shape} /><text x="12" y={priority === 2 ? 19 : 17} text-anchor="middle">{priority}</text>
    </svg>
  );
}

/** How old a value is; struck through with it when it is void. */
export function Age({ live, at }: { live: Live; at: number | null | undefined }) {
  return <span class="age num">{at === null || at === undefined ? "–" : ageText(live.now.value - at)}</span>;
}

export function LanguageButton() {
  return <button type="button" class="quiet" id="language" lang={language.value ? "zh-CN" : "en"} aria-keyshortcuts="E" onClick={toggleLanguage}>{language.value ? "中文" : "English"}</button>;
}

const why: Record<NonNullable<Silence>, Word> = { server: "silentServer", bus: "silentBus", lane: "silentLane", offline: "silentOffline" };

/** «Live», or the red note in both languages with its cause. */
export function Freshness({ silence }: { silence: Silence }) {
  const [zh, en] = both("stale");
  return (
    <span role="status" id="freshness" class={silence ? "stale-note" : "fresh"}>
      {silence ? <><svg class="cross" viewBox="0 0 16 16" aria-hidden="true"><path d="M3 3 13 13M13 3 3 13" /></svg>{zh} {en} · {tr(why[silence])}</> : <><i class="dot" aria-hidden="true" />{tr("live")}</>}
    </span>
  );
}

/** Site time, and that it is simulated where it is. */
export function SiteClock({ live }: { live: Live }) {
  const hello = live.hello.value;
  if (!hello) return null;
  return (
    <span class="clock">
      {hello.speed !== 1 && <span class="chip">{tr("simulated")} ×{hello.speed}</span>}
      <time class="num" id="clock"><small>{dateText(live.now.value)}</small> {clockText(live.now.value)}</time>
    </span>
  );
}

/** The server has other pages than this one: to be loaded when the person wants, never by itself. */
export function NewBuild({ live }: { live: Live }) {
  const mine = document.querySelector<HTMLMetaElement>('meta[name="build"]')?.content, theirs = live.hello.value?.build;
  return theirs && mine && theirs !== mine ? <button type="button" class="quiet" onClick={() => location.reload()}>{tr("newBuild")}</button> : null;
}

const THEME = "quaygate.night";
const night = signal(localStorage.getItem(THEME) === "yes");
const showTheme = (): void => { document.body.classList.toggle("night", night.value); };
showTheme();

/** Light by day, dark by night; kept for this screen. */
export function ThemeButton() {
  const turn = (): void => { night.value = !night.value; localStorage.setItem(THEME, night.value ? "yes" : "no"); showTheme(); };
  return <button type="button" class="quiet" id="theme" onClick={turn}>{tr(night.value ? "themeDay" : "theme")}</button>;
}

/** Both languages at once, this one first. */
export function Both({ pair }: { pair: [string, string] }) {
  const other = language.value ? 0 : 1;
  return <>{say(pair)} <small lang={other ? "en" : "zh-CN"}>{pair[other]}</small></>;
}

/** Keep the window's title to what matters. */
export function useTitle(text: ReadonlySignal<string>): void {
  const now = text.value;
  useEffect(() => { document.title = now; }, [now]);
}
